import { parseReference } from "../../grammar/model-name.js";
import { docsUrl, modelfileUrl } from "../facts/pages.js";
import { modelReferences } from "../lint.js";
import { formatBytes } from "../machines/sizes.js";
import { numberAt, textAt } from "../models/header.js";
import type { Content, FileFacts } from "../models/local-files.js";
import type { Model } from "../models/model.js";
import { fromsOf } from "../ollama/from.js";
import type { Context } from "../rule.js";
import { instructionsNamed } from "../../grammar/tree.js";
import { code, count, link, listed, paragraphs, plain } from "./markdown.js";
import { modelPage } from "./model-page.js";
import type { View } from "./view.js";

/** What is known of what FROM, ADAPTER or DRAFT names. */
export function referencePage(
  view: View,
  keyword: "FROM" | "ADAPTER" | "DRAFT",
  text: string,
): string | undefined {
  if (text === "") return undefined;
  const { contexts } = view;
  const [context] = contexts;
  const facts = context.files?.get(text);
  const model = modelOf(view, keyword, text);
  if (model && keyword === "FROM") {
    const plans = contexts.flatMap(({ plan }) => (plan ? [plan] : []));
    const page = plans.length > 0 ? docsUrl("memory") : modelfileUrl("FROM");
    return paragraphs([
      modelPage(model, plans),
      link(plans.length > 0 ? "How memory is used" : "Reference", page),
    ]);
  }
  const known =
    keyword === "FROM"
      ? unknownModel(view, text)
      : keyword === "DRAFT" && model
        ? modelPage(model)
        : adapterLine(view, keyword, text);
  return paragraphs([
    facts ? fileLine(text, facts) : `**${plain(text)}**`,
    known,
    link("Reference", modelfileUrl(keyword)),
  ]);
}

/** The model that the context holds, where this text is the one that it was found by. */
function modelOf(
  { file, contexts: [{ model }] }: View,
  keyword: string,
  text: string,
): Model | undefined {
  if (!model) return undefined;
  if (keyword === "DRAFT") {
    const [first] = instructionsNamed(file, "DRAFT");
    return first?.value?.text === text ? model.draft : undefined;
  }
  if (keyword !== "FROM") return undefined;
  const texts = [...new Set(modelReferences(file))];
  const byName = texts.find((one) => one === model.name);
  return (byName ?? texts[0]) === text ? model : undefined;
}

const contents: Readonly<Record<Content, string>> = {
  gguf: "a GGUF file",
  ggml: "a file in one of the formats before GGUF",
  safetensors: "safetensors",
  "git-lfs-pointer": "a Git LFS pointer: the file itself was not downloaded",
  html: "a web page",
  pytorch: "a PyTorch checkpoint",
  zip: "a ZIP archive",
  empty: "an empty file",
  other: "a file of no known kind",
};

function fileLine(text: string, facts: FileFacts): string {
  const name = `**${plain(text)}**`;
  switch (facts.kind) {
    case "missing":
      return facts.nearby ? `${name}: there is no such file.` : `${name}: there is no such folder.`;
    case "folder":
      return `${name}: a folder with ${count(facts.names.length, "file")}.`;
    default:
      return `${name}: ${contents[facts.content]}.`;
  }
}

/** Why nothing is known of a model. */
function unknownModel({ file, contexts: [context] }: View, text: string): string {
  const { model, localFrom, release } = context;
  if (model) return `Not what the model is made of: that is ${code(model.name)}.`;
  const from = fromsOf(file, localFrom).find((one) => one.text === text);
  if (from?.kind === "file") return reasonOf(context, text);
  const parsed = parseReference(text);
  if (!parsed.ok) return `No model's name: Ollama ${release.version} says ${code(parsed.error)}.`;
  if (parsed.source === "cloud") return "It runs in Ollama's cloud, not on this machine.";
  return "Nothing is known of this model: neither the store nor the catalogue of Ollama's library has it, or nobody has looked yet. `models:` in the configuration says what it is.";
}

function reasonOf({ files }: Context, text: string): string {
  const facts = files?.get(text);
  if (!facts) return "Nothing is known of it: nobody has looked at the file yet.";
  if (facts.kind === "missing") {
    const near = facts.nearby?.filter((name) => /\.(?:gguf|safetensors)$/i.test(name)).slice(0, 5);
    return near && near.length > 0
      ? `In its folder: ${listed(near.map((name) => code(name)))}.`
      : "";
  }
  if (facts.kind === "file" && facts.content !== "gguf")
    return "It holds no model that can be read.";
  return "Nothing is known of the model in it.";
}

/** Size and kind of an adapter, where there is only one, so that it is sure which. */
function adapterLine(
  { file, contexts: [{ model }] }: View,
  keyword: string,
  text: string,
): string | undefined {
  const named = new Set(instructionsNamed(file, "ADAPTER").map(({ value }) => value?.text));
  const [adapter, ...others] = model?.adapters ?? [];
  if (keyword !== "ADAPTER" || !adapter || others.length > 0 || named.size !== 1) return undefined;
  if (!named.has(text)) return undefined;
  const { bytes, header } = adapter;
  const architecture = header && textAt(header, "general.architecture");
  const alpha = header && numberAt(header, "adapter.lora.alpha");
  const parts = [
    `${formatBytes(bytes)}, loaded with the model`,
    ...(architecture === undefined ? [] : [`made for ${plain(architecture)}`]),
    ...(alpha === undefined ? [] : [`alpha ${alpha}`]),
  ];
  return `${parts.join(", ")}.`;
}
