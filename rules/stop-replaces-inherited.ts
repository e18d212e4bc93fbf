import { instructionsNamed, parametersOf } from "../grammar/tree.js";
import { insertLineAfter } from "../src/fix/lines.js";
import { rule } from "../src/rule.js";

export default rule({
  id: "stop-replaces-inherited",
  group: "parameters",
  severity: "warning",
  summary: "Stop list that drops the base model's own",
  why: `
One \`PARAMETER stop\` replaces the whole list that the base model brings. Without its end-of-turn token
the model goes on talking to itself where the template and the tokenizer do not end the turn.
`,
  needs: "model",
  about: ["stop"],
  examples: [
    {
      bad: 'FROM gemma3:4b\nPARAMETER stop "###"\n',
      good: 'FROM gemma3:4b\nPARAMETER stop "###"\nPARAMETER stop "<end_of_turn>"\n',
      message: 'This list replaces that of "gemma3:4b": "<end_of_turn>" is lost.',
    },
  ],

  *check(file, { model }) {
    const stops = parametersOf(file).filter(
      ({ parameter, value }) => parameter === "stop" && value,
    );
    // A template of one's own ends its turns in its own way.
    if (!model?.stop?.length || instructionsNamed(file, "TEMPLATE").length > 0) return;
    const kept = new Set(stops.map(({ value }) => value!.text));
    const lost = model.stop.filter((text) => !kept.has(text));
    if (lost.length === 0) return;
    const last = stops.at(-1)!;
    yield {
      at: stops[0]!.parameterSpan,
      message: `This list replaces that of "${model.name}": ${lost.map((text) => `"${text}"`).join(", ")} ${
        lost.length === 1 ? "is" : "are"
      } lost.`,
      suggestions: [
        {
          title: "Add what is lost",
          edits: [
            {
              ...insertLineAfter(file, last, ""),
              text: lost
                .map((text) => insertLineAfter(file, last, `PARAMETER stop "${text}"`).text)
                .join(""),
            },
          ],
        },
      ],
    };
  },
});
