import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { renderTemplate, type TemplateValues } from "../src/ollama.js";
import { runs } from "./runs.js";

const cases = readFileSync(new URL("cases/render.jsonl", import.meta.url), "utf8")
  .split("\n")
  .filter((line) => line !== "")
  .map((line) => JSON.parse(line) as { input_base64: string; values: TemplateValues });

const texts = [
  ...new Set(cases.map(({ input_base64 }) => Buffer.from(input_base64, "base64").toString())),
];
const requests = [...new Set(cases.map(({ values }) => JSON.stringify(values)))];

const options = { steps: 20_000, longest: 20_000 };

/** Renders within bounds; anything else than a result of one of the known forms fails the test. */
function outcome(text: string, values: TemplateValues): string {
  const result = renderTemplate(text, values, options);
  if (result.ok) {
    expect(result.output.length).toBeLessThanOrEqual(options.longest);
    return "ok";
  }
  expect(["parse", "execute", "values", "bound"]).toContain(result.stage);
  if ("panic" in result) {
    expect(result.panic).toMatch(/^interface conversion: /);
    return "panic";
  }
  if (result.stage === "execute") {
    expect(result.error).toMatch(/^template: :\d+:\d+: executing "(?:[^"]|\\")*" at <[^]*>: ./);
  } else expect(result.error).not.toBe("");
  return result.stage;
}

const text = fc.constantFrom(...texts);
const request = fc.constantFrom(...requests).map((json) => JSON.parse(json) as TemplateValues);

/** Actions from the recorded templates, and what is apt to be put into them. */
const pieces = [
  ...new Set(texts.flatMap((one) => one.match(/\{\{[^]*?\}\}/g) ?? [])),
  "{{ range $i, $v := . }}{{ $i }}{{ $v }}{{ end }}",
  "{{ range .Tools }}{{ . }}{{ .Function }}{{ printf `%+v %#v %d %x` . . . . }}{{ end }}",
  "{{ range .Messages }}{{ range .ToolCalls }}{{ . }}{{ json . }}{{ end }}{{ .Images }}{{ end }}",
  "{{ break }}",
  "{{ continue }}",
];
const words = [
  ".",
  "$",
  "$x",
  "nil",
  "true",
  ".Messages",
  ".Tools",
  ".System",
  ".Nope",
  ".Nope.Deep",
  "(index .Messages 0)",
  "(index .Tools 0).Function.Parameters.Properties",
  "0",
  "1",
  "-1",
  "9223372036854775807",
  "1.5",
  "1e300",
  "2i",
  "'é'",
  String.raw`"é\xff"`,
  "`%v %s %d`",
  '"%[3]*.[2]*[1]f"',
];
const functions = (
  "and or not eq ne lt le gt ge len index slice call print printf println html js urlquery " +
  "json currentDate yesterdayDate toTypeScriptType"
).split(" ");

describe("a rendering ends in a result, within its bounds", () => {
  test("of every template with every request", () => {
    const seen = new Set(
      texts.flatMap((one) =>
        requests.map((json) => outcome(one, JSON.parse(json) as TemplateValues)),
      ),
    );
    expect([...seen].sort()).toEqual(["bound", "execute", "ok", "panic", "parse"]);
  });

  test("of templates put together from pieces", () => {
    const piece = fc.oneof(
      fc.constantFrom(...pieces),
      fc.constantFrom(" ", "é", "\n", "{{ end }}"),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), request, (parts, values) => {
        outcome(parts.join(""), values);
      }),
      { numRuns: runs(200) },
    );
  });

  test("of functions with any arguments", () => {
    const command = fc
      .tuple(
        fc.constantFrom(...functions, ""),
        fc.array(fc.constantFrom(...words), { maxLength: 4 }),
      )
      .map(([name, args]) => [name, ...args].filter((word) => word !== "").join(" "));
    const pipe = fc.array(command, { minLength: 1, maxLength: 3 }).map((list) => list.join(" | "));
    fc.assert(
      fc.property(pipe, pipe, request, (first, second, values) => {
        outcome(`{{ $x := 1 }}{{ with $y := ${first} }}{{ ${second} }}{{ . }}{{ end }}`, values);
        outcome(`{{ $x := .Messages }}{{ ${first} }}{{ range ${second} }}{{ . }}{{ end }}`, values);
      }),
      { numRuns: runs(200) },
    );
  });

  test("of templates that are damaged", () => {
    const damage = fc.record({ at: fc.nat(), cut: fc.nat(5), add: fc.constantFrom("", ...words) });
    fc.assert(
      fc.property(
        text,
        fc.array(damage, { minLength: 1, maxLength: 3 }),
        request,
        (one, list, values) => {
          let changed = one;
          for (const { at, cut, add } of list) {
            const start = at % (changed.length + 1);
            changed = changed.slice(0, start) + add + changed.slice(start + cut);
          }
          outcome(changed, values);
        },
      ),
      { numRuns: runs(200) },
    );
  });

  test("of formats with any flags", () => {
    const verb = fc
      .tuple(
        fc.array(fc.constantFrom(..."+-# 0"), { maxLength: 3 }),
        fc.constantFrom("", "3", "*", "[2]", "[1]*", "12", "999999", "9999999"),
        fc.constantFrom("", ".", ".0", ".3", ".*", ".[3]*", ".40"),
        fc.constantFrom(..."vTtdboOxXcqUeEfFgGspwé%!"),
      )
      .map(
        ([flags, width, precision, letter]) => `%${flags.join("")}${width}${precision}${letter}`,
      );
    fc.assert(
      fc.property(verb, verb, fc.constantFrom(...words), request, (first, second, word, values) => {
        const format = `\`${first}|${second}\``;
        outcome(`{{ $x := .Messages }}{{ printf ${format} ${word} 7 .Tools 2.5 }}`, values);
      }),
      { numRuns: runs(200) },
    );
  });

  test("with any request", () => {
    const messages = fc.array(
      fc.record(
        {
          role: fc.constantFrom("system", "user", "assistant", "tool", "Été", null),
          content: fc.oneof(fc.string({ unit: "binary" }), fc.jsonValue()),
          images: fc.oneof(fc.array(fc.base64String()), fc.jsonValue()),
          tool_calls: fc.array(fc.record({ function: fc.record({ arguments: fc.jsonValue() }) })),
        },
        { requiredKeys: [] },
      ),
    );
    const tools = fc.array(
      fc.record({
        function: fc.record({
          parameters: fc.record({
            properties: fc.dictionary(
              fc.string({ unit: "binary" }),
              fc.oneof(fc.record({ type: fc.jsonValue(), anyOf: fc.jsonValue() }), fc.jsonValue()),
            ),
          }),
        }),
      }),
    );
    const values = fc.oneof(
      fc.record({ messages, tools }, { requiredKeys: [] }),
      fc.dictionary(
        fc.constantFrom("messages", "tools", "prompt", "suffix", "think"),
        fc.jsonValue(),
      ),
    );
    fc.assert(
      fc.property(text, values, (one, values) => {
        outcome(one, values);
      }),
      { numRuns: runs(200) },
    );
  });

  test("with requests that nest without end", () => {
    const deep: Record<string, unknown> = {};
    deep["properties"] = { deep };
    deep["anyOf"] = [deep];
    const tools = [{ function: { parameters: deep, name: "x" }, items: deep }];
    expect(outcome("{{ .Tools }}{{ .Messages }}", { tools })).toBe("values");
    const messages = [{ role: "user", tool_calls: [{ function: { arguments: deep } }] }];
    expect(outcome("{{ .Messages }}", { messages })).toBe("values");
  });
});
