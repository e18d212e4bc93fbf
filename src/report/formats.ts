import { rules } from "../../rules/index.js";
import type { FileResult, Format, Problem } from "./result.js";

interface Run {
  results: readonly FileResult[];
  problems: readonly Problem[];
  /** Of this tool. */
  version: string;
  /** The working folder, for reports whose paths have to be relative to it. */
  folder?: string;
}

type ProgramFormat = Exclude<Format, "pretty">;

/** Reports for programs. Each is loaded only where it is asked for. */
const reports: Readonly<Record<ProgramFormat, (run: Run) => Promise<string>>> = {
  compact: async ({ results, problems }) =>
    (await import("./compact.js")).compactReport(results, problems),
  json: async ({ results, problems }) => (await import("./json.js")).jsonReport(results, problems),
  sarif: async ({ results, problems, version }) =>
    (await import("./sarif.js")).sarifReport(results, problems, rules, version),
  github: async ({ results, problems }) =>
    (await import("./github.js")).githubReport(results, problems),
  gitlab: async ({ results, problems, folder }) =>
    (await import("./gitlab.js")).gitlabReport(results, problems, folder),
  junit: async ({ results, problems }) =>
    (await import("./junit.js")).junitReport(results, problems),
  checkstyle: async ({ results, problems }) =>
    (await import("./checkstyle.js")).checkstyleReport(results, problems),
};

export function reportAs(format: ProgramFormat, run: Run): Promise<string> {
  return reports[format](run);
}
