/** A way to write a Modelfile into another file. */
export interface Written {
  name: string;
  path: string;
  /** Undefined for a text that cannot be written so. */
  around: (text: string) => string | undefined;
}

function lines(text: string): string[] {
  return text.split("\n").slice(0, -1);
}

function indented(text: string, prefix: string): string {
  return lines(text)
    .map((line) => (line === "" ? prefix.trimEnd() : prefix + line) + "\n")
    .join("");
}

/** Each line with all of the prefix, empty ones too. */
function prefixed(text: string, prefix: string): string {
  return lines(text)
    .map((line) => `${prefix}${line}\n`)
    .join("");
}

const fence = /^[ \t]*(?:`{4,}|~{3,})[ \t]*$/m;

function fenced(prefix: string, first: string, open: string, close: string) {
  return (text: string) =>
    fence.test(text)
      ? undefined
      : `# Models\n\nThis one:\n\n${first}${open}\n${indented(text, prefix)}${prefix}${close}\n\nAnd so on.\n`;
}

function heredoc(before: string, after: string, tabs = "") {
  return (text: string) =>
    /^\t*EOF$/m.test(text) || (tabs !== "" && /^\t/m.test(text))
      ? undefined
      : `#!/bin/sh\nset -e # don't go on\n${before}\n${indented(text, tabs)}${tabs}EOF\n${after}`;
}

const shellEscaped = (text: string) => text.replace(/[\\$`]/g, "\\$&");

/** YAML takes the indentation of the first line for that of all. */
function block(before: string, prefix: string, after: string) {
  return (text: string) =>
    /^\s/.test(text) || !/\S\n$/.test(text)
      ? undefined
      : before + indented(text, prefix) + after;
}

export const writtens: readonly Written[] = [
  {
    name: "a fence",
    path: "README.md",
    around: fenced("", "", "````modelfile", "````"),
  },
  {
    name: "an indented fence of tildes",
    path: "docs/a.markdown",
    around: fenced("  ", "  ", "~~~ dockerfile", "~~~~"),
  },
  {
    name: "a fence in a list",
    path: "a.mdx",
    around: fenced("     ", "  1. ", "````Modelfile title=x", "````"),
  },
  {
    name: "a fence in a list in a quote",
    path: "README",
    around: fenced("> - > ".replace("-", " "), "> - > ", "````", "````"),
  },
  {
    name: "a fence with Windows line ends",
    path: "a.md",
    around: (text) => fenced("> ", "> ", "````", "````")(text)?.replaceAll("\n", "\r\n"),
  },
  {
    name: "a heredoc",
    path: "a.sh",
    around: heredoc("cat > Modelfile <<'EOF'", "ollama create a\n"),
  },
  {
    name: "an indented heredoc",
    path: "a.bash",
    around: heredoc(
      "if true; then\n\tsudo tee /srv/Modelfile > /dev/null <<-\"EOF\"",
      "fi\n",
      "\t",
    ),
  },
  {
    name: "a heredoc that expands",
    path: "a.zsh",
    around: (text) =>
      heredoc("ollama create it -f - << EOF", "")(text) &&
      heredoc("ollama create it -f - << EOF", "")(shellEscaped(text)),
  },
  {
    name: "echo",
    path: "a.sh",
    around: (text) =>
      text.includes("\\")
        ? undefined
        : lines(text)
            .map((line, index) => {
              const mark = index === 0 ? ">" : ">>";
              return `echo "${shellEscaped(line).replaceAll('"', '\\"')}" ${mark} Modelfile\n`;
            })
            .join(""),
  },
  {
    name: "printf",
    path: "install",
    around: (text) =>
      text.includes("'")
        ? undefined
        : `#!/usr/bin/env bash\nprintf '${text
            .replaceAll("\\", "\\\\")
            .replaceAll("%", "%%")
            .replaceAll("\n", "\\n")}' | tee Modelfile\n`,
  },
  {
    name: "a Dockerfile",
    path: "Dockerfile",
    around: heredoc("FROM ollama/ollama\nRUN cat <<'EOF' > /Modelfile", "CMD serve\n"),
  },
  {
    name: "COPY",
    path: "docker/ollama.dockerfile",
    around: (text) =>
      heredoc("FROM ollama/ollama\nCOPY <<EOF /Modelfile", "")(text) &&
      heredoc("FROM ollama/ollama\nCOPY <<EOF /Modelfile", "")(shellEscaped(text)),
  },
  {
    name: "a ConfigMap",
    path: "k8s/models.yaml",
    around: block("kind: ConfigMap\ndata:\n  Modelfile: |\n", "    ", "  other: x\n"),
  },
  {
    name: "a block scalar that says its indentation",
    path: "a.yml",
    around: (text) =>
      /\S\n$/.test(text)
        ? `data:\r\n  a.Modelfile: |2 # two\r\n${prefixed(text, "    ").replaceAll("\n", "\r\n")}`
        : undefined,
  },
  {
    name: "a quoted scalar",
    path: "a.yaml",
    around: (text) => `{ "x": ["Modelfile"], "Modelfile": ${JSON.stringify(text)} }\n`,
  },
  {
    name: "a workflow's script",
    path: ".github/workflows/a.yml",
    around: (text) => {
      const script = heredoc("cat <<'EOF' >Modelfile", "")(text);
      return script && block("jobs:\n  a:\n    steps:\n      - run: |\n", "          ", "")(script);
    },
  },
  {
    name: "Python",
    path: "a.py",
    around: (text) =>
      `# it's\nMODELFILE = """\\\n${text.replaceAll("\\", "\\\\").replaceAll('"""', '\\"\\"\\"').replace(/"$/, '\\"')}"""\n`,
  },
  {
    name: "a formatted literal of Python",
    path: "a.py",
    around: (text) =>
      `ollama.create(\n  "it",\n  modelfile=f'''${text
        .replaceAll("\\", "\\\\")
        .replaceAll("'", "\\'")
        .replace(/[{}]/g, "$&$&")}''')\n`,
  },
  {
    name: "TypeScript",
    path: "a.ts",
    around: (text) =>
      `// it's\nconst modelfile: string = \`${text.replace(/[\\`$]/g, "\\$&")}\`;\n`.replaceAll(
        "\n",
        "\r\n",
      ),
  },
  {
    name: "Go",
    path: "a.go",
    around: (text) =>
      text.includes("`") ? undefined : `func f() {\n\tmodelfile := \`${text}\`\n}\n`,
  },
  {
    name: "Rust",
    path: "a.rs",
    around: (text) =>
      text.includes('"#') ? undefined : `fn f<'a>() { let modelfile = r#"${text}"#; }\n`,
  },
  {
    name: "PowerShell",
    path: "a.ps1",
    around: (text) =>
      /^"@/m.test(text)
        ? undefined
        : `$x = "it's"\n@"\n${text.replace(/[`$]/g, "`$&")}"@ | Set-Content Modelfile\n`,
  },
  {
    name: "a script in a list of a page",
    path: "a.md",
    around: (text) => {
      const script = heredoc("cat > Modelfile <<'EOF'", "")(text);
      return script && fenced("   ", "1. ", "````bash", "````")(script);
    },
  },
];
