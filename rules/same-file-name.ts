import { since } from "../src/facts/release.js";
import { filesOf, fromsOf, type From } from "../src/ollama/from.js";
import type { FileFacts } from "../src/models/local-files.js";
import { rule } from "../src/rule.js";

export default rule({
  id: "same-file-name",
  group: "references",
  severity: "warning",
  summary: "Files of different folders with one name, of which Ollama keeps one",
  why: `
The command sends files to the server by their names without folders (cmd/cmd.go CreateHandler), so that of two with the same name one
is lost, and \`ollama create\` says nothing: a model without its projector is made, or a projector without its model.
`,
  examples: [
    {
      bad: "FROM ./text/model.gguf\nFROM ./vision/model.gguf\n",
      files: {
        "text/model.gguf": {},
        "vision/model.gguf": { "general.architecture": "clip" },
      },
      message:
        '"./vision/model.gguf" has the name of "./text/model.gguf", and Ollama keeps one of them.',
    },
  ],

  *check(file, { release, localFrom, files }) {
    if (!since(release, "0.5.5")) return;
    const first = new Map<string, From>();
    for (const from of filesOf(fromsOf(file, localFrom), release)) {
      const name = fileName(from.text, files?.get(from.text));
      if (name === undefined) continue;
      const before = first.get(name);
      if (!before) first.set(name, from);
      else if (plain(before.text) !== plain(from.text)) {
        yield {
          at: from.value,
          message: `"${from.text}" has the name of "${before.text}", and Ollama keeps one of them.`,
          help: "Give one of them another name.",
          related: [{ at: before.value, message: "This is the other one." }],
        };
      }
    }
  },
});

/** Of a file, by what lies there where somebody looked, and by its ending otherwise. */
function fileName(text: string, facts: FileFacts | undefined): string | undefined {
  const isFile = facts ? facts.kind === "file" : /\.gguf$/i.test(text);
  return isFile ? text.split(/[\\/]/).at(-1) : undefined;
}

/** Equal for two ways to write one path. */
function plain(path: string): string {
  const parts: string[] = [];
  for (const part of path.replaceAll("\\", "/").split("/")) {
    if (part === "..") parts.pop();
    else if (part !== ".") parts.push(part);
  }
  return parts.join("/");
}
