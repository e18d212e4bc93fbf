import { typeInWords } from "../grammar/create-request.js";
import { parametersOf } from "../grammar/tree.js";
import { booleanTexts, readInt, readParameter, readValue } from "../grammar/values.js";
import { parameterFact, standing, type ParameterType } from "../src/facts/parameters.js";
import { within } from "../src/facts/release.js";
import { rule } from "../src/rule.js";

export default rule({
  id: "parameter-type",
  group: "parameters",
  severity: "error",
  summary: "Value of the wrong type",
  why: `
\`ollama create\` stops with \`invalid int value [8k]\`, \`invalid float value [0,7]\` or \`invalid bool value
[yes]\`. A whole number has digits and a sign, nothing else: no \`k\`, no \`_\`, no \`.0\`. A boolean is one of
1, t, T, true, TRUE, True, 0, f, F, false, FALSE, False. Blanks inside quotes count.
`,
  says: [
    { at: "load", text: 'option "use_mmap" must be of type boolean', from: "0.1.46", to: "0.1.48" },
  ],
  examples: [
    {
      bad: "FROM llama3.2\nPARAMETER num_ctx 8k\n",
      good: "FROM llama3.2\nPARAMETER num_ctx 8192\n",
      message: 'num_ctx takes a whole number, not "8k". Did you mean 8192?',
    },
    {
      bad: "FROM llama3.2\nPARAMETER num_ctx 4096.0\n",
      good: "FROM llama3.2\nPARAMETER num_ctx 4096\n",
      message: 'num_ctx takes a whole number, not "4096.0". Did you mean 4096?',
    },
    {
      bad: "FROM llama3.2\nPARAMETER use_mmap yes\n",
      good: "FROM llama3.2\nPARAMETER use_mmap true\n",
      message: 'use_mmap takes true or false, not "yes". Did you mean true?',
    },
    {
      bad: "FROM llama3.2\nPARAMETER temperature 0,7\n",
      good: "FROM llama3.2\nPARAMETER temperature 0.7\n",
      message: 'temperature takes a number, not "0,7". Did you mean 0.7?',
    },
    {
      bad: "FROM llama3.2\nPARAMETER seed 9999999999999999999\n",
      message: 'seed takes a whole number, not "9999999999999999999".',
    },
    {
      bad: "FROM llama3.2\nPARAMETER use_mmap true\n",
      ollama: "0.1.47",
      message: "Ollama 0.1.47 cannot load a model whose Modelfile sets use_mmap.",
      fails: "load",
    },
  ],

  *check(file, { release }) {
    for (const node of parametersOf(file)) {
      const { parameter: name, value } = node;
      if (!value || value.text === "" || node.flaws.length > 0) continue;
      if (standing(name, release) !== "accepted") continue;
      const fact = parameterFact(name)!;
      const broken = fact.broken?.find((span) => within(release, span));
      if (broken) {
        yield {
          at: value,
          message: `Ollama ${release.version} cannot load a model whose Modelfile sets ${name}.`,
          help: `It says: ${broken.error}. Fixed in 0.2.0.`,
        };
        continue;
      }
      if (readParameter(name, value.text, release).ok) continue;
      // A comment, an equals sign or apostrophes are the cause then, and have rules of their own.
      if (/[ \t]#|^[=:][ \t]|^'.*'$/.test(value.text)) continue;
      const guess = meant(fact.type, value.text);
      const shown = value.text.length > 40 ? `${value.text.slice(0, 39)}…` : value.text;
      yield {
        at: value,
        message: `${name} takes ${typeInWords(name)}, not "${shown}".${
          guess === undefined ? "" : ` Did you mean ${guess}?`
        }`,
        ...(fact.type === "bool" && { help: `Valid: ${booleanTexts.join(", ")}.` }),
        ...(guess !== undefined && {
          fix: {
            title: `Replace with ${guess}`,
            safety: "safe",
            edits: [{ start: value.start, end: value.end, text: guess }],
          },
        }),
      };
    }
  },
});

/** What the author most likely meant, where that is plain. */
function meant(type: ParameterType, text: string): string | undefined {
  const plain = text.trim().replace(/^["'](.*)["']$/, "$1");
  if (type === "bool") {
    if (/^(?:yes|on|y|enabled?)$/i.test(plain) || /^true$/i.test(plain)) return "true";
    if (/^(?:no|off|n|disabled?)$/i.test(plain) || /^false$/i.test(plain)) return "false";
    return undefined;
  }
  const grouped = plain.replaceAll(/(?<=\d)[_ ](?=\d)/g, "");
  if (type === "int") {
    const scaled = /^(\d{1,6})\s*([kKmM])(?:i?[bB])?$/.exec(grouped);
    if (scaled) return `${Number(scaled[1]) * (/k/i.test(scaled[2]!) ? 1024 : 1024 * 1024)}`;
    const thousands = /^\d{1,3}(?:,\d{3})+$/.test(grouped) ? grouped.replaceAll(",", "") : grouped;
    if (readInt(thousands) !== undefined) return `${readInt(thousands)}`;
    const number = /^[+-]?\d+(?:\.\d+)?(?:[eE]\+?\d+)?$/.test(thousands)
      ? Number(thousands)
      : Number.NaN;
    return Number.isSafeInteger(number) ? `${number}` : undefined;
  }
  const point = grouped.replace(/^([+-]?\d+),(\d+)$/, "$1.$2").replace(/[fF]$/, "");
  return point !== text && readValue("float", point) ? point : undefined;
}
