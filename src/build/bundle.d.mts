import type { BuildOptions, BuildResult } from "esbuild";

/** The repository's folder. */
export const root: string;
export function bundle(options: BuildOptions): Promise<BuildResult>;
/** Entry points of the command, by the names of their files. */
export const command: Readonly<Record<string, string>>;
