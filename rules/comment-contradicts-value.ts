import type { Comment, Modelfile, Parameter } from "../grammar/tree.js";
import { parameterFact } from "../src/facts/parameters.js";
import { rule } from "../src/rule.js";

export default rule({
  id: "comment-contradicts-value",
  group: "style",
  severity: "info",
  summary: "Comment that names another value than the line below it",
  why: `
The example in Ollama's documentation says "set the temperature to 1" above \`PARAMETER temperature 1\`. Where the number
was changed and the comment was not, a reader does not know which of the two was meant. Ollama goes by the line.
`,
  examples: [
    {
      bad: "FROM llama3.2\n# set the temperature to 1 [higher is more creative]\nPARAMETER temperature 0.2\n",
      good: "FROM llama3.2\n# set the temperature to 0.2 [higher is more creative]\nPARAMETER temperature 0.2\n",
      message: "The comment says 1, the line below it 0.2.",
    },
  ],

  *check(file) {
    for (const [comment, parameter] of pairs(file)) {
      const said = numberIn(file, comment, parameter.parameter);
      const value = parameter.value!;
      const number = Number(value.text);
      if (!said || value.text === "" || Number.isNaN(number)) continue;
      if (Number(said.text) === number) continue;
      const { start, end } = said;
      const inLine = file.text.slice(value.start, value.end);
      yield {
        at: { start, end },
        message: `The comment says ${said.text}, the line below it ${value.text}.`,
        suggestions: [
          {
            title: `Write ${value.text} in the comment`,
            edits: [{ start, end, text: value.text }],
          },
          {
            title: `Set ${parameter.parameter} to ${said.text}`,
            edits: [
              {
                start: value.start,
                end: value.end,
                text: inLine.replace(value.text, said.text),
              },
            ],
          },
        ],
      };
    }
  },
});

/** Comments with the PARAMETER in the line below them. */
function* pairs({ nodes, text }: Modelfile): Iterable<[Comment, Parameter]> {
  for (const [index, node] of nodes.entries()) {
    if (node.kind !== "parameter" || !node.value || node.flaws.length > 0) continue;
    const above = nodes.slice(0, index).findLast(({ kind }) => kind !== "gap");
    if (above?.kind !== "comment") continue;
    const breaks = text.slice(above.end, node.start).match(/\r\n|\r|\n/g) ?? [];
    if (breaks.length === 1) yield [above, node];
  }
}

/** Other words for parameters, as documentation has them. */
const words: Readonly<Record<string, string>> = {
  "context window": "num_ctx",
  "context window size": "num_ctx",
  "context size": "num_ctx",
  "context length": "num_ctx",
};

/** The number in "# set the temperature to 1", where it is said of that parameter and ends there. */
function numberIn({ text }: Modelfile, comment: Comment, parameter: string) {
  const written = text.slice(comment.start, comment.end);
  const match =
    /^#+\s*(?:sets?|setting) (?:the )?([\w ]+?) to (-?\d+(?:\.\d+)?)(?![\w%]|[.,]\d)/i.exec(
      written,
    );
  if (!match) return undefined;
  const [whole, thing, number] = match;
  const spoken = thing!.toLowerCase();
  const name = words[spoken] ?? spoken.replaceAll(" ", "_");
  if (name !== parameter || !parameterFact(name)) return undefined;
  const end = comment.start + whole.length;
  return { start: end - number!.length, end, text: number! };
}
