import type { BuildOptions, BuildResult } from "esbuild";

/** The repository's folder. */
export const root: string;
export function bundle(options: BuildOptions): Promise<BuildResult>;
