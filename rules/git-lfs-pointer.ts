import { rule } from "../src/rule.js";
import { pointedAt } from "../src/ollama/pointed-at.js";

export default rule({
  id: "git-lfs-pointer",
  group: "references",
  severity: "error",
  summary: "Git LFS pointer in place of a model's file",
  why: `
A repository that was cloned without Git LFS holds small text files in place of the weights, and Ollama cannot
read them: \`invalid file magic\` (ollama #5245), or \`supplied file was not in GGUF format\`. \`git lfs pull\`
fetches the files themselves.
`,
  says: [
    { at: "create", text: "invalid file magic" },
    { at: "create", text: "supplied file was not in GGUF format" },
    { at: "create", text: "no Modelfile or safetensors files found" },
  ],
  examples: [
    {
      bad: "FROM ./model.gguf\n",
      files: {
        "model.gguf":
          "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 4661211424\n",
      },
      message: '"./model.gguf" is a Git LFS pointer and not the file itself.',
      fails: "create",
    },
    {
      bad: "FROM ./llama\n",
      files: {
        "llama/config.json": "{}",
        "llama/model.safetensors":
          "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 4661211424\n",
      },
      message: '"./llama" holds a Git LFS pointer in place of model.safetensors.',
      fails: "create",
    },
  ],

  *check(file, context) {
    for (const { value, text, facts } of pointedAt(file, context)) {
      const help = "Run `git lfs pull` in its folder.";
      if (facts.kind === "file" && facts.content === "git-lfs-pointer") {
        const message = `"${text}" is a Git LFS pointer and not the file itself.`;
        yield { at: value, message, help };
      }
      const [first, ...more] = facts.kind === "folder" ? facts.pointers : [];
      if (first === undefined) continue;
      const message =
        more.length === 0
          ? `"${text}" holds a Git LFS pointer in place of ${first}.`
          : `"${text}" holds Git LFS pointers in place of ${first} and ${more.length} more.`;
      yield { at: value, message, help };
    }
  },
});
