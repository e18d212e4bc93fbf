import process from "node:process";
import { formatBytes } from "../machines/sizes.js";
import { nearestCatalogueNames } from "../models/catalogue.js";
import { offloadableLayers, type Model, type PerBlock, type Tokenizer } from "../models/model.js";
import { resolveModel } from "../models/resolve.js";
import { nodeHost, onlineHost } from "../node-host.js";
import { quoted } from "../yaml.js";
import { UsageError, type Options } from "./options.js";
import { setupsFor } from "./setup.js";

/** What is known of a model, and from where. */
export async function model(values: Options, operands: string[]): Promise<number> {
  const [reference, ...more] = operands;
  if (reference === undefined || more.length > 0)
    throw new UsageError("model takes one name or path. See --help.");
  const setups = await setupsFor("Modelfile", values);
  const setup = setups === "ignored" ? undefined : setups[0];
  const found = await resolveModel(reference, {
    folder: nodeHost.resolve(process.cwd(), "."),
    host: values.online ? onlineHost : nodeHost,
    models: setup?.models ?? new Map(),
    modelsFolder: setup?.modelsFolder ?? process.cwd(),
  });
  if (!("model" in found)) {
    const near = await nearestCatalogueNames(reference, 3);
    const hint =
      near.length > 0 ? ` Did you mean ${near.map((name) => `"${name}"`).join(", ")}?` : "";
    throw new UsageError(found.unknown + hint);
  }
  process.stdout.write(
    values.json ? `${JSON.stringify(asJson(found.model), undefined, 2)}\n` : described(found.model),
  );
  return 0;
}

/** All but the long tables: a model has thousands of tensors. */
function asJson({ header, adapters, ...model }: Model) {
  return {
    ...model,
    ...(adapters && { adapters: adapters.map(({ bytes }) => ({ bytes })) }),
    ...(header && {
      header: { keys: Object.fromEntries(header.keys), tensors: header.tensors.length },
    }),
  };
}

function described(model: Model): string {
  const { shape, weights, tokenizer, template, adapters } = model;
  const sources = {
    gguf: "GGUF header",
    store: "Ollama's store",
    api: "Ollama's server",
    folder: "safetensors folder",
    name: "the name alone",
    description: "description in the configuration",
    catalogue: "embedded catalogue",
  };
  const blocks = [...weights.blocks].sort((a, b) => a - b);
  const rows: [string, string | undefined][] = [
    ["source", `${sources[model.source]}${model.exact ? "" : ", sizes not exact"}`],
    ["architecture", shape.architecture],
    ["layers", `${offloadableLayers(model)} (${shape.blocks} blocks and the output layer)`],
    [
      "trained context",
      shape.trainedContext === undefined ? undefined : `${shape.trainedContext} tokens`,
    ],
    [
      "heads",
      `${perBlock(shape.heads)}, KV ${perBlock(shape.headsKv)}, key ${shape.keyLength}, value ${shape.valueLength}`,
    ],
    ["embedding", `${shape.embedding}, vocabulary ${shape.vocabulary}`],
    ["experts", shape.experts === undefined ? undefined : `${shape.experts}`],
    ["quantisation", model.quantisation],
    ["file", fileText(model)],
    ["weights", `${weights.total} bytes (${formatBytes(weights.total)})`],
    [
      "a block",
      blocks.length > 0
        ? `${formatBytes(blocks[0]!)} to ${formatBytes(blocks.at(-1)!)}`
        : undefined,
    ],
    ["output layer", formatBytes(weights.output + weights.outputNorm)],
    ["input embedding", formatBytes(weights.input)],
    [
      "projector",
      model.projectorBytes === undefined ? undefined : formatBytes(model.projectorBytes),
    ],
    ["adapters", adapters?.map(({ bytes }) => formatBytes(bytes)).join(", ")],
    ["tokenizer", tokenizer && tokenizerText(tokenizer)],
    ["template", template && templateText(template)],
    ["renderer", model.renderer],
    ["parser", model.parser],
    ["system", model.system && quoted(model.system)],
    ["stop", model.stop?.map(quoted).join("  ")],
    ["parameters", parametersText(model)],
    ["capabilities", model.capabilities?.join(", ")],
    ["licence", model.licence && plain(model.licence)],
    ["needs Ollama", model.minOllama],
    ...(model.origins ?? []).map(({ facts, from, exact }, at): [string, string] => [
      at === 0 ? "known from" : "",
      `${plain(from)}${exact ? "" : ", not exact"}: ${facts.join(", ")}`,
    ]),
  ];
  const shown = rows.filter(([, value]) => value !== undefined && value !== "");
  const lines = shown.map(([name, value]) => `  ${name.padEnd(16)} ${value}`);
  return `${model.name}\n${lines.join("\n")}\n`;
}

function fileText({ fileBytes, truncated }: Model): string {
  const whole = `${fileBytes} bytes (${formatBytes(fileBytes)})`;
  return truncated ? `${whole}, of which ${truncated.actual} are there` : whole;
}

function tokenizerText({ model, pre, tokens, addsBos }: Tokenizer): string {
  const kind = [model, pre].filter((part) => part !== undefined).map(plain);
  return [
    ...(kind.length > 0 ? [kind.join("/")] : []),
    `${tokens} tokens`,
    ...(addsBos ? ["adds a beginning-of-sequence token"] : []),
  ].join(", ");
}

function templateText({ text, language }: NonNullable<Model["template"]>): string {
  return `${language === "go" ? "Ollama's (Go)" : "in the header (Jinja)"}, ${text.length} characters`;
}

/** What the parameters layer sets besides stop strings. */
function parametersText({ parameters = {} }: Model): string {
  const others = Object.entries(parameters).filter(([name]) => name !== "stop");
  return others.map(([name, value]) => `${name} ${plain(JSON.stringify(value))}`).join(", ");
}

/** A file's text in one line of the terminal. */
function plain(text: string): string {
  const line = text.replace(/[\s\0-\x1f\x7f-\x9f\u2028\u2029]+/g, " ").trim();
  return line.length > 100 ? `${line.slice(0, 99)}…` : line;
}

function perBlock(value: PerBlock): string {
  if (typeof value === "number") return `${value}`;
  const distinct = [...new Set(value)].sort((a, b) => a - b);
  return distinct.length === 1 ? `${distinct[0]}` : `${distinct[0]} to ${distinct.at(-1)}`;
}
