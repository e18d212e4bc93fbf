export const verbNames = ["lint", "plan", "parse", "explain", "rules", "model", "machine"] as const;

export type VerbName = (typeof verbNames)[number];
