import type { Finding } from "../finding.js";
import type { Ends } from "./spans.js";

/** What came of one file on one machine. */
export interface FileResult {
  path: string;
  /** The machine's name, or null where none was named. */
  machine: string | null;
  /** The release, or the range of releases, as text. */
  ollama: string;
  /** The ends of a range. */
  releases?: Ends;
  /** The text that the findings' offsets belong to. */
  text: string;
  findings: readonly Finding[];
  /** The file was rewritten. */
  fixed: boolean;
}

/** A file that could not be checked. */
export interface Problem {
  path: string;
  line?: number;
  column?: number;
  message: string;
}

export interface Summary {
  files: number;
  errors: number;
  warnings: number;
  infos: number;
  fixed: number;
}

export function summarise(results: readonly FileResult[]): Summary {
  const count = (severity: string) =>
    results.reduce(
      (sum, { findings }) => sum + findings.filter((f) => f.severity === severity).length,
      0,
    );
  return {
    files: new Set(results.map(({ path }) => path)).size,
    errors: count("error"),
    warnings: count("warning"),
    infos: count("info"),
    fixed: new Set(results.filter(({ fixed }) => fixed).map(({ path }) => path)).size,
  };
}

/** What `--format` takes. */
export const formats = [
  "pretty",
  "compact",
  "json",
  "sarif",
  "github",
  "gitlab",
  "junit",
  "checkstyle",
] as const;

export type Format = (typeof formats)[number];
