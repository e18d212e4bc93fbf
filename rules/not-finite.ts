import { parametersOf } from "../grammar/tree.js";
import { readParameter } from "../grammar/values.js";
import { rule } from "../src/rule.js";

export default rule({
  id: "not-finite",
  group: "parameters",
  severity: "error",
  summary: "Number that is not finite",
  why: `
\`nan\` and \`inf\` are numbers to Go, but not to JSON: \`ollama create\` reads them and then stops with
\`json: unsupported value: NaN\`.
`,
  examples: [
    {
      bad: "FROM llama3.2\nPARAMETER temperature nan\n",
      message: 'temperature takes a finite number, not "nan".',
    },
  ],

  *check(file, { release }) {
    for (const { parameter: name, value } of parametersOf(file)) {
      if (!value) continue;
      const read = readParameter(name, value.text, release);
      if (!read.ok || !("value" in read) || read.value.type !== "float") continue;
      if (Number.isFinite(read.value.value)) continue;
      yield { at: value, message: `${name} takes a finite number, not "${value.text}".` };
    }
  },
});
