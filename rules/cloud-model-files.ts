import { parseReference } from "../grammar/model-name.js";
import { decidingFrom } from "../grammar/tree.js";
import { since } from "../src/facts/release.js";
import { rule } from "../src/rule.js";

export default rule({
  id: "cloud-model-files",
  group: "references",
  severity: "error",
  summary: "ADAPTER or DRAFT for a model in the cloud",
  why: `
A model called \`:cloud\` or \`-cloud\` runs at ollama.com since 0.18.0. \`ollama create\` drops an ADAPTER without a
word, and stops at a draft model: \`DRAFT cannot be used with remote models\`.
`,
  says: [{ at: "create", text: "DRAFT cannot be used with remote models" }],
  examples: [
    {
      bad: "FROM gpt-oss:120b-cloud\nDRAFT ./draft.gguf\n",
      message: '"gpt-oss:120b-cloud" runs in the cloud, and takes no DRAFT.',
      fails: "create",
    },
    {
      bad: "FROM gpt-oss:120b-cloud\nADAPTER ./style.gguf\n",
      severity: "warning",
      message: 'ADAPTER is dropped: "gpt-oss:120b-cloud" runs in the cloud.',
    },
  ],

  *check(file, { release, localFrom }) {
    const from = decidingFrom(file)?.value;
    if (!from || localFrom?.has(from.text) || !since(release, "0.18.0")) return;
    const reference = parseReference(from.text);
    if (!reference.ok || reference.source !== "cloud") return;
    for (const node of file.statements) {
      if (node.kind !== "instruction" || !node.value?.text) continue;
      if (node.name === "DRAFT" && since(release, "0.30.0")) {
        yield {
          at: node.keyword,
          message: `"${from.text}" runs in the cloud, and takes no DRAFT.`,
        };
      } else if (node.name === "ADAPTER") {
        yield {
          at: node.keyword,
          severity: "warning",
          message: `ADAPTER is dropped: "${from.text}" runs in the cloud.`,
        };
      }
    }
  },
});
