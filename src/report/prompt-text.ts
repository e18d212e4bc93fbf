import { createColors } from "picocolors";
import type { Span } from "../../grammar/tree.js";
import type { PromptBy, PromptDecision } from "../ollama/prompt.js";
import type { PromptFailure } from "../plan/made-prompt.js";
import { specialTokens } from "../prompt/tokens.js";
import { quoted } from "../yaml.js";
import { shownDiff } from "./diff.js";
import type { Ends } from "./spans.js";
import { paragraph, visible, type Screen } from "./terminal.js";

/** A prompt as it is reported, for all releases from one to another. */
export interface ShownPrompt {
  releases: Ends;
  decision: PromptDecision;
  prompt?: string;
  /** What TEMPLATE would make, where it does not make the prompt. */
  unused?: string;
  stop: readonly string[];
  failure?: Omit<PromptFailure, "place"> & { line?: number; column?: number };
  notes: readonly string[];
}

const makers: Readonly<Record<PromptBy, (whose: PromptDecision["whose"]) => string>> = {
  renderer: (whose) => (whose === "file" ? "RENDERER" : "a renderer of Ollama's"),
  template: (whose) => (whose === "file" ? "TEMPLATE" : "the model's own template"),
  harmony: (whose) =>
    whose === "file" ? "TEMPLATE, as harmony" : "the model's template, as harmony",
  "chat-template": () => "the model's chat template (Jinja)",
  detected: () => "what Ollama makes of the model's chat template",
  bare: () => "the messages alone, without roles",
  none: () => "nothing: the model does not chat",
  unknown: () => "not known",
};

/** The prompt and what makes it, as text. `diff`: what an unused TEMPLATE would make otherwise. */
export function promptText(shown: ShownPrompt, path: string, screen: Screen, diff = ""): string {
  const { releases, decision, prompt, stop, failure, notes } = shown;
  const colors = createColors(screen.color);
  const span = releases.from === releases.to ? releases.to : `${releases.from} - ${releases.to}`;
  const rows: [string, string][] = [
    ["why", `${decision.reason} (${decision.source})`],
    ...(stop.length > 0 ? [["stop", stop.map(quoted).join("  ")] as [string, string]] : []),
    ...notes.map((note): [string, string] => ["note", note]),
  ];
  const lines = [
    colors.bold(`Ollama ${span}: ${makers[decision.value](decision.whose)}`),
    ...rows.flatMap(([name, text]) => row(name, text, screen)),
  ];
  if (failure) {
    const at = [path, failure.line, failure.column].filter((part) => part !== undefined).join(":");
    lines.push(`${at}: ${colors.red("error")} ${visible(failureText(failure))}`);
  }
  if (prompt !== undefined) lines.push("", printed(prompt, stop, screen));
  if (diff !== "")
    lines.push("", "TEMPLATE would make:", shownDiff(diff, screen.color, true).trimEnd());
  return `${lines.join("\n")}\n`;
}

function row(name: string, text: string, screen: Screen): string[] {
  const label = `${name.padStart(6)}  `;
  const lines = paragraph(visible(text), screen, label.length);
  return lines.map((line, at) => (at === 0 ? label + line.trimStart() : line));
}

/** What fails, and when. */
export function failureText({ at, message }: Pick<PromptFailure, "at" | "message">): string {
  if (at === "create") return `ollama create fails: "${message}".`;
  if (at === "request") return `Every such request fails: "${message}".`;
  if (at === "values") return `Ollama does not take the request: ${message}`;
  return `It could not be rendered here: ${message}`;
}

/** A prompt on a screen; in colour with its special tokens, and with line ends and trailing blanks to be seen. */
function printed(prompt: string, stop: readonly string[], { color, unicode }: Screen): string {
  if (!color) return visible(prompt);
  const colors = createColors(true);
  const [lineEnd, blank] = unicode ? ["⏎", "·"] : ["\\n", "_"];
  const plain = (text: string) =>
    visible(text)
      .replaceAll(/ +(?=\n|$)/g, (blanks) => colors.inverse(blank.repeat(blanks.length)))
      .replaceAll("\n", `${colors.dim(lineEnd)}\n`);
  const parts: string[] = [];
  let at = 0;
  for (const { start, end } of spansOf(prompt, stop)) {
    parts.push(plain(prompt.slice(at, start)), colors.cyan(visible(prompt.slice(start, end))));
    at = end;
  }
  return [...parts, plain(prompt.slice(at))].join("");
}

const spansOf = (prompt: string, stop: readonly string[]): readonly Span[] =>
  specialTokens(prompt, stop);

/** What --json prints. */
export function promptJson({ releases, decision, ...shown }: ShownPrompt) {
  const { value, whose, reason, source, certain } = decision;
  const { prompt, unused, stop, notes, failure } = shown;
  return {
    version: 1,
    ollama: releases.to,
    ...(releases.from !== releases.to && { releases }),
    path: { by: value, whose, reason, source, certain },
    ...(prompt !== undefined && { prompt }),
    stop,
    ...(unused !== undefined && { template: unused }),
    ...(notes.length > 0 && { notes }),
    ...(failure && { error: failure }),
  };
}
