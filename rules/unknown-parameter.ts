import { isInstruction } from "../grammar/create-request.js";
import { parametersOf, type Modelfile, type Parameter } from "../grammar/tree.js";
import { foreignParameter } from "../src/facts/foreign-parameters.js";
import { acceptedParameters, parameterFact } from "../src/facts/parameters.js";
import type { Release } from "../src/facts/release.js";
import type { Fix, Report } from "../src/finding.js";
import { removeLine } from "../src/fix/lines.js";
import { nearest } from "../src/nearest.js";
import { rule } from "../src/rule.js";

export default rule({
  id: "unknown-parameter",
  group: "parameters",
  severity: "error",
  summary: "Parameter that Ollama does not know",
  why: `
\`ollama create\` stops with \`unknown parameter 'temprature'\`, without a line number; a name with
anything but letters, digits and \`_\` in it gives \`unexpected EOF: top\`. Settings of other engines have
other names here, and settings of the server belong into its environment.
`,
  examples: [
    {
      bad: "FROM llama3.2\nPARAMETER temprature 0.7\n",
      good: "FROM llama3.2\nPARAMETER temperature 0.7\n",
      message: 'Unknown parameter "temprature". Did you mean "temperature"?',
    },
    {
      bad: "FROM llama3.2\nPARAMETER max_tokens 256\n",
      good: "FROM llama3.2\nPARAMETER num_predict 256\n",
      message: 'Unknown parameter "max_tokens", the OpenAI API\'s name. Use "num_predict".',
    },
    {
      bad: "FROM llama3.2\nPARAMETER top-k 4\n",
      good: "FROM llama3.2\nPARAMETER top_k 4\n",
      message: 'Unknown parameter "top-k". Did you mean "top_k"?',
    },
    {
      bad: "FROM llama3.2\nPARAMETER tensor_split 8,8,8,7\n",
      good: "FROM llama3.2\n",
      message:
        'Unknown parameter "tensor_split", llama.cpp\'s layer split over cards, not a Modelfile parameter.',
    },
    {
      bad: "FROM llama3.2\nPARAMETER \u200btop_k 4\n",
      good: "FROM llama3.2\nPARAMETER top_k 4\n",
      message: 'Characters that cannot be seen stand in the name "top_k".',
    },
    {
      bad: "FROM llama3.2\nPARAMETER wisdom 9\n",
      message: 'Unknown parameter "wisdom".',
    },
  ],

  *check(file, { release }) {
    for (const node of parametersOf(file)) {
      const bad = node.flaws.some(({ kind }) => kind === "bad-name");
      // An empty name, another case, a reserved word and a name of another release have rules of their own.
      if (node.parameter === "") continue;
      if (!bad && (parameterFact(node.parameter) || isInstruction(node.parameter))) continue;
      if (!bad && parameterFact(node.parameter.toLowerCase())) continue;
      yield report(file, node, release);
    }
  },
});

function report(file: Modelfile, node: Parameter, release: Release): Report {
  const { parameter: name } = node;
  const at = node.parameterSpan;
  const replace = (text: string): Fix => ({
    title: `Replace with ${text}`,
    safety: "safe",
    edits: [{ ...at, text }],
  });
  const accepted = acceptedParameters(release);
  if (accepted.includes(name)) {
    return {
      at,
      message: `Characters that cannot be seen stand in the name "${name}".`,
      fix: { title: "Remove them", safety: "safe", edits: [{ ...at, text: name }] },
    };
  }
  const foreign = foreignParameter(name);
  if (foreign && !accepted.includes(name)) {
    const use =
      foreign.use !== undefined && accepted.includes(foreign.use) ? foreign.use : undefined;
    return {
      at,
      message: `Unknown parameter "${name}", ${foreign.is}.${use ? ` Use "${use}".` : ""}`,
      ...(foreign.help !== undefined && { help: foreign.help }),
      ...(use && { fix: replace(use) }),
      ...(foreign.remove && {
        fix: { title: "Remove the line", safety: "safe", edits: [removeLine(file, node)] },
      }),
    };
  }
  const plain = name.replaceAll(/["'`]/g, "").replaceAll(/[^\w]+/g, "_");
  const guess = accepted.includes(plain.toLowerCase())
    ? plain.toLowerCase()
    : nearest(plain, accepted);
  return {
    at,
    message: `Unknown parameter "${name}".${guess ? ` Did you mean "${guess}"?` : ""}`,
    ...(guess ? { fix: replace(guess) } : { help: `Valid: ${accepted.join(", ")}.` }),
  };
}
