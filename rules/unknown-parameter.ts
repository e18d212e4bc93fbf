import { isInstruction } from "../grammar/create-request.js";
import { parametersOf, type Modelfile, type Parameter } from "../grammar/tree.js";
import {
  foreignHelp,
  foreignParameter,
  plainName,
  type ForeignParameter,
} from "../src/facts/foreign-parameters.js";
import { acceptedParameters, parameterFact } from "../src/facts/parameters.js";
import type { Release } from "../src/facts/release.js";
import type { Change, Fix, Report } from "../src/finding.js";
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
      bad: "FROM llama3.2\nPARAMETER --no-mmap true\n",
      good: "FROM llama3.2\nPARAMETER use_mmap false\n",
      message: 'Unknown parameter "--no-mmap", llama.cpp\'s name.',
    },
    {
      bad: "FROM llama3.2\nPARAMETER max_length 200\n",
      good: "FROM llama3.2\nPARAMETER num_predict 200\n",
      message:
        'Unknown parameter "max_length", the name in transformers. "num_predict" is next to it.',
    },
    {
      bad: "FROM llama3.2\nPARAMETER OLLAMA_NUM_PARALLEL 4\n",
      good: "FROM llama3.2\n",
      message: 'Unknown parameter "OLLAMA_NUM_PARALLEL", a setting of the server, not of a model.',
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
  const { parameter: name, parameterSpan: at } = node;
  const accepted = acceptedParameters(release);
  if (accepted.includes(name)) {
    return {
      at,
      message: `Characters that cannot be seen stand in the name "${name}".`,
      fix: { title: "Remove them", safety: "safe", edits: [{ ...at, text: name }] },
    };
  }
  const foreign = foreignParameter(name);
  if (foreign) return foreignReport(file, node, foreign, accepted);
  const guess = likely(name, accepted);
  return {
    at,
    message: `Unknown parameter "${name}".${guess ? ` Did you mean "${guess}"?` : ""}`,
    ...(guess ? { fix: safe(replaced(node, guess)) } : { help: `Valid: ${accepted.join(", ")}.` }),
  };
}

/** The file is refused as it stands, so that whatever means the same in it is a safe fix. */
function foreignReport(
  file: Modelfile,
  node: Parameter,
  foreign: ForeignParameter,
  accepted: readonly string[],
): Report {
  const { use } = foreign;
  const named = use !== undefined && accepted.includes(use);
  const carries = foreign.value === undefined && !hasOtherMeaning(node, foreign);
  const near = foreign.value === "other";
  const advice = !named ? "" : near ? ` "${use}" is next to it.` : ` Use "${use}".`;
  const help =
    foreignHelp(foreign) ??
    (hasOtherMeaning(node, foreign)
      ? `${node.value?.text} means something else there.`
      : undefined);
  const become = becomes(file, node, foreign, accepted);
  const fix =
    become ??
    (named && carries ? replaced(node, use) : undefined) ??
    (foreign.remove ? removed(file, node) : undefined);
  return {
    at: node.parameterSpan,
    message: `Unknown parameter "${node.parameter}", ${foreign.is}.${advice}`,
    ...(help !== undefined && { help }),
    ...(fix && { fix: safe(fix) }),
    ...(!fix && named && { suggestions: [replaced(node, use)] }),
  };
}

/** Names that differ in case and separators alone, then those that are a slip away. */
function likely(name: string, accepted: readonly string[]): string | undefined {
  const plain = name.replaceAll(/["'`]/g, "").replaceAll(/[^\w]+/g, "_");
  const same = accepted.find((one) => plainName(one) === plainName(plain));
  return same ?? nearest(plain, accepted);
}

/** `ctx_size 0` is the model's own context in llama.cpp, and four tokens in Ollama. */
function hasOtherMeaning({ value }: Parameter, { except }: ForeignParameter): boolean {
  return except?.includes(value?.text.toLowerCase() ?? "") ?? false;
}

/** The whole setting in Ollama's words, where name and value change together. */
function becomes(
  file: Modelfile,
  node: Parameter,
  { becomes: table }: ForeignParameter,
  accepted: readonly string[],
): Change | undefined {
  const text = node.value && table?.[node.value.text.toLowerCase()];
  if (text === undefined || !node.value) return undefined;
  if (text === "") return removed(file, node);
  if (!accepted.includes(text.split(" ")[0]!)) return undefined;
  const { start } = node.parameterSpan;
  return { title: `Replace with ${text}`, edits: [{ start, end: node.value.end, text }] };
}

function replaced({ parameterSpan }: Parameter, text: string): Change {
  return { title: `Replace with ${text}`, edits: [{ ...parameterSpan, text }] };
}

function removed(file: Modelfile, node: Parameter): Change {
  return { title: "Remove the line", edits: [removeLine(file, node)] };
}

function safe(change: Change): Fix {
  return { ...change, safety: "safe" };
}
