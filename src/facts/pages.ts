const docs = "https://github.com/modelfile-lint/modelfile-lint/blob/main/docs";

/** A rule's page. */
export function ruleUrl(rule: string): string {
  return `${docs}/rules/${rule}.md`;
}

/** A page on how something works. */
export function docsUrl(page: "memory" | "releases" | "templates"): string {
  return `${docs}/${page}.md`;
}

/** Sections of Ollama's own reference (docs/modelfile.mdx); it has none on the other instructions. */
const sections: Readonly<Record<string, string>> = {
  FROM: "#from-required",
  PARAMETER: "#parameter",
  TEMPLATE: "#template",
  SYSTEM: "#system",
  ADAPTER: "#adapter",
  LICENSE: "#license",
  MESSAGE: "#message",
  REQUIRES: "#requires",
};

/** Ollama's own reference, at an instruction's section where there is one. */
export function modelfileUrl(instruction: string): string {
  return `https://docs.ollama.com/modelfile${sections[instruction] ?? ""}`;
}
