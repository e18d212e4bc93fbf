import { stat } from "node:fs/promises";
import { relative, resolve } from "node:path";
import process from "node:process";
import { rules } from "../../rules/index.js";
import type { Config, MachineChoice, ModelChoice, RuleSetting } from "../config/config.js";
import { severityIn, type Origin } from "../config/said.js";
import { profileAsYaml } from "../machines/print.js";
import type { FileSettings } from "../setups.js";
import { leftOutOfFolders } from "./ignore-files.js";
import { UsageError, type Options } from "./options.js";
import { fileSetups } from "./setup.js";

/** Who said something: "own" a rule itself, "extends" the set of rules. */
type From = Origin | "own" | "extends";

/** A file's configuration in force, with where each part of it comes from. */
interface Effective {
  file: string;
  configuration: string | null;
  /** The configuration leaves the file out. */
  ignored: boolean;
  /** The ignore file that leaves it out where a folder is looked through. */
  left_out_by: string | null;
  /** As written. */
  baseline: { value: string; from: string } | null;
  ollama: { value: string; from: string } | null;
  machines: { value: readonly MachineChoice[]; from: string };
  /** What the file is checked against: each machine with the release or range. */
  setups: { machine: string | null; ollama: string }[];
  server: Record<string, { value: string; from: string }>;
  models: Record<string, { value: ModelChoice; from: string }>;
  extends: { value: string; from: string };
  rules: Record<string, { severity: RuleSetting; from: string }>;
}

/** Prints what is said of a file, which need not exist: a configuration with a comment on each line, or JSON. */
export async function printConfig(path: string, values: Options): Promise<number> {
  if ((await stat(path).catch(() => undefined))?.isDirectory()) {
    throw new UsageError(`--print-config takes a file; "${path}" is a folder.`);
  }
  const ignoreFile = values["no-ignore"] ? undefined : await leftOutOfFolders(path);
  const effective = effectiveFor(path, await fileSetups(path, values), ignoreFile, values);
  process.stdout.write(
    values.json
      ? `${JSON.stringify({ version: 1, ...effective }, undefined, 2)}\n`
      : configAsYaml(effective),
  );
  return 0;
}

function effectiveFor(
  path: string,
  { said, setups, ignored, config }: FileSettings,
  ignoreFile: string | undefined,
  values: Options,
): Effective {
  const withSource = <T>([name, { value, by }]: [string, { value: T; by: Origin }]) =>
    [name, { value, from: word(by) }] as const;
  return {
    file: resolve(path),
    configuration: config?.path ?? null,
    ignored,
    left_out_by: ignoreFile ?? null,
    baseline: baselineFor(config, values),
    ollama: said.ollama ? { value: said.ollama.value, from: word(said.ollama.by) } : null,
    machines: { value: said.machines.value, from: word(said.machines.by) },
    setups: setups.map(({ machine, releases }) => ({
      machine: machine?.name ?? null,
      ollama: releases.text,
    })),
    server: Object.fromEntries([...said.server].map(withSource)),
    models: Object.fromEntries([...said.models].map(withSource)),
    extends: { value: said.extends.value, from: word(said.extends.by) },
    rules: Object.fromEntries(
      rules.map((rule) => {
        const { value, by } = severityIn(said, rule);
        return [rule.id, { severity: value, from: word(by) }];
      }),
    ),
  };
}

function baselineFor(config: Config | undefined, values: Options): Effective["baseline"] {
  if (values["no-baseline"]) return null;
  if (values.baseline !== undefined) return { value: values.baseline, from: word("given") };
  if (config?.baseline === undefined) return null;
  return { value: config.baseline, from: word("configuration") };
}

/** What is given is given on a command line here. */
function word(by: From): string {
  return by === "given" ? "command line" : by;
}

/** A path as somebody here would type it. */
function here(path: string): string {
  return relative(process.cwd(), path) || path;
}

/** Behind the longest id of a rule and its severity. */
const commentColumn = Math.max(...rules.map(({ id }) => `  ${id}: warning`.length));

/** A line of YAML, and who said it. */
type Line = [line: string, from?: string];

/** A configuration that says by itself all that holds for the file, with comments on where that comes from. */
function configAsYaml(effective: Effective): string {
  const { file, configuration, left_out_by, baseline, ollama, machines } = effective;
  const lines: Line[] = [
    [`# ${here(file)}`],
    [`# Configuration: ${configuration === null ? "none" : here(configuration)}`],
  ];
  if (effective.ignored) lines.push(['# Left out by "ignore" there: it is not checked.']);
  if (left_out_by !== null) {
    lines.push([`# Left out by ${here(left_out_by)} where a folder is looked through.`]);
  }
  for (const setup of effective.setups) {
    const machine = setup.machine === null ? "" : `on ${setup.machine} `;
    lines.push([`# Checked ${machine}with Ollama ${setup.ollama}`]);
  }
  if (ollama) lines.push([`ollama: ${text(ollama.value)}`, ollama.from]);
  if (machines.value.length > 0) {
    lines.push(["machines:", machines.from], ...machines.value.flatMap(machineLines));
  }
  for (const key of ["server", "models"] as const) {
    const entries = Object.entries(effective[key]);
    if (entries.length > 0) lines.push([`${key}:`]);
    for (const [name, { value, from }] of entries) {
      lines.push([`  ${/^\w+$/.test(name) ? name : text(name)}: ${text(value)}`, from]);
    }
  }
  if (baseline) lines.push([`baseline: ${text(baseline.value)}`, baseline.from]);
  lines.push([`extends: ${effective.extends.value}`, effective.extends.from], ["rules:"]);
  for (const [id, { severity, from }] of Object.entries(effective.rules)) {
    lines.push([`  ${id}: ${severity}`, from]);
  }
  const printed = lines.map(([line, from]) =>
    from === undefined ? line : `${line.padEnd(commentColumn)} # ${from}`,
  );
  return `${printed.join("\n")}\n`;
}

function machineLines(machine: MachineChoice): Line[] {
  if (typeof machine === "string") return [[`  - ${text(machine)}`]];
  const lines = profileAsYaml(machine).trimEnd().split("\n");
  return lines.map((line, index): Line => [`  ${index === 0 ? "- " : "  "}${line}`]);
}

/** A value on one line: what JSON says means the same in YAML. */
function text(value: unknown): string {
  return JSON.stringify(value);
}
