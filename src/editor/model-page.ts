import { formatBytes } from "../machines/sizes.js";
import { licenceName } from "../models/licence.js";
import { offloadableLayers, type Model, type ModelSource } from "../models/model.js";
import type { Plan } from "../plan/plan.js";
import { verdictText } from "../plan/in-words.js";
import { familiesOfModel } from "./family-of.js";
import { code, listed, paragraphs, plain, table } from "./markdown.js";
import { memoryTable, planOn, verdictLine } from "./plan-page.js";

const sources: Readonly<Record<ModelSource, string>> = {
  gguf: "its GGUF header",
  store: "Ollama's store",
  api: "Ollama's server",
  folder: "its safetensors",
  name: "its name alone",
  description: "the configuration",
  catalogue: "the catalogue of Ollama's library",
};

/** What is known of a model, and what becomes of it on each machine. The first machine shows its memories. */
export function modelPage(model: Model, plans: readonly Plan[] = []): string {
  const { source, exact } = model;
  const by = `known from ${sources[source]}${exact || source === "catalogue" ? "" : ", sizes estimated"}`;
  const [first, ...others] = plans;
  return paragraphs([
    `**${plain(model.name)}** ${by}`,
    modelTable(model),
    first && verdictLine(first),
    first && memoryTable(first),
    others.map((plan) => `On ${planOn(plan)}: ${verdictText(plan)}.`).join("  \n"),
  ]);
}

/** The facts of a model that choosing one rests on. */
function modelTable(model: Model): string {
  const { shape, quantisation, fileBytes, projectorBytes, capabilities, licence } = model;
  const elements = parametersOf(model);
  const title = licence === undefined ? undefined : licenceName(licence);
  const rows: readonly (readonly [string, string | undefined])[] = [
    ["architecture", [plain(shape.architecture), elements].filter(Boolean).join(", ")],
    ["quantisation", quantisation],
    ["size", sizeText(fileBytes, projectorBytes)],
    ["trained context", shape.trainedContext ? `${shape.trainedContext} tokens` : undefined],
    ["layers", `${offloadableLayers(model)}: ${shape.blocks} blocks and the output layer`],
    ["experts", shape.experts ? String(shape.experts) : undefined],
    ["template", templateText(model)],
    ["capabilities", capabilities && plain(listed(capabilities))],
    ["licence", title && plain(title)],
    ["needs", model.minOllama && `Ollama ${plain(model.minOllama)}`],
  ];
  const shown = rows.flatMap(([name, value]) => (value ? [[name, value]] : []));
  return table(["", ""], shown);
}

function sizeText(fileBytes: number, projectorBytes = 0): string {
  const projector = projectorBytes > 0 ? ` and a projector of ${formatBytes(projectorBytes)}` : "";
  return formatBytes(fileBytes) + projector;
}

function templateText(model: Model): string {
  const families = familiesOfModel(model).map(({ title }) => title);
  const kind = model.template && (model.template.language === "go" ? "Ollama's own" : "Jinja");
  const renderer = model.renderer && `renderer ${code(model.renderer)}`;
  return [listed(families, "or"), kind, renderer].filter(Boolean).join(", ");
}

/** "3.21 B parameters": elements of all tensors but RoPE's factors; undefined where tensors are not known. */
export function parametersOf({ header }: Model): string | undefined {
  if (!header || header.tensors.length === 0) return undefined;
  const elements = header.tensors
    .filter(({ name }) => !name.startsWith("rope_"))
    .reduce((sum, { dims }) => sum + dims.reduce((product, length) => product * length, 1), 0);
  return `${shortCount(elements)} parameters`;
}

/** "3.21 B", "22.6 M" */
export function shortCount(elements: number): string {
  const [size, unit] = elements >= 1e9 ? [1e9, "B"] : [1e6, "M"];
  return `${Number((elements / size).toPrecision(3))} ${unit}`;
}
