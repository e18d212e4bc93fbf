import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { decode, encodeEdited } from "../grammar/bytes.js";
import { parseModelfile } from "../grammar/parser.js";
import { printTree } from "../grammar/tree.js";
import { newestRelease } from "../src/facts/release.js";
import { check } from "../src/lint.js";
import { createRequest } from "../src/ollama.js";

/*
 * Modelfiles that people wrote, with the verdict of the real Ollama. They are not ours to publish, so
 * these tests run only where they lie beside the repository.
 */

interface Recorded {
  sha: string;
  verdict: "accepted" | "refused";
  error: string | null;
  /** "local-file": FROM names a file, which the server takes for a bad model name unless it is there. */
  category: string;
}

const folder = new URL("../../shared/evidence/", import.meta.url);
const present = existsSync(new URL("modelfiles", folder));

function records(): Recorded[] {
  const lines = readFileSync(new URL("modelfiles.jsonl", folder), "utf8").trimEnd().split("\n");
  return lines.map((line) => JSON.parse(line) as Recorded);
}

function bytesOf({ sha }: Recorded): Buffer {
  return readFileSync(new URL(`modelfiles/${sha}.Modelfile`, folder));
}

/** The first error of reading, of the request, and of the server; null where there is none. */
function errorOf(bytes: Uint8Array, { category }: Recorded): string | null {
  const { parse, create } = createRequest(bytes);
  if (!parse.ok) return parse.error;
  if (!create!.ok) return create!.error;
  if (category === "local-file" || create!.server.ok) return null;
  return create!.server.error;
}

/** The rules that find an error, with nothing known but the text. */
function errorsOf(record: Recorded): string[] {
  const file = parseModelfile(decode(bytesOf(record)).text);
  const findings = check(file, { release: newestRelease });
  return findings.filter(({ severity }) => severity === "error").map(({ rule }) => rule);
}

describe.skipIf(!present)("real files", () => {
  test("print back byte for byte", () => {
    for (const record of records()) {
      const bytes = bytesOf(record);
      const source = decode(bytes);
      expect(printTree(parseModelfile(source.text)), record.sha).toBe(source.text);
      expect(Buffer.compare(encodeEdited(source, []), bytes), record.sha).toBe(0);
    }
  });

  test("are accepted or refused as by Ollama, with the same error", () => {
    const all = records();
    expect(all.length).toBe(743);
    const told = all.map((record) => ({
      sha: record.sha,
      error: errorOf(bytesOf(record), record),
    }));
    expect(told).toEqual(all.map(({ sha, error }) => ({ sha, error })));
    const refused = all.filter(({ verdict }) => verdict === "refused");
    expect(refused.map(({ sha }) => sha)).toEqual(
      told.filter(({ error }) => error !== null).map(({ sha }) => sha),
    );
  });

  // The server's check of the name is left out for these files alone, so it has to fail for some of them.
  test("paths in FROM are what the server takes for bad names", () => {
    const local = records().filter(({ category }) => category === "local-file");
    const servers = local.map((record) => {
      const { create } = createRequest(bytesOf(record));
      return create?.ok ? create.server.ok : undefined;
    });
    expect(servers).not.toContain(undefined);
    expect(servers).toContain(false);
  });
});

describe.skipIf(!present)("findings", () => {
  test("no error in a file that Ollama accepts", () => {
    const accepted = records().filter(({ verdict }) => verdict === "accepted");
    const told = accepted.map((record) => ({ sha: record.sha, errors: errorsOf(record) }));
    expect(told.filter(({ errors }) => errors.length > 0)).toEqual([]);
  });

  test("an error in every file that Ollama refuses", () => {
    const refused = records().filter(({ verdict }) => verdict === "refused");
    expect(refused).toHaveLength(51);
    // An empty FROM is refused only where the folder holds no weights, which no text can tell.
    const missed = refused.filter(
      (record) => record.category !== "empty-from" && errorsOf(record).length === 0,
    );
    expect(missed.map(({ sha, error }) => ({ sha, error }))).toEqual([]);
  });
});
