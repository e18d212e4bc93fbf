/** What numbers mean to a parameter. */
interface Meaning {
  range: string;
  /** Values with a meaning of their own, as they are offered. */
  values: readonly (readonly [text: string, meaning: string])[];
}

/**
 * Ranges and special values: src/llama-sampler.cpp of llama.cpp for sampling; api/types.go DefaultOptions, llm/server.go
 * and llm/llama_server.go of Ollama for the others.
 */
const meanings: Readonly<Record<string, Meaning>> = {
  num_ctx: { range: "4 and more; less becomes 4", values: [] },
  num_batch: {
    range: "1 and more",
    values: [
      ["128", "small compute buffers, slow prompts"],
      ["256", "smaller compute buffers"],
      ["512", "usual"],
      ["1024", "faster prompts, larger compute buffers"],
      ["2048", "fastest prompts, largest compute buffers"],
    ],
  },
  num_gpu: { range: "-1, or 0 up to all layers", values: [] },
  main_gpu: { range: "0 up to the last GPU", values: [] },
  num_thread: { range: "0 up to the physical cores", values: [["0", "Ollama counts the cores"]] },
  draft_num_predict: {
    range: "0 and more",
    values: [
      ["0", "no drafting"],
      ["4", "usual"],
      ["8", "more, where drafts are mostly accepted"],
    ],
  },
  num_keep: { range: "0 up to num_ctx, or -1: the whole prompt", values: [["4", "usual"]] },
  seed: {
    range: "any whole number",
    values: [
      ["-1", "another one for every request"],
      ["42", "the same answer to the same prompt"],
    ],
  },
  num_predict: {
    range: "1 and more, or -1",
    values: [
      ["-1", "up to ten times num_ctx"],
      ["256", "short answers"],
      ["1024", "longer ones"],
      ["4096", "long ones, such as with thinking"],
    ],
  },
  temperature: {
    range: "0 and above",
    values: [
      ["0", "always the likeliest token"],
      ["0.2", "close to the likeliest"],
      ["0.7", "some variety"],
      ["1", "as the model was trained"],
    ],
  },
  top_k: {
    range: "any whole number",
    values: [
      ["0", "off: all tokens"],
      ["1", "the likeliest token alone"],
      ["20", "narrow"],
      ["40", "usual"],
      ["100", "wide"],
    ],
  },
  top_p: {
    range: "0 to 1",
    values: [
      ["1", "off"],
      ["0.95", "wide"],
      ["0.9", "usual"],
      ["0.5", "narrow"],
    ],
  },
  min_p: {
    range: "0 to 1",
    values: [
      ["0", "off"],
      ["0.05", "drops what is unlikely"],
      ["0.1", "drops more"],
    ],
  },
  typical_p: {
    range: "0 to 1",
    values: [
      ["1", "off"],
      ["0.9", "on"],
    ],
  },
  repeat_last_n: {
    range: "0 and more, or -1",
    values: [
      ["0", "off"],
      ["64", "usual"],
      ["-1", "the whole context"],
    ],
  },
  repeat_penalty: {
    range: "above 0",
    values: [
      ["1", "off"],
      ["1.1", "mild"],
      ["1.3", "strong"],
    ],
  },
  presence_penalty: {
    range: "any number",
    values: [
      ["0", "off"],
      ["1.5", "strong"],
    ],
  },
  frequency_penalty: {
    range: "any number",
    values: [
      ["0", "off"],
      ["0.5", "mild"],
    ],
  },
  mirostat: {
    range: "0, 1 or 2",
    values: [
      ["0", "off"],
      ["1", "Mirostat"],
      ["2", "Mirostat 2.0"],
    ],
  },
};

export function rangeOf(parameter: string): string | undefined {
  return meanings[parameter]?.range;
}

export function specialValues(parameter: string): Meaning["values"] {
  return meanings[parameter]?.values ?? [];
}
