import process from "node:process";
import { formatBytes } from "../machines/sizes.js";
import { nearestCatalogueNames } from "../models/catalogue.js";
import { offloadableLayers, type Model, type PerBlock } from "../models/model.js";
import { resolveModel } from "../models/resolve.js";
import { nodeHost } from "../node-host.js";
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
    host: nodeHost,
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
    values.json ? `${JSON.stringify(found.model, undefined, 2)}\n` : described(found.model),
  );
  return 0;
}

function described(model: Model): string {
  const { shape, weights } = model;
  const sources = {
    gguf: "GGUF header",
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
    ["file", `${model.fileBytes} bytes (${formatBytes(model.fileBytes)})`],
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
    ["stop", model.stop?.join("  ")],
    ["capabilities", model.capabilities?.join(", ")],
  ];
  const shown = rows.filter(([, value]) => value !== undefined && value !== "");
  const lines = shown.map(([name, value]) => `  ${name.padEnd(16)} ${value}`);
  return `${model.name}\n${lines.join("\n")}\n`;
}

function perBlock(value: PerBlock): string {
  if (typeof value === "number") return `${value}`;
  const distinct = [...new Set(value)].sort((a, b) => a - b);
  return distinct.length === 1 ? `${distinct[0]}` : `${distinct[0]} to ${distinct.at(-1)}`;
}
