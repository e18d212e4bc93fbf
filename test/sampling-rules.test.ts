import { describe, expect, test } from "vitest";
import { parseModelfile } from "../grammar/parser.js";
import { ruleNamed } from "../rules/index.js";
import { newestRelease } from "../src/facts/release.js";

/** What one rule says about a text. */
function messages(id: string, text: string): string[] {
  const rule = ruleNamed(id) ?? expect.fail(`There is no rule ${id}.`);
  return [...rule.check(parseModelfile(text), { release: newestRelease })].map(
    ({ message }) => message,
  );
}

/** PARAMETER lines under a FROM. */
const withParameters = (...lines: string[]) =>
  ["FROM llama3.2", ...lines.map((line) => `PARAMETER ${line}`), ""].join("\n");

describe("sampling", () => {
  test.each(["top_p 0", "top_p 1", "min_p 0", "temperature 0", "temperature 5", "top_k 0"])(
    "has nothing to say about %s",
    (line) => {
      const ids = ["out-of-range", "percent-value", "sampling-off"];
      expect(ids.flatMap((id) => messages(id, withParameters(line)))).toEqual([]);
    },
  );

  test("leaves per cent to one rule", () => {
    const text = withParameters("top_p 90");
    expect(messages("percent-value", text)).toHaveLength(1);
    expect(messages("out-of-range", text)).toEqual([]);
  });

  test("looks at the last of several lines alone", () => {
    expect(messages("out-of-range", withParameters("top_p 7", "top_p 0.7"))).toEqual([]);
  });

  test("leaves out typical_p at temperature 0, which may drop the likeliest token", () => {
    const text = withParameters("temperature 0", "typical_p 0.5");
    expect(messages("sampling-off", text)).toEqual([]);
  });

  test("leaves what Ollama caps to num-predict-capped", () => {
    const rule = "predict-beyond-context";
    expect(messages(rule, withParameters("num_ctx 2048", "num_predict 20480"))).toHaveLength(1);
    expect(messages(rule, withParameters("num_ctx 2048", "num_predict 20481"))).toEqual([]);
    expect(messages(rule, withParameters("num_ctx 2048", "num_predict 2048"))).toEqual([]);
  });
});

describe("paths", () => {
  const digest = "a".repeat(64);

  test("a blob is told of once, and not as a path into a home folder", () => {
    const text = `FROM /home/ada/.ollama/models/blobs/sha256-${digest}\n`;
    expect(messages("blob-path", text)).toHaveLength(1);
    expect(messages("absolute-path", text)).toEqual([]);
  });

  test("the comment of ollama show names what a blob is of", () => {
    const text = `# FROM acme/tuned:latest\n\nFROM /var/blobs/sha256-${digest}\n`;
    const [report] = ruleNamed("blob-path")!.check(parseModelfile(text), {
      release: newestRelease,
    });
    expect(report?.suggestions?.[0]?.edits[0]?.text).toBe("acme/tuned:latest");
  });

  test.each(["/models/a.gguf", "./home/ada/a.gguf", "~/a.gguf", "D:\\models\\a.gguf"])(
    "%s is nobody's home folder",
    (path) => expect(messages("absolute-path", `FROM ${path}\n`)).toEqual([]),
  );

  test("a public host over HTTP is left alone, because it answers over HTTPS", () => {
    expect(messages("insecure-registry", "FROM http://hf.co/acme/tuned\n")).toEqual([]);
  });
});
