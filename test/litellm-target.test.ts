import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { litellm } from "../src/compile/litellm.js";
import { openai } from "../src/compile/openai.js";
import type { Source, Target } from "../src/compile/target.js";
import { catalogueModel } from "../src/models/catalogue.js";
import { card, computer, modelOf } from "./loads.js";
import { sourceOf } from "./source-of.js";

function compiled(target: Target, source: Source) {
  const made = target.compile(source);
  if ("refused" in made) throw new Error(made.refused);
  expect(made.texts).toHaveLength(1);
  return { text: made.texts[0]!.text, notes: made.notes.map(({ message }) => message) };
}

interface Entry {
  model_name: string;
  litellm_params: Record<string, unknown>;
  model_info: Record<string, unknown>;
}

function entryOf(source: Source): Entry {
  const { model_list } = parse(compiled(litellm, source).text) as { model_list: [Entry] };
  return model_list[0];
}

interface Client {
  base_url: string;
  model: string;
  defaults: Record<string, unknown>;
}

function clientOf(source: Source): Client {
  return JSON.parse(compiled(openai, source).text) as Client;
}

const nasty = fc.string({ unit: "binary", minLength: 1, maxLength: 20 });
const wellFormed = (text: string) => text.replaceAll(/\p{Cs}/gu, "\ufffd");

function baseAt(host: string): unknown {
  return entryOf(sourceOf("FROM x", "0.32.15", { server: { OLLAMA_HOST: host } })).litellm_params[
    "api_base"
  ];
}

describe("litellm", () => {
  test("leads the name to Ollama, with the values that the Modelfile sets", () => {
    const text = `FROM llama3
PARAMETER temperature 0.2
PARAMETER num_predict 300
PARAMETER num_ctx 8192
PARAMETER stop "<a>"
PARAMETER stop "<b>"
`;
    expect(entryOf(sourceOf(text, "0.32.15", { name: "mine" }))).toEqual({
      model_name: "mine",
      litellm_params: {
        model: "ollama_chat/mine",
        api_base: "http://localhost:11434",
        temperature: 0.2,
        stop: ["<a>", "<b>"],
        max_tokens: 300,
        num_ctx: 8192,
      },
      model_info: {
        mode: "chat",
        max_input_tokens: 8192,
        max_output_tokens: 300,
        input_cost_per_token: 0,
        output_cost_per_token: 0,
      },
    });
  });

  test("says what the model can do, and the context that Ollama gives it", async () => {
    const model = await catalogueModel("llama3.1:8b");
    const machine = computer({ gpus: [card()] });
    const source = sourceOf("FROM llama3.1:8b\nPARAMETER num_ctx 500000", "0.32.15", {
      model: model!,
      machine,
    });
    expect(source.plan!.context.effective).toBe(131072);
    expect(entryOf(source).model_info).toMatchObject({
      max_input_tokens: 131072,
      supports_function_calling: true,
      supports_vision: false,
    });
  });

  test("of a model that embeds is an embedding", () => {
    const model = modelOf({ embeddingOnly: true, embedding: 768 });
    const { litellm_params, model_info } = entryOf(
      sourceOf("FROM x\nPARAMETER temperature 1", "0.32.15", { model }),
    );
    expect(litellm_params).toEqual({ model: "ollama/test", api_base: "http://localhost:11434" });
    expect(model_info).toMatchObject({ mode: "embedding", output_vector_size: 768 });
  });

  test("goes where OLLAMA_HOST says, and prints no password", () => {
    expect(baseAt("0.0.0.0:8080")).toBe("http://127.0.0.1:8080");
    expect(baseAt("https://example.com/ollama/")).toBe("https://example.com:443/ollama");
    expect(baseAt("http://me:secret@example.com")).toBe("http://localhost:11434");
  });

  test("leaves out what LiteLLM sends as something else, with a note", () => {
    const text = "FROM x\nPARAMETER frequency_penalty 0.5\nPARAMETER min_p 0.1\n";
    const source = sourceOf(text, "0.32.15");
    expect(Object.keys(entryOf(source).litellm_params)).toEqual(["model", "api_base"]);
    const { notes } = compiled(litellm, source);
    expect(
      notes.some((note) => note.startsWith("LiteLLM sends frequency_penalty as repeat_penalty")),
    ).toBe(true);
    expect(notes.some((note) => note.startsWith("LiteLLM knows no min_p"))).toBe(true);
  });

  test("keeps every text as it is", () => {
    fc.assert(
      fc.property(nasty, nasty, (name, stop) => {
        const source = sourceOf("FROM x\nPARAMETER stop x", "0.32.15", { name });
        const commands = source.commands.map((command) =>
          command.name === "stop" ? { ...command, args: stop } : command,
        );
        const entry = entryOf({ ...source, commands });
        expect(entry.model_name).toBe(wellFormed(name));
        const sent = entry.litellm_params["stop"];
        if (sent !== undefined) expect(sent).toEqual([wellFormed(stop)]);
      }),
      { numRuns: 200 },
    );
  });
});

describe("openai", () => {
  test("sends what the Modelfile sets, and always temperature and top_p", () => {
    const text = `FROM x
PARAMETER temperature 0.20
PARAMETER num_predict 300
PARAMETER seed 9007199254740993
PARAMETER stop "<a>"
PARAMETER presence_penalty 0.5
`;
    const { text: json } = compiled(openai, sourceOf(text, "0.32.15", { name: "mine" }));
    expect(JSON.parse(json)).toMatchObject({
      base_url: "http://localhost:11434/v1",
      api_key: "ollama",
      model: "mine",
      defaults: {
        temperature: 0.2,
        top_p: 0.9,
        max_tokens: 300,
        stop: ["<a>"],
        presence_penalty: 0.5,
      },
    });
    expect(json).toContain('"seed": 9007199254740993');
  });

  test("sends what the model brings where /v1 would say otherwise", () => {
    const model = modelOf({}, { parameters: { temperature: 0, top_p: 0.5, stop: ["<end>"] } });
    const { defaults } = clientOf(sourceOf("FROM x", "0.32.15", { model }));
    expect(defaults).toEqual({ temperature: 0, top_p: 0.5 });
  });

  test("says what /v1 has no field for", () => {
    const text = "FROM x\nPARAMETER num_ctx 8192\nPARAMETER top_k 3\n";
    const { notes } = compiled(openai, sourceOf(text, "0.32.15"));
    expect(notes.some((note) => note.includes("without temperature or top_p"))).toBe(true);
    expect(notes.some((note) => note.startsWith("/v1 has no field for num_ctx"))).toBe(true);
    expect(notes.some((note) => note.startsWith("/v1 has no field for top_k"))).toBe(true);
    expect(notes).toContain("Prompt and answer together may have 8192 tokens.");
  });

  test("halves what an old release doubles", () => {
    const text = "FROM x\nPARAMETER temperature 0.8\nPARAMETER top_p 0.4";
    expect(clientOf(sourceOf(text, "0.3.0")).defaults).toEqual({ temperature: 0.4, top_p: 0.4 });
    expect(clientOf(sourceOf(text, "0.4.0")).defaults).toEqual({ temperature: 0.8, top_p: 0.4 });
    const unsure = compiled(openai, sourceOf(text, "0.3.5")).notes;
    expect(unsure.some((note) => note.endsWith("is not known here."))).toBe(true);
  });

  test("sets no limit where Ollama has none, and nothing for embeddings", () => {
    const { defaults } = clientOf(sourceOf("FROM x\nPARAMETER num_predict -1", "0.32.15"));
    expect(defaults).not.toHaveProperty("max_tokens");
    const model = modelOf({ embeddingOnly: true });
    expect(clientOf(sourceOf("FROM x", "0.32.15", { model })).defaults).toEqual({});
  });

  test("keeps every text as it is", () => {
    fc.assert(
      fc.property(nasty, (name) => {
        expect(clientOf(sourceOf("FROM x", "0.32.15", { name })).model).toBe(name);
      }),
      { numRuns: 200 },
    );
  });
});
