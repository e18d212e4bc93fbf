import { describe, expect, test } from "vitest";
import { parseModelfile } from "../grammar/parser.js";
import { lookUp } from "../src/context.js";
import { hover, type Hover } from "../src/editor/hover.js";
import { newestRelease, parseRelease } from "../src/facts/release.js";
import { preset } from "../src/machines/presets.js";
import type { Model } from "../src/models/model.js";
import type { Context } from "../src/rule.js";

/** A place is marked by a ¦, which no Modelfile here has otherwise. */
const caret = "¦";

interface On {
  ollama?: string;
  machines?: readonly string[];
  files?: Context["files"];
  /** What is known of the model besides. */
  model?: (model: Model) => Partial<Model>;
}

async function contextOn(
  text: string,
  { ollama, files, model }: On,
  machine?: string,
): Promise<Context> {
  const found = machine === undefined ? undefined : await preset(machine);
  const { context } = await lookUp(parseModelfile(text), {
    release: ollama === undefined ? newestRelease : parseRelease(ollama)!,
    folder: "/",
    modelsFolder: "/",
    server: {},
    models: new Map(),
    ...(found && { machine: found }),
  });
  return {
    ...context,
    ...(files && { files }),
    ...(model && context.model && { model: { ...context.model, ...model(context.model) } }),
  };
}

async function over(marked: string, on: On = {}): Promise<(Hover & { of: string }) | undefined> {
  const offset = marked.indexOf(caret);
  const text = marked.replace(caret, "");
  const [first = "rtx4090-64g", ...others] = on.machines ?? [];
  const contexts: [Context, ...Context[]] = [await contextOn(text, on, first)];
  for (const machine of others) contexts.push(await contextOn(text, on, machine));
  const found = hover({ file: parseModelfile(text), contexts, findings: [] }, offset);
  return found && { ...found, of: text.slice(found.at.start, found.at.end) };
}

type Case = readonly [marked: string, of: string, says: readonly string[], on?: On];

const instructions: readonly Case[] = [
  [
    "FR¦OM llama3.2\n",
    "FROM",
    ["**FROM**: since Ollama 0.0.6", "FROM ./model.gguf", "the last one counts", "#from-required"],
  ],
  ["¦from llama3.2\n", "from", ["**FROM**"]],
  ["FROM llama3.2\nPARAMETER¦ top_k 4\n", "PARAMETER", ["PARAMETER name value"]],
  [
    "FROM llama3.2\nRENDER¦ER olmo3\n",
    "RENDERER",
    ["**RENDERER**: since Ollama 0.12.0", "Ollama 0.11.0 refuses it: it came with 0.12.0."],
    { ollama: "0.11.0" },
  ],
  [
    "FROM llama3.2\nDRAFT¦ ./small.gguf\n",
    "DRAFT",
    ["Ollama 0.24.0 takes it with `ollama create --experimental` alone."],
    { ollama: "0.24.0" },
  ],
  ["FROM llama3.2\nEMB¦ED ./x\n", "EMBED", ["until 0.1.3", "it is gone since 0.1.4"]],
  [
    'FROM qwen3\nTEMPL¦ATE """{{ .Prompt }}"""\n',
    "TEMPLATE",
    ["Prompts in 0.32.15: The Modelfile's TEMPLATE makes it.", "docs/templates.md"],
  ],
  ["FROM llama3.2\nLICEN¦SE MIT\n", "LICENSE", ["The model's own is llama3.2."]],
  [
    "FROM llama3.2\nPARAMETER draft_num_predict 4\nREQUI¦RES 0.14.0\n",
    "REQUIRES",
    ["draft\\_num\\_predict needs Ollama 0.30.0 at least."],
  ],
  [
    "FROM gemma3:4b\nADAPT¦ER ./style.gguf\n",
    "ADAPTER",
    ["Ollama 0.12.6 cannot load one for gemma3."],
    { ollama: "0.12.6" },
  ],
];

const parameters: readonly Case[] = [
  [
    "FROM llama3.2\nPARAMETER num¦_ctx 16384\n",
    "num_ctx",
    [
      "**num_ctx**: whole number, tokens",
      "**16384 tokens** are in force, by the Modelfile: 16384 cells, a KV cache of 1.75 GiB of f16.",
      "Up to **131072** runs with all 29 layers on the GPU; the model was trained for 131072.",
      "- default until 0.5.12: 2048",
      "docs/memory.md",
    ],
  ],
  [
    "FROM llama3.3:70b\nPARAMETER ¦num_ctx 4096\n",
    "num_ctx",
    ["None has all 81 layers on the GPU; up to **131072** runs; "],
  ],
  [
    "FROM llama3.2\nPARAMETER num_ctx¦ 4096\n",
    "num_ctx",
    ["_On rtx4090-64g, Ollama 0.32.15:_", "_On desktop-cpu-32g, Ollama 0.32.15:_"],
    { machines: ["rtx4090-64g", "desktop-cpu-32g"] },
  ],
  [
    "FROM llama3.2\nPARAMETER num_gpu¦ 7\n",
    "num_gpu",
    ["**7 of 29** layers lie on the GPUs.", "Ollama itself would choose 29."],
  ],
  [
    "FROM llama3.2\nPARAMETER num_gpu¦ 7\n",
    "num_gpu",
    ["There is no GPU."],
    { machines: ["desktop-cpu-32g"] },
  ],
  [
    "FROM llama3.2\nPARAMETER use_mmap t¦rue\n",
    "true",
    ["Ollama reads `true`.", "**1.88 GiB** of weights are mapped from the file."],
  ],
  [
    "FROM llama3.2\nPARAMETER use_mmap fal¦se\n",
    "false",
    ["The weights are **not mapped**.", "in 0.1.45"],
  ],
  [
    "FROM llama3.2\nPARAMETER num_thr¦ead 4\n",
    "num_thread",
    ["The machine has **8 physical cores**."],
    { machines: ["desktop-cpu-32g"] },
  ],
  [
    "FROM llama3.2\nPARAMETER main_gpu ¦0\n",
    "0",
    ["0 is GeForce RTX 4090.", "The one that is named is the only one in use."],
  ],
  ["FROM llama3.2\nPARAMETER num_batch 2¦56\n", "256", ["**256 tokens** a step are in force"]],
  ["FROM qwen3\nPARAMETER temperature 0.7¦0\n", "0.70", ["Ollama reads `0.7`.", "brings `0.6`"]],
  ["FROM qwen3\nPARAMETER top_k for¦ty\n", "forty", ["refuses", "`invalid int value [forty]`"]],
  [
    "FROM llama3.2\nPARAMETER repeat_pen¦alty 1\n",
    "repeat_penalty",
    [
      "Default of 0.12.6: 1.1.",
      "- default since 0.32.10: 1.0",
      "without effect in Ollama's own engine",
    ],
    { ollama: "0.12.6" },
  ],
  [
    "FROM gemma3:4b\nPARAMETER repeat_pen¦alty 1\n",
    "repeat_penalty",
    ["Ollama's own engine runs gemma3 in 0.12.6, and does nothing with it."],
    { ollama: "0.12.6" },
  ],
  [
    "FROM llama3.2\nPARAMETER miro¦stat 2\n",
    "mirostat",
    ["Ollama 0.32.15 warns of it and drops the line, since 0.7.0."],
  ],
  [
    "FROM llama3.2\nPARAMETER tfs¦_z 1\n",
    "tfs_z",
    ["refuses it: it is gone since 0.5.2"],
    { ollama: "0.5.4" },
  ],
  [
    "FROM llama3.2\nPARAMETER min¦_p 0.1\n",
    "min_p",
    ["Ollama 0.2.8 refuses it: it came with 0.3.1."],
    { ollama: "0.2.8" },
  ],
];

const values: readonly Case[] = [
  [
    "FROM lla¦ma3.2\nPARAMETER num_ctx 16384\n",
    "llama3.2",
    [
      "**llama3.2:3b** known from the catalogue of Ollama's library",
      "| architecture | llama, 3.21 B parameters |",
      "| quantisation | Q4_K_M |",
      "| size | 1.88 GiB |",
      "| trained context | 131072 tokens |",
      "| layers | 29: 28 blocks and the output layer |",
      "| template | Llama 3 |",
      "| capabilities | completion and tools |",
      "| licence | llama3.2 |",
      "On rtx4090-64g, Ollama 0.32.15 it **fits on one GPU**.",
      "| CUDA0 GeForce RTX 4090 | 29 | ",
      "| RAM | 0 | ",
    ],
  ],
  [
    "FROM llama3.3:70b¦\n",
    "llama3.3:70b",
    ["it **runs partly on the CPU**", "On desktop-cpu-32g, Ollama 0.32.15: "],
    { machines: ["rtx4090-64g", "desktop-cpu-32g"] },
  ],
  [
    "FROM acme/no_such¦_thing\n",
    "acme/no_such_thing",
    ["Nothing is known of this model", "`models:`"],
  ],
  ["FROM gpt-oss:120b-cl¦oud\n", "gpt-oss:120b-cloud", ["It runs in Ollama's cloud"]],
  ["FROM llama 3¦\n", "llama 3", ["No model's name: "]],
  [
    "FROM ./mod¦el.gguf\n",
    "./model.gguf",
    ["there is no such file", "In its folder: `other.gguf`."],
    { files: new Map([["./model.gguf", { kind: "missing", nearby: ["other.gguf", "notes"] }]]) },
  ],
  [
    "FROM llama3.2\nADAPTER ./st¦yle.gguf\n",
    "./style.gguf",
    ["a Git LFS pointer"],
    {
      files: new Map([
        ["./style.gguf", { kind: "file", path: "/style.gguf", content: "git-lfs-pointer" }],
      ]),
    },
  ],
  [
    "FROM llama3.2\nADAPTER ./st¦yle.gguf\n",
    "./style.gguf",
    ["40 MiB, loaded with the model, made for llama, alpha 16."],
    {
      model: () => ({
        adapters: [
          {
            bytes: 40 * 2 ** 20,
            header: {
              keys: new Map<string, string | number>([
                ["general.architecture", "llama"],
                ["adapter.lora.alpha", 16],
              ]),
              tensors: [],
            },
          },
        ],
      }),
    },
  ],
  [
    "FROM llama3.2\nDRAFT ./sma¦ll.gguf\n",
    "./small.gguf",
    ["**./small.gguf**", "**small** known from its GGUF header", "29: 28 blocks"],
    { model: (model) => ({ draft: { ...model, name: "small", source: "gguf" } }) },
  ],
  [
    'FROM llama3.2\nPARAMETER stop "<|im_¦end|>"\n',
    '"<|im_end|>"',
    [
      "**Special token** `<|im_end|>` of ChatML or Phi-4",
      "Ends an answer.",
      "`llama3.2:3b` was not trained with it: it writes Llama 3.",
    ],
  ],
  ["FROM llama3.2\nPARAMETER stop <|eot¦_id|>\n", "<|eot_id|>", ["`llama3.2:3b` knows it."]],
  ["FROM llama3.2\nPARAMETER stop END¦\n", "END", ['Ollama reads `"END"`.']],
  ["FROM llama3.2\nMESSAGE us¦er hi\n", "user", ["**user**: What the user says."]],
  [
    "FROM llama3.2\nRENDERER qwen3-c¦oder\n",
    "qwen3-coder",
    ["since Ollama 0.12.0", "Makes the prompt"],
  ],
  [
    "FROM llama3.2\nPARSER harm¦ony\n",
    "harmony",
    ["Reads the answer", "Ollama 0.12.0 does not have it yet."],
    { ollama: "0.12.0" },
  ],
  [
    "FROM llama3.2\nREQUIRES 0.32¦.15\n",
    "0.32.15",
    ["newer than 0.24.0, which runs this file"],
    { ollama: "0.24.0" },
  ],
  [
    "FROM llama3.2\nLICENSE Apache License Version¦ 2.0\n",
    "Apache License Version 2.0",
    ["Apache-2.0"],
  ],
  [
    "FROM llama3.2\n# modelfile-lint-disable top-k, stop-¦too-common -- because\n",
    "stop-too-common",
    ["**stop-too-common**: ", "docs/rules/stop-too-common.md"],
  ],
];

const open = 'FROM llama3.2\nTEMPLATE """';
const templates: readonly Case[] = [
  [`${open}{{ if .Sys¦tem }}{{ end }}"""\n`, ".System", ["**.System**: string", "system messages"]],
  [
    `${open}{{ range .Messages }}{{ .Ro¦le }}{{ end }}"""\n`,
    ".Role",
    ["**.Role** of a message: string"],
  ],
  [
    `${open}{{ range .Messages }}{{ range .ToolCalls }}{{ .Function.Na¦me }}{{ end }}{{ end }}"""\n`,
    ".Name",
    ["**.Name** of the function of a tool call: string"],
  ],
  [
    `${open}{{ range $i, $m := .Messages }}{{ $m.Con¦tent }}{{ end }}"""\n`,
    ".Content",
    ["What is said."],
  ],
  [
    `${open}{{ range $i, $m := .Messages }}{{ json $¦m }}{{ end }}"""\n`,
    "$m",
    ["Variable `$m`, set in `{{ range $i, $m := .Messages }}`"],
  ],
  [
    `${open}{{ js¦on .Messages }}"""\n`,
    "json",
    ["`json VALUE` → string: Ollama's, since Ollama 0.2.6"],
  ],
  [
    `${open}{{ current¦Date }}"""\n`,
    "currentDate",
    ["Ollama 0.9.6 does not have it."],
    { ollama: "0.9.6" },
  ],
  [`${open}{{ ra¦nge .Messages }}{{ end }}"""\n`, "range", ["**range**: "]],
  [
    `${open}{{ range .Messages }}{{ if .Content }}{{ else }}{{ end }}{{ en¦d }}"""\n`,
    "end",
    ["Of `{{ range .Messages }}`"],
  ],
  [
    `${open}{{ range .Messages }}{{ if .Content }}{{ el¦se }}{{ end }}{{ end }}"""\n`,
    "else",
    ["Of `{{ if .Content }}`"],
  ],
  [`${open}{¦{- .Prompt }}"""\n`, "{{- ", ["takes away all blanks"]],
  [`${open}<|im_st¦art|>{{ .Prompt }}"""\n`, "<|im_start|>", ["of ChatML or Phi-4", "not trained"]],
  // A TEMPLATE that does not count, one without an end, and one with characters that Ollama drops.
  [`${open}{{ .Pro¦mpt }}"""\nTEMPLATE {{ .System }}\n`, ".Prompt", ["**.Prompt**"]],
  [`${open}{{ .Pro¦mpt }}\n`, ".Prompt", ["**.Prompt**"]],
  [`${open}a\u200bb\u{e0001}{{ .Pro¦mpt }}"""\n`, ".Prompt", ["**.Prompt**"]],
  ["FROM llama3.2\nTEMPLATE {{ .Pro¦mpt }}\n", ".Prompt", ["**.Prompt**"]],
];

describe.each([
  ["instructions", instructions],
  ["parameters", parameters],
  ["values", values],
  ["templates", templates],
] as const)("of %s", (_, cases) => {
  const filled = cases.map(([marked, of, says, on = {}]) => [marked, of, says, on] as const);
  test.each(filled)("says what %j is", async (marked, of, says, on) => {
    const found = await over(marked, on);
    expect(found?.of).toBe(of);
    for (const part of says) expect(found?.markdown).toContain(part);
  });
});

test.each([
  "FROM llama3.2\n¦\n",
  "FROM llama3.2\n# ju¦st a remark\n",
  "FROM llama3.2\nPARAMETER tempra¦ture 1\n",
  "FROM llama3.2\nSYSTEM You are Ma¦rio.\n",
  "FROM llama3.2\nMESSAGE user he¦llo\n",
  "FROM llama3.2\nstray w¦ords\n",
  'FROM llama3.2\nTEMPLATE """wo¦rds {{ .Prompt }}"""\n',
  "¦",
])("says nothing of %j", async (marked) => {
  expect(await over(marked)).toBeUndefined();
});

test("shows what a file says as text, not as marks", async () => {
  const files: Context["files"] = new Map([["./a_b_<i>[x](y).gguf", { kind: "missing" }]]);
  const found = await over("FROM ./a_b_<i>[x](¦y).gguf\n", { files });
  expect(found?.markdown).toContain(String.raw`./a\_b\_\<i\>\[x\](y).gguf`);
});
