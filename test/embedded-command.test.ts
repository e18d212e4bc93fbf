import { mkdtemp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { outerFindings } from "../src/embedded/findings.js";
import { islandsIn } from "../src/embedded/find.js";
import type { Finding } from "../src/finding.js";
import { applyEdits } from "../src/fix/fix.js";
import { run } from "./command.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "embedded-"));
});
afterAll(() => rm(folder, { recursive: true }));

const readme = `# A model

1. Write this:

   \`\`\`modelfile
   from llama3.2
   PARAMETER num_ctx 8k
   \`\`\`

Or run it:

\`\`\`sh
cat > Modelfile <<EOF
FROM $BASE
PARAMETER temprature 0.5
EOF
\`\`\`
`;

async function written(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await mkdir(join(path, ".."), { recursive: true });
  await writeFile(path, text);
  return path;
}

test("findings stand in the document, and fixes are written there", async () => {
  const path = await written("README.md", readme);
  const { code, stdout } = await run(["--format", "compact", path]);
  expect(code).toBe(1);
  expect(stdout.replaceAll(folder, "")).toBe(
    `/README.md:6:4: info: "from" is written "FROM" by convention. [instruction-case]
/README.md:7:22: error: num_ctx takes a whole number, not "8k". Did you mean 8192? [parameter-type]
/README.md:15:11: error: Unknown parameter "temprature". Did you mean "temperature"? [unknown-parameter]
`,
  );
  expect((await run(["--fix", "--quiet", path])).code).toBe(0);
  expect(await readFile(path, "utf8")).toBe(
    readme
      .replace("from llama3.2", "FROM llama3.2")
      .replace("8k", "8192")
      .replace("temprature", "temperature"),
  );
});

test("what a script puts in is not judged, and nothing on disk is looked at", async () => {
  const path = await written(
    "install.sh",
    "cat > Modelfile <<EOF\nFROM ${BASE_MODEL}\nADAPTER ./missing.gguf\nPARAMETER top_k $K\nEOF\n",
  );
  expect(await run(["--format", "compact", path])).toMatchObject({ code: 0, stdout: "" });
});

test("a folder is searched with --embedded alone, and files without one are no news", async () => {
  await written("project/docs/README.md", readme);
  await written("project/empty.py", "");
  await written("project/Modelfile", "FROM llama3.2\n");
  const place = join(folder, "project");
  const summary = async (...more: string[]) => {
    const { stdout, stderr } = await run(["--json", place, ...more]);
    expect(stderr).toBe("");
    return (JSON.parse(stdout) as { summary: object }).summary;
  };
  expect(await summary()).toMatchObject({ files: 1, errors: 0 });
  expect(await summary("--embedded")).toMatchObject({ files: 2, errors: 2 });
});

test("a document without a Modelfile is told of where it was named", async () => {
  const path = await written("NOTES.md", "```dockerfile\nFROM ubuntu\nRUN true\n```\n");
  const { code, stderr } = await run([path]);
  expect(code).toBe(0);
  expect(stderr).toContain("No Modelfile was found inside");
});

test("an excerpt is not asked for its FROM", async () => {
  const path = await written("excerpt.md", "```modelfile\nPARAMETER top_k ten\n```\n");
  const { stdout } = await run(["--format", "compact", path]);
  expect(stdout).toContain("parameter-type");
  expect(stdout).not.toContain("missing-from");
});

function findings(edits: { start: number; end: number; text: string }[]): Finding[] {
  return [
    {
      rule: "example",
      severity: "warning",
      message: "m",
      at: { start: 0, end: 4 },
      fix: { title: "t", safety: "safe", edits },
    },
  ];
}

test("a change whose parts would run into each other outside is none", async () => {
  const text = "- ```modelfile\n  FROM llama3.2\n  PARAMETER top_k 4\n  ```\n";
  const [island] = await islandsIn("a.md", text);
  const inner = island!.text;
  const line = inner.indexOf("PARAMETER");
  const end = { start: line, end: inner.length, text: "" };
  const [whole] = outerFindings(island!, findings([end]));
  expect(applyEdits(text, whole!.fix!.edits)).toBe("- ```modelfile\n  FROM llama3.2\n  ```\n");
  const before = { start: line - 1, end: line, text: "\n\n" };
  const [both] = outerFindings(island!, findings([before, end]));
  for (const [index, edit] of (both!.fix?.edits ?? []).entries()) {
    expect(edit.start).toBeGreaterThanOrEqual(both!.fix!.edits[index - 1]?.end ?? 0);
  }
});
