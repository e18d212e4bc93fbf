import { instructionsNamed } from "../grammar/tree.js";
import { isSemver } from "../grammar/values.js";
import { rule } from "../src/rule.js";

export default rule({
  id: "requires-format",
  group: "releases",
  severity: "error",
  summary: "REQUIRES without a version",
  why: `
REQUIRES takes one version, \`0.14\` or \`0.14.0\`, and no range: \`ollama create\` stops with \`requires must be
a valid semver (e.g. 0.14.0)\`. It means that release and later ones anyway.
`,
  examples: [
    {
      bad: "FROM llama3.2\nREQUIRES >=0.14\n",
      good: "FROM llama3.2\nREQUIRES 0.14\n",
      message: 'REQUIRES takes a version such as 0.14.0, not ">=0.14".',
    },
    {
      bad: "FROM llama3.2\nREQUIRES latest\n",
      message: 'REQUIRES takes a version such as 0.14.0, not "latest".',
    },
  ],

  *check(file) {
    for (const { value, flaws } of instructionsNamed(file, "REQUIRES")) {
      if (!value || flaws.length > 0) continue;
      if (isSemver(value.text.startsWith("v") ? value.text : `v${value.text}`)) continue;
      if (/[ \t]#/.test(value.text)) continue;
      const inside = /\d+(?:\.\d+){0,2}/.exec(value.text)?.[0];
      const version = inside?.replaceAll(/(^|\.)0+(?=\d)/g, "$1");
      const one = value.text.match(/\d+(?:\.\d+)*/g)?.length === 1;
      yield {
        at: value.end > value.start ? value : { start: value.start - 1, end: value.start },
        message: `REQUIRES takes a version such as 0.14.0, not "${value.text}".`,
        ...(version !== undefined &&
          one && {
            fix: {
              title: `Replace with ${version}`,
              safety: "safe",
              edits: [{ start: value.start, end: value.end, text: version }],
            },
          }),
      };
    }
  },
});
