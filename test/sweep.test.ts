import { expect, test } from "vitest";
import { parseRelease } from "../src/facts/release.js";
import { preset } from "../src/machines/presets.js";
import { some } from "./runs.js";
import { defects, machineNames, releaseNames } from "./sweep/fixed.js";

/* `npm run sweep` does the same with folders of real files. */

const models = [
  "llama3.2:3b",
  "llama3.3:70b",
  "deepseek-r1:32b",
  "deepseek-v3:671b",
  "gpt-oss:20b",
  "nomic-embed-text",
];

const settings = [
  "num_ctx 131072",
  "num_ctx 2",
  "num_gpu 999",
  "num_gpu 2",
  "num_gpu 0",
  "use_mmap false",
  "use_mmap true",
  "num_batch 8192",
  "main_gpu 0",
  "num_thread 64",
];

const files = models.flatMap((model) =>
  settings.flatMap((one, index) => {
    const other = settings[(index + 3) % settings.length];
    return [
      `FROM ${model}\nPARAMETER ${one}\n`,
      `FROM ${model}\nPARAMETER ${one}\nPARAMETER ${other}\nSYSTEM """Be brief."""\n`,
    ];
  }),
);

// Each file with a machine and a release of its own: over all files every pair of them comes up. Half of
// the files are tried unless more is asked for.
const cases = files.map((text, index) => ({
  text,
  machine: machineNames[index % machineNames.length]!,
  ollama: releaseNames[(index + Math.floor(index / machineNames.length)) % releaseNames.length]!,
}));

test.each([false, true])("fixes make no plan worse (unsafe ones too: %s)", async (unsafe) => {
  let fixed = 0;
  // Unsafe fixes take more plans than safe ones, which are made either way.
  const chosen = some(
    cases.filter((_, index) => (index % 4 === 2) === unsafe),
    2,
  );
  for (const { text, machine, ollama } of chosen) {
    const on = (await preset(machine))!;
    const bytes = new TextEncoder().encode(text);
    const result = await defects(bytes, on, parseRelease(ollama)!, unsafe);
    expect(result, `${text} has no plan`).toBeDefined();
    expect(result!.defects, `${text} on ${machine}, Ollama ${ollama}`).toEqual([]);
    if (result!.fixed) fixed++;
  }
  expect(fixed).toBeGreaterThan(3);
});
