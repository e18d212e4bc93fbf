import { rule } from "../src/rule.js";

export default rule({
  id: "private-data",
  group: "safety",
  severity: "warning",
  optional: true,
  summary: "Prompt with an address, or with a path that holds somebody's name",
  why: `
SYSTEM, TEMPLATE and MESSAGE become part of the model: \`ollama show\` prints them, and \`ollama push\` publishes them. An
e-mail address, the address of a machine in one's own network, or a path below somebody's home folder is known to
everybody then.
`,
  examples: [
    {
      bad: "FROM llama3.2\nSYSTEM Ask ada.byron@lovelace.dev when in doubt.\n",
      message: '"ada.byron@lovelace.dev" is an e-mail address, and becomes part of the model.',
    },
    {
      bad: "FROM llama3.2\nSYSTEM Notes lie in /home/ada/notes.\n",
      message: '"/home/ada" is somebody\'s home folder, and becomes part of the model.',
    },
    {
      bad: "FROM llama3.2\nSYSTEM The printer is 192.168.1.20.\n",
      message: '"192.168.1.20" is a machine of your own network, and becomes part of the model.',
    },
  ],

  *check(file) {
    for (const node of file.statements) {
      const isText =
        node.kind === "message" ||
        (node.kind === "instruction" && (node.name === "SYSTEM" || node.name === "TEMPLATE"));
      if (!isText || !node.value) continue;
      const { start, end } = node.value.content;
      const written = file.text.slice(start, end);
      for (const { what, shape } of kinds) {
        const match = [...written.matchAll(shape)].find(([text]) => !isExample(text));
        if (!match) continue;
        const from = start + match.index;
        yield {
          at: { start: from, end: from + match[0].length },
          message: `"${match[0]}" is ${what}, and becomes part of the model.`,
        };
      }
    }
  },
});

/** Of each kind one finding a text. Networks: RFC 1918. */
const kinds: readonly { what: string; shape: RegExp }[] = [
  {
    what: "an e-mail address",
    shape: /(?<![\w.@/:-])[\w.+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,4}[A-Za-z]{2,24}(?![\w@:])/g,
  },
  {
    what: "somebody's home folder",
    shape: /(?<![\w.])(?:\/(?:home|Users)\/|[A-Za-z]:\\Users\\)[\w.-]{2,32}(?![\w-])/g,
  },
  {
    what: "a machine of your own network",
    shape:
      /(?<![\d.])(?:10\.\d{1,3}|172\.(?:1[6-9]|2\d|3[01])|192\.168)\.\d{1,3}\.\d{1,3}(?![\d/]|\.\d)/g,
  },
];

/** RFC 2606 names, and the users of documentation. */
function isExample(text: string): boolean {
  return /example|domain\.|company\.|[@/\\](?:user(?:name)?|you|your\w*|me|ubuntu|Shared|Public)$/i.test(
    text,
  );
}
