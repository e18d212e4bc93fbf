import type { Language } from "./literals.js";

/** What a file is searched as. */
export type Kind = "dockerfile" | "markdown" | "powershell" | "shell" | "yaml" | Language;

const byExtension: Readonly<Record<string, Kind>> = {
  bash: "shell",
  cjs: "javascript",
  containerfile: "dockerfile",
  cts: "javascript",
  dockerfile: "dockerfile",
  go: "go",
  js: "javascript",
  jsx: "javascript",
  ksh: "shell",
  markdown: "markdown",
  md: "markdown",
  mdx: "markdown",
  mjs: "javascript",
  mts: "javascript",
  ps1: "powershell",
  psm1: "powershell",
  py: "python",
  rs: "rust",
  sh: "shell",
  ts: "javascript",
  tsx: "javascript",
  yaml: "yaml",
  yml: "yaml",
  zsh: "shell",
};

/** Words behind an opening fence that are no extension of a file. */
const byLanguage: Readonly<Record<string, Kind>> = {
  console: "shell",
  docker: "dockerfile",
  golang: "go",
  javascript: "javascript",
  powershell: "powershell",
  pwsh: "powershell",
  python: "python",
  rust: "rust",
  shell: "shell",
  "shell-session": "shell",
  shellsession: "shell",
  terminal: "shell",
  typescript: "javascript",
};

/** What a file is searched as, by its name alone; undefined: as nothing. */
export function kindOfName(path: string): Kind | undefined {
  const name = path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);
  const lower = name.toLowerCase();
  if (/^(?:dockerfile|containerfile)(?:\.|$)/.test(lower)) return "dockerfile";
  if (lower === "readme") return "markdown";
  const dot = lower.lastIndexOf(".");
  const extension = dot < 0 ? "" : lower.slice(dot + 1);
  return Object.hasOwn(byExtension, extension) ? byExtension[extension] : undefined;
}

/** What a fenced code block with this language is searched as. */
export function kindOfLanguage(language: string): Kind | undefined {
  if (Object.hasOwn(byLanguage, language)) return byLanguage[language];
  return Object.hasOwn(byExtension, language) ? byExtension[language] : undefined;
}

/** Whether Modelfiles are looked for in a file of that name. */
export function mayHoldModelfiles(path: string): boolean {
  return kindOfName(path) !== undefined;
}
