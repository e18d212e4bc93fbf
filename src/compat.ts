/**
 * Chevrotain 13 calls Object.groupBy, which Node 20 lacks. Every entry imports this first.
 * Only the shape Chevrotain needs: an object without a prototype, members in order.
 */
const missing = Object as { groupBy?: unknown };
missing.groupBy ??= <T>(items: Iterable<T>, key: (item: T, index: number) => PropertyKey) => {
  const groups = Object.create(null) as Record<PropertyKey, T[]>;
  let index = 0;
  for (const item of items) (groups[key(item, index++)] ??= []).push(item);
  return groups;
};
