export const verbNames = [
  "lint",
  "plan",
  "render",
  "parse",
  "explain",
  "rules",
  "format",
  "compile",
  "init",
  "model",
  "machine",
  "lsp",
] as const;

export type VerbName = (typeof verbNames)[number];
