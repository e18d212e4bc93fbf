import type { Modelfile, Value } from "../grammar/tree.js";
import { instructionsNamed, parameterNamed } from "../grammar/tree.js";
import { readInt } from "../grammar/values.js";
import { rule } from "../src/rule.js";

export default rule({
  id: "system-beyond-context",
  group: "messages",
  severity: "warning",
  summary: "SYSTEM and MESSAGE too long for num_ctx",
  why: `
They are part of every prompt, and the context holds prompt and answer together. What is too much is cut off
without a word, or the request is refused. Tokens are counted as words here, which a text never has fewer of.
`,
  says: [
    { at: "chat", text: "truncating input prompt" },
    {
      at: "chat",
      text: "the prompt is longer than the context length currently available to the model",
      from: "0.30.0",
    },
  ],
  about: ["num_ctx"],
  examples: [
    {
      bad: "FROM acme/tuned\nPARAMETER num_ctx 8\nSYSTEM You are a terse assistant who never explains anything to anybody.\n",
      message: "SYSTEM alone has at least 11 tokens, more than the 8 of num_ctx.",
    },
  ],

  *check(file) {
    const parameter = parameterNamed(file, "num_ctx");
    const size = Number(readInt(parameter?.value?.text ?? "") ?? 0n);
    if (!parameter || size <= 0) return;
    const values = promptTexts(file);
    const tokens = values.reduce((sum, { text }) => sum + wordsIn(text), 0);
    if (tokens <= size / 2) return;
    const all = values.length > 1;
    const names = all ? "SYSTEM and MESSAGE together" : "SYSTEM alone";
    const beyond = tokens > size;
    yield {
      at: parameter.value ?? parameter,
      ...(!beyond && { severity: "info" as const }),
      message: `${names} ${all ? "have" : "has"} at least ${tokens} tokens, ${
        beyond ? `more than the ${size} of num_ctx` : `more than half of the ${size} of num_ctx`
      }.`,
    };
  },
});

/** What is put in front of every chat. */
function promptTexts(file: Modelfile): Value[] {
  const system = instructionsNamed(file, "SYSTEM").at(-1);
  const messages = file.statements.filter((node) => node.kind === "message");
  return [...(system ? [system] : []), ...messages].flatMap(({ value }) =>
    value?.closed ? [value] : [],
  );
}

/** No tokenizer joins what a blank divides. */
function wordsIn(text: string): number {
  return text.split(/\s+/).filter((word) => word !== "").length;
}
