import type { Modelfile } from "../grammar/tree.js";
import type { Release } from "./facts/release.js";
import type { Directive, RuleName } from "./directives.js";
import type { Report, Severity } from "./finding.js";
import type { FileFacts } from "./models/local-files.js";
import type { Model } from "./models/model.js";
import type { Plan } from "./plan/plan.js";
import type { Secret } from "./secrets.js";

/** What is known besides the file. */
export interface Context {
  /** The Ollama release that will run the file. */
  release: Release;
  /** Texts of FROM that name something on disk, where somebody looked. */
  localFrom?: ReadonlySet<string>;
  /** What lies where FROM, ADAPTER and DRAFT point to, by their text, where somebody looked. */
  files?: ReadonlyMap<string, FileFacts>;
  /** Texts that look like keys and tokens, in order, where somebody looked. */
  secrets?: readonly Secret[];
  /** What FROM names, where that is known. */
  model?: Model;
  /** What happens on the machine, where one is named and the model is known. */
  plan?: Plan;
  /** The file's directives, after all other rules have run. */
  directives?: DirectiveUse;
}

/** What became of `# modelfile-lint-…` comments. */
export interface DirectiveUse {
  /** Those that silence nothing, where every rule that they name was run. */
  unused: readonly Directive[];
  /** Names in directives that are no rule's. */
  unknown: readonly RuleName[];
  /** All rules there are. */
  ids: readonly string[];
}

export const groups = [
  "syntax",
  "parameters",
  "references",
  "messages",
  "template",
  "memory",
  "performance",
  "releases",
  "safety",
  "style",
] as const;

/** Where somebody meets what Ollama prints: chat is any request to a model, its log included. */
export const stages = ["create", "pull", "load", "chat"] as const;

/** A text of Ollama's or llama.cpp's, as printed, with … for what varies. */
export interface Printed {
  at: (typeof stages)[number];
  text: string;
  /** The first and the last release that print it, where they are known and not the ends of what is supported. */
  from?: string;
  to?: string;
}

export interface Rule {
  /** Kebab-case; names the defect: "unknown-parameter". Also the name of the file in rules/. */
  id: string;
  group: (typeof groups)[number];
  severity: Severity;
  /** One line for lists and hovers; no full stop. */
  summary: string;
  /** Why it matters, in Markdown, with Ollama's own error text. The first sentence is shown under a finding. */
  why: string;
  /**
   * What Ollama or llama.cpp prints where this defect meets it: an error, or a line of the server's log. What
   * `ollama create` says of the examples is reproduced and need not stand here.
   */
  says?: readonly Printed[];
  /**
   * The model is looked up only for rules that need it, the plan only where a machine is named. Rules that
   * look at directives run behind all others, and nothing silences them.
   */
  needs?: "model" | "plan" | "directives";
  /** A matter of taste or of policy: off, unless a configuration names the rule or extends strict. */
  optional?: true;
  /** The rule looks only at files with one of these parameters. */
  about?: readonly string[];
  examples: readonly Example[];
  check(file: Modelfile, context: Context): Iterable<Report>;
}

/** A Modelfile that the rule finds something in, once. It is the rule's test and its documentation. */
export interface Example {
  bad: string;
  /** The file after the rule's fix, or after its first suggestion; the rule finds nothing in it. */
  good?: string;
  message: string;
  severity?: Severity;
  /** Everything else the example stands on, as in a configuration. */
  ollama?: string;
  /** A preset's name or a profile in YAML. */
  machine?: string;
  models?: Readonly<Record<string, { like: string; weights?: number }>>;
  /**
   * Files beside the Modelfile by the name in FROM: the text of one, or the keys that matter of a small
   * GGUF file's header.
   */
  files?: Readonly<
    Record<string, string | Readonly<Record<string, string | number | boolean | readonly string[]>>>
  >;
  /** Rules that find something in `bad` besides, by nature of the defect. */
  also?: readonly string[];
  /** Where Ollama fails, when the text alone does not make `ollama create` refuse the file. */
  fails?: "create" | "load" | "chat";
}

/** Gives rule files type checking and inference. */
export const rule = (definition: Rule): Rule => definition;
