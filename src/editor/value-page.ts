import type { Instruction, Message } from "../../grammar/tree.js";
import { builtInSince, builtInStanding } from "../facts/instructions.js";
import { docsUrl, modelfileUrl } from "../facts/pages.js";
import { knownReleases } from "../facts/release.js";
import { licenceName } from "../models/licence.js";
import { requiredRelease } from "../ollama/needed-release.js";
import { neededLine } from "./instruction-page.js";
import { link, paragraphs, plain } from "./markdown.js";
import type { View } from "./view.js";

const roles: ReadonlyMap<string, string> = new Map([
  ["system", "An instruction to the model, as SYSTEM has it, at this place of the conversation."],
  ["user", "What the user says."],
  ["assistant", "What the model answers: an example for it to follow."],
]);

/** Who speaks in a MESSAGE. */
export function rolePage({ role }: Message): string | undefined {
  const summary = roles.get(role);
  const reference = link("Reference", modelfileUrl("MESSAGE"));
  return summary && paragraphs([`**${role}**: ${summary}`, reference]);
}

/** The value of RENDERER or PARSER. */
export function builtInPage(
  view: View,
  kind: "RENDERER" | "PARSER",
  name: string,
): string | undefined {
  const { release } = view.contexts[0];
  const first = builtInSince(kind, name);
  if (first === undefined) return undefined;
  const standing = builtInStanding(kind, name, release);
  const what = kind === "RENDERER" ? "Makes the prompt" : "Reads the answer";
  return paragraphs([
    `**${plain(name)}**: since Ollama ${first}`,
    `${what} by code in Ollama${kind === "RENDERER" ? ", instead of TEMPLATE" : ""}.`,
    standing.is === "too-new" ? `Ollama ${release.version} does not have it yet.` : undefined,
    standing.is === "gone" ? `It is gone since Ollama ${standing.release}.` : undefined,
    link("How a prompt comes about", docsUrl("templates")),
  ]);
}

/** The value of REQUIRES. */
export function requiresPage(
  { file, contexts: [{ release }] }: View,
  node: Instruction,
): string | undefined {
  const required = requiredRelease(node);
  if (!required) return undefined;
  const newer = knownReleases(required.order, Number.POSITIVE_INFINITY).length;
  const asked =
    required.order > release.order ? `newer than ${release.version}, which runs this file` : "";
  return paragraphs([
    `**Ollama ${plain(required.version)}**${asked && `: ${asked}`}`,
    "Shown to whoever pulls the model; nothing enforces it.",
    newer === 0 ? "No such release is known." : undefined,
    neededLine(file),
    link("Reference", modelfileUrl("REQUIRES")),
  ]);
}

/** The value of LICENSE. */
export function licencePage(text: string): string | undefined {
  const name = licenceName(text);
  return name && paragraphs([`**${plain(name)}**`, "Kept with the model; each LICENSE adds one."]);
}
