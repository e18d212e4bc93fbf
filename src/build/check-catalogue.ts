// Recomputes the parameter counts and file sizes of the whole catalogue from the models' shapes, and
// fails where they agree with the published figures less often than they did.
import { subjectOf } from "../memory/allocate.js";
import { caches } from "../memory/cache.js";
import { contextSizes } from "../memory/context.js";
import { ram } from "../memory/graph.js";
import {
  fileTensors,
  libraryModel,
  printedRange,
  projectorBytes,
  smallLayers,
  type CatalogueEntry,
  type CatalogueFile,
} from "../models/catalogue-entry.js";
import { loadCatalogue } from "../models/catalogue.js";
import { towerTensors } from "../models/architectures/towers.js";
import type { Era } from "../models/mixes.js";
import { modelTensors } from "../models/tensors.js";

/** What was reached when the catalogue was made. */
const floors = {
  countsWithin1Percent: 406,
  countsWithin1e5: 343,
  filesWithin2Percent: 338,
  defaultFilesWithin1PerMille: 323,
  printedWithin2Percent: 5957,
  cachesEqual: 407,
};

/** Tried in this order where the entry's own era does not give the printed size. */
const eras: readonly Era[] = [
  "llama-2024",
  "llama-2023",
  "llama-2026",
  "ollama-2025-05",
  "ollama-2026-01",
  "ollama-2025-04",
  "pure",
];

const { entries } = await loadCatalogue();
const failures: string[] = [];
checkCounts();
checkFiles();
checkPrinted();
checkCaches();
for (const failure of failures) console.error(failure);
process.exitCode = failures.length > 0 ? 1 : 0;

/** Elements of all tensors against the published number of parameters. */
function checkCounts(): void {
  const errors = entries.flatMap((entry) => {
    const error = countError(entry);
    return error === undefined ? [] : [{ entry, error }];
  });
  const within = errors.filter(({ error }) => error <= 0.01).length;
  const equal = errors.filter(({ error }) => error <= 1e-5).length;
  console.log(`Parameter counts: ${within} of ${errors.length} within 1 %, ${equal} within 1e-5.`);
  for (const { entry, error } of errors) {
    if (error > 0.01) console.log(`  ${entry.id}: ${percent(error)} from the published count`);
  }
  expectAtLeast("parameter counts within 1 %", within, floors.countsWithin1Percent);
  expectAtLeast("parameter counts within 1e-5", equal, floors.countsWithin1e5);
}

/** Relative distance to the nearest published count; undefined where none was published. */
function countError({ id, gguf, parameters, vision, projector }: CatalogueEntry) {
  let text = 0;
  let rotary = 0;
  for (const { name, elements } of modelTensors(gguf)) {
    text += elements;
    if (name.startsWith("rope_f")) rotary += elements;
  }
  if (text !== (parameters.text ?? parameters.total)) {
    failures.push(`${id}: the shape gives ${text} elements, the catalogue says otherwise.`);
  }
  let total = text;
  for (const tower of [vision, projector]) {
    if (tower?.kind === undefined) continue;
    for (const { elements } of towerTensors(tower)) total += elements;
  }
  const errors = parameters.published.map(
    ({ value, of }) => Math.abs((of === "text" ? text : total) - rotary - value) / value,
  );
  return errors.length > 0 ? Math.min(...errors) : undefined;
}

/** Tensor bytes and a header as large as is usual for the vocabulary, against exact file sizes. */
function checkFiles(): void {
  const files = entries.flatMap((entry) =>
    entry.tags.flatMap((file) => {
      const [tags, quantisation, , { modelBytes, variantOf } = {}] = file;
      if (modelBytes === undefined || variantOf !== undefined || quantisation === null) return [];
      const isDefault = file === entry.tags[0];
      const header = modelBytes - tensorBytes(entry, file);
      return [{ entry, tag: tags[0]!, bytes: modelBytes, isDefault, header }];
    }),
  );
  const headers = new Map<number, number[]>();
  for (const { entry, isDefault, header } of files) {
    if (!isDefault) continue;
    const vocabulary = entry.gguf.vocab_size;
    headers.set(vocabulary, [...(headers.get(vocabulary) ?? []), header]);
  }
  const judged = files.map((file) => {
    const usual = usualHeader(file.entry.gguf.vocab_size, headers);
    return { ...file, error: Math.abs(file.header - usual) / file.bytes };
  });
  const within2 = judged.filter(({ error }) => error < 0.02).length;
  const defaults = judged.filter(({ isDefault }) => isDefault);
  const close = defaults.filter(({ error }) => error < 0.001).length;
  console.log(
    `Exact file sizes: ${within2} of ${judged.length} within 2 %; ` +
      `${close} of ${defaults.length} default files within 0.1 %.`,
  );
  for (const { entry, tag, error } of judged) {
    if (error >= 0.001) console.log(`  ${entry.id} (${tag}): ${percent(error)} from the file`);
  }
  expectAtLeast("file sizes within 2 %", within2, floors.filesWithin2Percent);
  expectAtLeast("default files within 0.1 %", close, floors.defaultFilesWithin1PerMille);
}

/** The median of the same vocabulary, or of the nearest within a tenth; else 50 bytes a token. */
function usualHeader(vocabulary: number, headers: ReadonlyMap<number, readonly number[]>): number {
  let nearest: readonly number[] | undefined;
  let gap = 0.1 * vocabulary;
  for (const [other, values] of headers) {
    if (Math.abs(other - vocabulary) >= gap) continue;
    gap = Math.abs(other - vocabulary);
    nearest = values;
  }
  if (!nearest) return 50 * vocabulary;
  return nearest.toSorted((a, b) => a - b)[Math.floor(nearest.length / 2)]!;
}

/**
 * The KV cache of a long context, as memory is computed, against the elements a token that the catalogue
 * gives for blocks which see everything and for those which see a window.
 */
function checkCaches(): void {
  const context = 16_384;
  const batch = 512;
  const different: string[] = [];
  let equal = 0;
  for (const entry of entries) {
    const { id, gguf, kvCache } = entry;
    const file = entry.tags.find(([, quantisation]) => quantisation !== null) ?? entry.tags[0]!;
    const header = libraryModel(entry, file, id)?.header;
    if (!header) {
      different.push(`${id}: llama.cpp has no such model`);
      continue;
    }
    const { network } = subjectOf(header);
    const run = {
      context,
      batch,
      microBatch: batch,
      sequences: 1,
      unifiedCache: false,
      typeK: "f16",
      typeV: "f16",
      flashAttention: true,
    };
    const { cache } = caches(network, [], run, contextSizes(network, run), () => ram, true);
    const of = (key: string) => kvCache[key] ?? 0;
    const seen = gguf.sliding_window ?? gguf.attention_chunk_size ?? 0;
    const window = Math.ceil((seen + batch) / 256) * 256;
    const full = (of("kFull") + of("vFull")) * context;
    const elements = full + (of("kWindow") + of("vWindow")) * Math.min(context, window);
    // Encoders compute keys and values, and keep none.
    if (network.encodes ? cache.host === 0 : cache.host === 2 * elements) equal++;
    else different.push(`${id}: ${cache.host} bytes, and ${2 * elements} by the catalogue`);
  }
  console.log(`KV caches: ${equal} of ${entries.length} equal.`);
  for (const line of different) console.log(`  ${line}`);
  expectAtLeast("KV caches that are equal", equal, floors.cachesEqual);
}

/** The whole model as the library prints its size, by the era that comes nearest. */
function checkPrinted(): void {
  let checked = 0;
  const outside: string[] = [];
  for (const entry of entries) {
    if (!hasKnownParts(entry)) continue;
    const beside = entry.file.headerBytes + projectorBytes(entry) + smallLayers;
    for (const file of entry.tags) {
      const [tags, quantisation, size, details = {}] = file;
      if (quantisation === null || details.variantOf !== undefined) continue;
      if (tags.every((tag) => /qat|mtp|dflash/.test(tag))) continue;
      checked++;
      let least = Number.POSITIVE_INFINITY;
      for (const era of new Set([details.era ?? entry.file.era, ...eras])) {
        least = Math.min(least, distanceTo(size, tensorBytes(entry, file, era) + beside));
        if (least === 0) break;
      }
      if (least < 0.02) continue;
      outside.push(`  ${entry.id} (${tags[0]}): ${percent(least)} from the printed ${size}`);
    }
  }
  const within = checked - outside.length;
  console.log(`Printed sizes: ${within} of ${checked} within 2 %.`);
  for (const line of outside) console.log(line);
  expectAtLeast("printed sizes within 2 %", within, floors.printedWithin2Percent);
}

function hasKnownParts({ vision, projector, projectorBytes }: CatalogueEntry): boolean {
  if (vision?.kind === "opaque" && vision.params === undefined) return false;
  return !projector || projector.kind !== undefined || projectorBytes !== undefined;
}

/** How far outside the sizes that are printed so; 0 inside. */
function distanceTo(printed: string, bytes: number): number {
  const { low, high } = printedRange(printed);
  return Math.max(0, (bytes - high) / high, (low - bytes) / low);
}

function tensorBytes(entry: CatalogueEntry, file: CatalogueFile, era?: Era): number {
  const [, quantisation, , details] = file;
  const tensors = fileTensors(entry, quantisation!, era ? { ...details, era } : details);
  return tensors.reduce((sum, { bytes }) => sum + bytes, 0);
}

function expectAtLeast(what: string, count: number, least: number): void {
  if (count < least) failures.push(`Only ${count} ${what}; it was ${least}.`);
}

function percent(share: number): string {
  return `${(100 * share).toFixed(3)} %`;
}
