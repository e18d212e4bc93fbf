import { defineConfig } from "vitest/config";

// Vitest 5 prints failures with Map.groupBy, which Node 20 lacks: without this they would be hidden.
const missing = Map as { groupBy?: unknown };
missing.groupBy ??= <T, K>(items: Iterable<T>, key: (item: T, index: number) => K) => {
  const groups = new Map<K, T[]>();
  let index = 0;
  for (const item of items) {
    const name = key(item, index++);
    groups.set(name, [...(groups.get(name) ?? []), item]);
  }
  return groups;
};

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    setupFiles: ["src/compat.ts"],
    globalSetup: ["test/command.ts"],
    testTimeout: 60_000,
    // test/command.ts puts the command into a folder of its own, which only a process has.
    pool: "forks",
    // Nothing here keeps state between files, and catalogue and rules are loaded once instead of in each.
    isolate: false,
    // Vitest would keep one core for itself, and has little to do with it.
    maxWorkers: "100%",
    // Graphs of large models are much short-lived memory: with the 16 MiB that V8 has for it, a fifth of
    // the time would go into clearing it.
    execArgv: ["--max-semi-space-size=64"],
    coverage: { include: ["grammar/**", "src/**", "rules/**"], exclude: ["src/build/**"] },
  },
});
