import { rule } from "../src/rule.js";
import { isBlob } from "./blob-path.js";

/** Home folders of Linux, macOS and Windows, and whose they are. */
const home =
  /^(?:\/(?:home|Users)\/(?<user>[^/]+)|\/(?<root>root)|[A-Z]:[\\/]+Users[\\/]+(?<windows>[^\\/]+))(?=[\\/])/i;

export default rule({
  id: "absolute-path",
  group: "references",
  severity: "info",
  summary: "Path into somebody's home folder",
  why: `
The path is right on one machine and for one person only: elsewhere \`ollama create\` does not find the file, takes
FROM for a model's name, and stops with \`invalid model name\`. A path that begins with \`./\` counts from the
Modelfile's own folder.
`,
  says: [{ at: "create", text: "invalid model name" }],
  examples: [
    {
      bad: "FROM /home/ada/models/tuned.gguf\n",
      message: 'The path leads into the home folder of ada, "/home/ada".',
    },
  ],

  *check(file) {
    for (const node of file.statements) {
      if (node.kind !== "instruction" || !["FROM", "ADAPTER", "DRAFT"].includes(node.name))
        continue;
      const { value } = node;
      if (!value || node.flaws.length > 0 || isBlob(value.text)) continue;
      const match = home.exec(value.text);
      if (!match) continue;
      const { user, root, windows } = match.groups!;
      const name = value.text.split(/[\\/]+/).at(-1)!;
      yield {
        at: value,
        message: `The path leads into the home folder of ${user ?? root ?? windows}, "${match[0]}".`,
        ...(name !== "" && { help: `Keep it beside the Modelfile, and write ./${name}.` }),
      };
    }
  },
});
