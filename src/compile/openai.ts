import { since } from "../facts/release.js";
import { contextOf, madeNote, ollamaAddress, unsentNotes } from "./api-client.js";
import { jsonText, type Json } from "./json-text.js";
import { notesOn } from "./notes.js";
import { parametersInForce, type InForce } from "./parameters-in-force.js";
import type { Compiled, Note, Source, Target } from "./target.js";

/** What a client of OpenAI's API needs for /v1 of Ollama: address, name, and what it has to send. */
export const openai: Target = {
  id: "openai",
  summary: "what a client of OpenAI's API needs: address, model, and the defaults of its requests",
  compile,
};

type Parameters = ReadonlyMap<string, InForce>;

/** Fields of a request that become options (openai/openai.go FromChatRequest). */
const sentAs: Readonly<Record<string, string>> = {
  temperature: "temperature",
  top_p: "top_p",
  num_predict: "max_tokens",
  seed: "seed",
  stop: "stop",
  frequency_penalty: "frequency_penalty",
  presence_penalty: "presence_penalty",
};

/**
 * A request without these two is taken to say 1 (FromChatRequest in every release up to the newest known; ollama
 * #17744), so that they are sent also where the model brings them, or nobody does.
 */
const alwaysSent: ReadonlySet<string> = new Set(["temperature", "top_p"]);

function compile(source: Source): Compiled {
  const { name, model } = source;
  const parameters = parametersInForce(source);
  const embeds = model?.shape.embeddingOnly === true;
  const defaults = embeds ? {} : requestDefaults(source, parameters);
  const client: Json = {
    base_url: `${ollamaAddress(source)}/v1`,
    // Clients insist on one; Ollama does not look at it.
    api_key: "ollama",
    model: name,
    defaults,
  };
  return {
    texts: [{ path: "client.json", text: jsonText(client) }],
    notes: [madeNote(source), ...(embeds ? [] : requestNotes(source, parameters))],
  };
}

function requestDefaults(source: Source, parameters: Parameters): Record<string, Json> {
  const own = Object.entries(sentAs).flatMap(([name, field]): [string, Json][] => {
    const { texts = [], from } = parameters.get(name) ?? {};
    const last = texts.at(-1);
    if (last === undefined || (from !== "file" && !alwaysSent.has(name))) return [];
    if (name === "stop") return [[field, texts]];
    // Beyond JSON's numbers, or no limit at all.
    if (!/^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i.test(last)) return [];
    if (name === "num_predict" && Number(last) <= 0) return [];
    return [[field, { digits: scaled(source, name, last) }]];
  });
  return Object.fromEntries(own);
}

const doubled: ReadonlySet<string> = new Set([
  "temperature",
  "frequency_penalty",
  "presence_penalty",
]);

/** Up to 0.3.0 Ollama takes these twice (openai/openai.go fromChatRequest); 0.4.0 does not. */
function scaled({ release }: Source, name: string, digits: string): string {
  return doubled.has(name) && !since(release, "0.3.1") ? String(Number(digits) / 2) : digits;
}

function scaleNotes({ release }: Source): Note[] {
  if (since(release, "0.4.0")) return [];
  const message = since(release, "0.3.1")
    ? "Ollama 0.3.0 takes temperature and penalties twice, and 0.4.0 does not: whether this release does is not known here."
    : `Ollama ${release.version} takes temperature and penalties twice, so that the half of them is sent.`;
  return [{ message }];
}

function requestNotes(source: Source, parameters: Parameters): Note[] {
  const context = contextOf(source, parameters);
  const own = notesOn(
    source,
    "num_ctx",
    "/v1 has no field for num_ctx: it counts by the model that ollama create makes, and by that alone.",
  );
  const length =
    context === undefined
      ? []
      : [{ message: `Prompt and answer together may have ${context} tokens.` }];
  const message =
    "A request to /v1 without temperature or top_p is taken to say 1, whatever the Modelfile says (ollama #17744): send the defaults each time.";
  const sent = new Set([...Object.keys(sentAs), "num_ctx"]);
  return [
    { message },
    ...scaleNotes(source),
    ...own.slice(0, 1),
    ...length,
    ...unsentNotes(source, sent, unsent),
  ];
}

function unsent(name: string): string {
  return `/v1 has no field for ${name}: it counts by the model that ollama create makes.`;
}
