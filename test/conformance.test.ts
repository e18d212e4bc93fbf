import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { conformance } from "./conformance.js";

const own = fileURLToPath(new URL("cases", import.meta.url));
const all = fileURLToPath(new URL("../../shared/conformance", import.meta.url));

async function run(folder: string) {
  const lines: string[] = [];
  return { ...(await conformance(folder, (line) => lines.push(line))), log: lines.join("\n") };
}

/** A case that expects the file `FROM x` to name the model `args`. */
function record(id: string, args: string): string {
  return JSON.stringify({
    id,
    input_base64: Buffer.from("FROM x").toString("base64"),
    expect: {
      ok: true,
      commands: [{ name: "model", args }],
      string: "FROM x\n",
      reparse: "same",
    },
  });
}

describe("recorded results of the real Ollama", () => {
  test("the cases of this repository agree", async () => {
    const { passed, failed, log } = await run(own);
    expect(failed, log).toBe(0);
    expect(passed).toBeGreaterThan(1000);
  });

  test.skipIf(!existsSync(all))("all recorded cases agree", async () => {
    const { passed, failed, log } = await run(all);
    expect(failed, log).toBe(0);
    expect(passed).toBeGreaterThan(6000);
  });

  test("a result that differs is counted and shown", async () => {
    const folder = await mkdtemp(join(tmpdir(), "modelfile-lint-"));
    try {
      await writeFile(join(folder, "parser-x.jsonl"), `${record("a", "x")}\n${record("b", "y")}\n`);
      const { passed, failed, log } = await run(folder);
      expect([passed, failed]).toEqual([1, 1]);
      expect(log).toContain("b: commands");
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
