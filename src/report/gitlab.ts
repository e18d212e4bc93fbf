import type { Severity } from "../finding.js";
import { jsonText } from "./json.js";
import { counted, fingerprint, fingerprints, located, onMachine, ownName } from "./located.js";
import type { FileResult, Problem } from "./result.js";

/*
 * GitLab's Code Quality report (docs.gitlab.com, "Code Quality report format"). Of issues with one
 * fingerprint GitLab keeps the last (lib/gitlab/ci/reports/codequality_reports.rb).
 */

const severities: Readonly<Record<Severity, string>> = {
  error: "critical",
  warning: "major",
  info: "minor",
};

/** `folder` is the one that the run began in: GitLab wants paths relative to the repository. */
export async function gitlabReport(
  results: readonly FileResult[],
  problems: readonly Problem[],
  folder?: string,
): Promise<string> {
  const findings = located(results);
  const prints = await fingerprints(findings);
  const issues = findings.map((one, index) => ({
    description: `${one.sentence}${onMachine(one)}`,
    check_name: one.rule,
    fingerprint: prints[index],
    severity: severities[one.severity],
    location: {
      path: relative(one.path, folder),
      lines: { begin: one.from.line, end: one.lastLine },
    },
  }));
  const distinct = counted();
  const failed = problems.map(async ({ path, line = 1, message }) => ({
    description: message,
    check_name: ownName,
    fingerprint: await fingerprint(distinct([path, ownName, message].join("\n"))),
    severity: "blocker",
    location: { path: relative(path || ".", folder), lines: { begin: line, end: line } },
  }));
  return jsonText([...issues, ...(await Promise.all(failed))]);
}

/** "models/Modelfile" for "./models/Modelfile", and for a full path within the folder. */
function relative(path: string, folder?: string): string {
  const [slashed, base] = [path, folder].map((one) => one?.replaceAll("\\", "/"));
  const within = base !== undefined && slashed!.startsWith(`${base.replace(/\/$/, "")}/`);
  const rest = within ? slashed!.slice(base.replace(/\/$/, "").length + 1) : slashed!;
  return rest.replace(/^(?:\.\/+)+(?=.)/, "");
}
