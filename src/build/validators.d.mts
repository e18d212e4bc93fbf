/**
 * Writes the validators, or with `check` only looks. Returns the files that were stale, relative to
 * the repository.
 */
export function generateValidators(check: boolean): Promise<string[]>;
