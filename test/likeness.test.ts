import { describe, expect, test } from "vitest";
import { catalogueModel } from "../src/models/catalogue.js";
import { likelyModel } from "../src/models/likeness.js";

/** "llama3.3:70b Q4_K_M", or undefined. */
async function like(reference: string): Promise<string | undefined> {
  const model = await likelyModel(reference);
  if (!model) return undefined;
  expect(model).toMatchObject({ name: reference, source: "name", exact: false });
  const [origin] = model.origins!;
  return `${origin!.from.replace("likeness of ", "")} ${model.quantisation}`;
}

describe("a name makes likely", () => {
  test.each([
    ["hf.co/bartowski/Llama-3.3-70B-Instruct-GGUF:Q4_K_M", "llama3.3:70b Q4_K_M"],
    ["hf.co/bartowski/Llama-3.3-70B-Instruct-GGUF", "llama3.3:70b Q4_K_M"],
    ["https://huggingface.co/bartowski/Llama-3.3-70B-Instruct-GGUF:IQ4_XS", "llama3.3:70b IQ4_XS"],
    ["hf.co/unsloth/Qwen3-30B-A3B-GGUF:UD-Q4_K_XL", "qwen3:30b Q4_K_M"],
    ["sunny-g/deepseek-v3-0324:ud-q2_k_xl", "deepseek-v3:671b Q2_K"],
    ["huihui_ai/llama3.2-abliterate:3b-q8_0", "llama3.2:3b Q8_0"],
    ["mannix/llama3.1-8b-abliterated:q5_K_M", "llama3.1:8b Q5_K_M"],
    ["qcwind/qwen2.5-7B-instruct-Q4_K_M:latest", "qwen2.5:7b Q4_K_M"],
    ["deepseek-coder-v2-lite-instruct:q8_0", "deepseek-coder-v2:16b Q8_0"],
    ["sammcj/devstral-small-24b-2505-ud:128k-q4_k_xl", "devstral:24b Q4_K_M"],
    ["hf.co/unsloth/Llama-4-Scout-17B-16E-Instruct-GGUF:Q4_K_M", "llama4:16x17b Q4_K_M"],
    ["hf.co/unsloth/gemma-3n-E4B-it-GGUF:Q8_0", "gemma3n:e4b Q8_0"],
    ["hf.co/x/SmolLM2-135M-Instruct-GGUF", "smollm2:135m Q4_K_M"],
    ["hf.co/TheBloke/Mixtral-8x7B-Instruct-v0.1-GGUF:Q3_K_L", "mixtral:8x7b Q3_K_L"],
    ["hf.co/ibm-granite/granite-4.0-h-tiny-GGUF", "granite4:7b-a1b-h Q4_K_M"],
    ["gemma4-26b-a4b-it-qat", "gemma4:26b Q4_0"],
    ["hf.co/unsloth/gpt-oss-20b-GGUF:F16", "gpt-oss:20b MXFP4"],
    ["hf.co/nomic-ai/nomic-embed-text-v1.5-GGUF", "nomic-embed-text:latest F16"],
    ["../Qwen3-32B-128K-UD-Q6_K_XL.gguf", "qwen3:32b Q6_K"],
    ["C:\\models\\Mistral-Small-3.2-24B-Instruct-2506-Q5_K_S.gguf", "mistral-small3.2:24b Q5_K_S"],
    ["/models/phi-2.Q6_K.gguf", "phi:2.7b Q6_K"],
    ["qwen3-coder:30b-q4_K_M", "qwen3-coder:30b Q4_K_M"],
    ["deepseek-r1:671b-8k", "deepseek-r1:671b Q4_K_M"],
  ])("%s: %s", async (reference, expected) => {
    expect(await like(reference)).toBe(expected);
  });

  test.each([
    ["words of a family anywhere", "hf.co/x/Hermes-3-Llama-3.1-8B-GGUF", "hermes3:8b Q4_K_M"],
    ["two families of one shape", "hf.co/x/dolphin-2.9-llama3-8b-gguf", "llama3:8b Q4_K_M"],
    [
      "the shape that was distilled into",
      "x/DeepSeek-R1-Distill-Qwen-14B",
      "deepseek-r1:14b Q4_K_M",
    ],
    ["and not the teacher's", "x/DeepSeek-R1-Distill-Llama-8B", "llama3.1:8b Q4_K_M"],
    ["nor the later student's", "x/DeepSeek-R1-0528-Qwen3-8B", "deepseek-r1:8b Q4_K_M"],
    ["the first release of a model", "x/c4ai-command-r-v01", "aya:35b Q4_K_M"],
    ["and its second", "x/c4ai-command-r-08-2024", "command-r:35b Q4_K_M"],
    ["a generation in a tag", "x/Qwen1.5-72B-Chat", "qwen:72b Q4_K_M"],
  ])("%s: %s", async (_, reference, expected) => {
    expect(await like(reference)).toBe(expected);
  });

  test.each([
    ["no family", "my-assistant"],
    ["an unknown family", "hf.co/unsloth/Kimi-K2-Instruct-GGUF"],
    ["another generation", "llama9:8b"],
    ["one between two", "hf.co/x/internlm2_5-20b-chat"],
    ["a size that there is not", "llama3.2:4b"],
    ["no size where there are several", "hf.co/unsloth/DeepSeek-R1-GGUF:UD-IQ1_S"],
    ["no size, in the middle of a name", "x/dolphin2.2-mistral"],
    ["two sizes", "x/llama3.1-8b-to-70b"],
    ["a size of several generations", "x/my-gemma-2b"],
    ["and another", "x/wisdom-qwen-7b"],
    ["families of different shape", "x/llama3-qwen2.5-7b-merge"],
    ["a part that was cut out", "x/Qwen3-16B-A3B"],
    ["eyes", "hf.co/bartowski/Qwen2-VL-7B-Instruct-GGUF"],
    ["ears", "x/Qwen2.5-Omni-3B"],
    ["eyes of another kind", "x/llama3-llava-next-8b"],
    ["experts", "hf.co/bartowski/Phi-3.5-MoE-instruct-GGUF"],
    ["another purpose", "x/Qwen3-Reranker-8B"],
    ["a projector", "x/mmproj-gemma-3-4b-F16.gguf"],
    ["another format", "hf.co/TheBloke/Llama-2-13B-chat-AWQ"],
    ["a format of bits", "x/codellama-7B-bnb-4bit-F16"],
    ["a slip of the pen", "llama3.1:8b-instruct-q4_K_N"],
    ["an unknown quantisation", "x/Qwen3-30B-A3B-IQ4_K"],
    ["an image of something else", "postgres:latest"],
    ["a blob", "/root/.ollama/models/blobs/sha256-6150cb382311b69f09cc0f9a1b69fc029cbd742b"],
    ["nothing", ""],
  ])("nothing of %s: %s", async (_, reference) => {
    expect(await likelyModel(reference)).toBeUndefined();
  });
});

async function context(reference: string): Promise<number | undefined> {
  return (await likelyModel(reference))!.shape.trainedContext;
}

describe("the model that a name makes likely", () => {
  test("has the tensors that llama.cpp's quantiser makes", async () => {
    const model = (await likelyModel("hf.co/Qwen/Qwen3-8B-GGUF:Q4_K_M"))!;
    // Qwen3-8B-Q4_K_M.gguf of Qwen has 5,027,783,488 bytes; the library's older file is larger.
    expect(Math.abs(model.fileBytes / 5_027_783_488 - 1)).toBeLessThan(0.002);
    expect((await catalogueModel("qwen3:8b"))!.fileBytes).toBeGreaterThan(5_200_000_000);
    expect(model.shape.blocks).toBe(36);
    expect(model.header!.keys.get("qwen3.block_count")).toBe(36);
    const bytes = model.header!.tensors.reduce((sum, tensor) => sum + tensor.bytes, 0);
    expect(model.weights.total - bytes).toBeLessThan(32 * model.header!.tensors.length);
  });

  test("has no tower where the converter makes a file of its own for it", async () => {
    const bare = (await likelyModel("hf.co/x/gemma-3-4b-it-GGUF:Q4_K_M"))!;
    const whole = (await likelyModel("x/gemma3:4b-it-q4_K_M"))!;
    expect(bare.weights.other).toBe(0);
    expect(whole.weights.other).toBeGreaterThan(700 * 2 ** 20);
    const further = (await likelyModel("hf.co/x/Qwen3.6-27B-MTP-GGUF"))!.header!;
    const plain = (await likelyModel("hf.co/x/Qwen3.6-27B-GGUF"))!.header!;
    expect(further.tensors.length).toBeGreaterThan(plain.tensors.length);
  });

  test("was trained for the context that the library says, unless the name says more", async () => {
    expect(await context("x/Qwen2.5-14B-Instruct")).toBe(32_768);
    expect(await context("x/Qwen2.5-14B-Instruct-1M")).toBeUndefined();
    expect(await context("x/openchat_3.5-7b-16k")).toBeUndefined();
    expect(await context("x/DeepSeek-R1-Distill-Llama-8B")).toBe(131_072);
  });
});
