import "./compat.js";
import { parseModelfile } from "../grammar/parser.js";
import { printTree, type Modelfile } from "../grammar/tree.js";
import { rules } from "../rules/index.js";
import type { Setup } from "./context.js";
import { oneRelease, readReleases, type Releases } from "./facts/release-range.js";
import { newestRelease } from "./facts/release.js";
import type { Finding } from "./finding.js";
import { fix as fixBytes, type Fixed } from "./fix/fix.js";
import { judge } from "./judge.js";
import type { SeverityOf } from "./lint.js";
import type { Machine } from "./machines/machine.js";
import { makePlan } from "./plan/make-plan.js";
import type { Host } from "./host.js";

/*
 * The pure core: text and facts in, data out. It runs in a browser; what lies on disk or in a network
 * reaches it only through a Host.
 */

export type { Entry, Host } from "./host.js";
export type { Change, Finding, Fix, Report, Severity } from "./finding.js";
export type { Context, Example, Rule } from "./rule.js";
export type { Machine, Gpu } from "./machines/machine.js";
export type { Model, Shape, Weights } from "./models/model.js";
export type { Load, Settings } from "./ollama/load.js";
export type { Plan } from "./plan/plan.js";
export type { Modelfile, Node, Span, Statement, Value } from "../grammar/tree.js";
export type { TextEdit } from "../grammar/bytes.js";
export type { Fixed };

/** What a file is judged against; everything may be left out. */
export interface LintOptions {
  /** An Ollama release, "0.32.15", or a range of them, ">=0.12 <0.30"; the newest known without it. */
  ollama?: string;
  machine?: Machine;
  /** Server variables. */
  server?: Readonly<Record<string, string>>;
  /** Without one nothing but the text, the configuration's models and the catalogue is known. */
  host?: Host;
  /** The folder of the file, for the host. */
  folder?: string;
  /** What names in FROM mean. */
  models?: Setup["models"];
  severityOf?: SeverityOf;
}

/** Reads a Modelfile into a tree that holds every character of it. Never throws. */
export function parse(text: string): Modelfile {
  return parseModelfile(text);
}

/** Everything there is to say about a file, in the order of its text. */
export async function lint(text: string, options: LintOptions = {}): Promise<Finding[]> {
  return findings(text, options);
}

/** Makes the fixes of a file, in its own encoding and line ends; the unsafe ones only with `unsafe`. */
export async function fix(
  bytes: Uint8Array,
  options: LintOptions & { unsafe?: boolean } = {},
): Promise<Fixed> {
  return fixBytes(bytes, (one) => findings(one, options), options.unsafe ?? false);
}

/** What a release of Ollama would do with a model on a machine. */
export { makePlan as plan, printTree as print, rules };

async function findings(text: string, options: LintOptions): Promise<Finding[]> {
  const releases =
    options.ollama === undefined ? oneRelease(newestRelease) : releasesIn(options.ollama);
  const { host, machine, severityOf } = options;
  const judged = await judge(parseModelfile(text), {
    releases,
    release: releases.last,
    folder: options.folder ?? ".",
    modelsFolder: options.folder ?? ".",
    server: options.server ?? {},
    models: options.models ?? new Map(),
    ...(machine && { machine }),
    ...(host && { host }),
    ...(severityOf && { severityOf }),
  });
  return judged.findings;
}

function releasesIn(text: string): Releases {
  const read = readReleases(text);
  if (!read.ok) throw new RangeError(read.problem);
  return read.releases;
}
