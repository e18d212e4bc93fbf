import { faultyPart, parseName, parseReference } from "../grammar/model-name.js";
import { decidingFrom } from "../grammar/tree.js";
import { rule } from "../src/rule.js";

export default rule({
  id: "invalid-model-name",
  group: "references",
  severity: "error",
  summary: "FROM with text that is no model's name",
  why: `
The server answers \`invalid model name\`. A name is \`[host/][namespace/]model[:tag]\`; its parts start with
a letter, a digit or \`_\` and hold letters, digits, \`_\`, \`-\` and, in model and tag, \`.\`; namespace, model
and tag have at most 80 characters. A path that does not exist is taken for a name as well.
`,
  examples: [
    {
      bad: "FROM my model\n",
      message: '"my model" is no model name: the model may not hold " ".',
    },
    {
      bad: "FROM <base model>\n",
      message: '"<base model>" is a placeholder, no model name.',
    },
    {
      bad: "FROM llama3.2@sha256:abc\n",
      message: '"llama3.2@sha256:abc" names a digest, which Ollama does not take since 0.2.0.',
    },
    {
      bad: "FROM hf.co/a.b/c:Q4_K_M\n",
      message: '"hf.co/a.b/c:Q4_K_M" is no model name: the namespace may not hold ".".',
    },
  ],

  *check(file, { localFrom }) {
    // Of several names the last one counts, and the others are not looked at.
    const value = decidingFrom(file)?.value;
    if (!value || value.text === "" || /[ \t]#/.test(value.text)) return;
    if (parseReference(value.text).ok || looksLikePath(value.text)) return;
    // What is there on disk is no name at all.
    if (localFrom?.has(value.text)) return;
    yield { at: value, message: message(value.text) };
  },
});

/** Whether FROM's text is meant as a path; whether it exists is another question. */
function looksLikePath(text: string): boolean {
  return /^(?:[./~\\]|[A-Za-z]:[\\/])/.test(text) || /\\|\.(?:gguf|bin|safetensors)$/i.test(text);
}

function message(text: string): string {
  const shown = text.length > 50 ? `${text.slice(0, 49)}…` : text;
  if (/^[<{[$].*[>}\]]$|^__\w+__$|^\$\w+$/.test(text))
    return `"${shown}" is a placeholder, no model name.`;
  const reference = parseReference(text);
  if (!reference.ok && reference.base === undefined) {
    return `"${shown}" says both :local and :cloud. Use one.`;
  }
  const name = parseName(reference.ok ? text : reference.base!);
  if (/@sha256/.test(text)) {
    return `"${shown}" names a digest, which Ollama does not take since 0.2.0.`;
  }
  const part = faultyPart(name)!;
  const written = name[part];
  if (written === "!MISSING!") return `"${shown}" is no model name: the ${part} is missing.`;
  const limit = part === "host" ? 350 : 80;
  if (written.length > limit) {
    return `"${shown}" is no model name: the ${part} has ${written.length} of at most ${limit} characters.`;
  }
  const allowed = { host: /[\w.:-]/, namespace: /[\w-]/, model: /[\w.-]/, tag: /[\w.-]/ }[part];
  const odd = [...written].find((character) => !allowed.test(character));
  if (odd === undefined)
    return `"${shown}" is no model name: the ${part} may not start with "${written[0]}".`;
  return `"${shown}" is no model name: the ${part} may not hold "${odd}".`;
}
