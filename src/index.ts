import "./compat.js";
import { parseModelfile } from "../grammar/parser.js";
import { printTree, type Modelfile } from "../grammar/tree.js";
import { rules } from "../rules/index.js";
import { compileTo, lookInto } from "./compile/compile.js";
import type { Compiled, Refusal } from "./compile/target.js";
import { targetIds, targetNamed } from "./compile/targets.js";
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
import type { RangeSetup } from "./setups.js";

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
export type { Compiled, Note, Refusal, Text } from "./compile/target.js";
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

/** Where the text comes from, and how what comes of it is called. */
export interface CompileOptions extends Omit<LintOptions, "severityOf"> {
  /** What the model is to be called; "model" without it. */
  name?: string;
  /** The Modelfile's own name; "Modelfile" without it. */
  path?: string;
  /** SHA-256 of local files in hexadecimal, by their text in the file. */
  digests?: ReadonlyMap<string, string>;
}

/**
 * Makes something else of a Modelfile: `targetIds` lists what. A refusal says in a sentence why that cannot be.
 * Throws RangeError for a target that does not exist, and InputError where it needs a model or a machine
 * and there is none.
 */
export async function compile(
  text: string,
  target: string,
  options: CompileOptions = {},
): Promise<Compiled | Refusal> {
  const found = await targetNamed(target);
  if (!found) throw new RangeError(`There is no target "${target}".`);
  const { name = "model", path = "Modelfile", digests } = options;
  const { releases: _, ...setup } = setupOf(options);
  const looked = await lookInto(text, { name, path }, setup.release, setup);
  if ("refused" in looked) return looked;
  return compileTo(found, { ...looked, source: { ...looked.source, ...(digests && { digests }) } });
}

/** What a release of Ollama would do with a model on a machine. */
export { makePlan as plan, printTree as print, rules, targetIds };

async function findings(text: string, options: LintOptions): Promise<Finding[]> {
  const { severityOf } = options;
  const setup = { ...setupOf(options), ...(severityOf && { severityOf }) };
  return (await judge(parseModelfile(text), setup)).findings;
}

/** The newest of a range of releases stands for it where one is asked about. */
function setupOf(options: LintOptions): RangeSetup {
  const releases =
    options.ollama === undefined ? oneRelease(newestRelease) : releasesIn(options.ollama);
  const { host, machine } = options;
  return {
    releases,
    release: releases.last,
    folder: options.folder ?? ".",
    modelsFolder: options.folder ?? ".",
    server: options.server ?? {},
    models: options.models ?? new Map(),
    ...(machine && { machine }),
    ...(host && { host }),
  };
}

function releasesIn(text: string): Releases {
  const read = readReleases(text);
  if (!read.ok) throw new RangeError(read.problem);
  return read.releases;
}
