import type { VerbName } from "./verbs.js";

const main = `modelfile-lint: reads Ollama Modelfiles as Ollama does, and says what will happen

  modelfile-lint [PATH…]          lint files and folders; no path: this folder; -: standard input
  modelfile-lint plan FILE        what Ollama would do with this file on a machine
  modelfile-lint render FILE      the prompt that a chat becomes, and what makes it
  modelfile-lint parse FILE       what Ollama reads in this file, or its own error
  modelfile-lint explain RULE     a rule's page; or the rules behind an error of Ollama's
  modelfile-lint rules            every rule
  modelfile-lint format FILE…     layout alone, never meaning
  modelfile-lint compile FILE --to TARGET  the same model for another engine or API; --from: the way back
  modelfile-lint init             writes a commented configuration
  modelfile-lint model NAME|PATH  what is known of a model, and from where
  modelfile-lint machine [NAME]   the machines known by name, or one as a profile; detect: this one
  modelfile-lint lsp --stdio      the language server, for editors

Options of lint, and of plan where they make sense:

  --machine NAME|FILE   the machine that runs the model, or auto: this one; several times: each in turn
  --ollama VERSION|RANGE  the Ollama release that runs it (default: the newest known), or all releases of
                        a range: 0.6.x, "0.6.4 - 0.32", ">=0.12 <0.30", "<=0.24", "*"
  --server NAME=VALUE   a variable of the server: OLLAMA_NUM_PARALLEL=4
  --model REF=PATH      where the model that a FROM names lies
  --online              ask Ollama's server (OLLAMA_HOST) and Hugging Face about models
  --fix                 make the safe fixes
  --unsafe-fixes        with --fix or --diff: also fixes that change what the model does
  --diff                show what --fix would change, and change nothing
  --stdin-file-name F   the name of what comes from standard input
  --format FORMAT       pretty, compact, json (also --json), sarif, github, gitlab, junit, checkstyle;
                        github by itself within a GitHub workflow
  --rule ID=SEVERITY    off, info, warning or error
  --fail-on SEVERITY    exit 1 from this severity on (default: error)
  --max-warnings N      exit 1 with more warnings than this
  --exit-non-zero-on-fix  exit 1 when a file was fixed
  --baseline FILE       show what is not in this file, which --update-baseline writes, and later shortens;
                        --no-baseline: show everything
  --embedded            in folders also the Modelfiles inside Markdown, scripts, YAML and programs; a file
                        named is searched in any case: modelfile-lint README.md
  --watch               check again whenever a file changes
  --threads N           for many files (default: by itself)
  --no-cache            read model files anew, whatever is kept of them
  --no-ignore           also files that .gitignore, .modelfile-lint-ignore or the configuration leave out
  --print-config FILE   what is said about FILE, and where; also with --json
  --config FILE, --no-config
  --color, --no-color, --quiet, --help, --version

Exit code: 0 nothing found at or above --fail-on; 1 something found; 2 the run itself failed.
`;

const verbs: Readonly<Partial<Record<VerbName, string>>> = {
  plan: `modelfile-lint plan FILE --machine NAME|FILE|auto [OPTIONS]

Shows what Ollama would do with this file on a machine: where the layers, the KV cache and the buffers
go, as a table and as a picture; the context it gets and the largest one that fits; what to change.
FILE may be -, standard input.

  --machine NAME|FILE|auto  a machine known by name, a profile, or auto: this computer; several times,
                            or a file with what kubectl get nodes -o json prints, to compare machines
                            (up to three are then shown in full as well); -: such a file from standard
                            input
  --ollama VERSION|RANGE    the Ollama release that runs it (default: the newest known); of a range such
                            as "0.6.4 - 0.32" or ">=0.12", what changes from one release to another
  --server NAME=VALUE       a variable of the server: OLLAMA_KV_CACHE_TYPE=q8_0
  --model REF=PATH          where the model that FROM names lies, or a description of it
  --online                  ask Ollama's server (OLLAMA_HOST) and Hugging Face about the model
  --explain                 also each decision that leads there, with its reason and source
  --quiet                   the verdict alone, or the comparison
  --json                    everything, in bytes; a list where there are several machines, or a range
  --color, --no-color       otherwise colours in a terminal, unless NO_COLOR is set

Exit code: 0 it runs on every machine, with every release; 1 somewhere it does not; 2 the run itself
failed.
`,
  render: `modelfile-lint render FILE [--ollama VERSION|RANGE] [--model REF=PATH] [--online] [--json] [--quiet]

Prints the prompt that a chat becomes, and what makes it: RENDERER, TEMPLATE, or the model's chat template.
--messages FILE.json or --sample turns|once|system|tools, --tools FILE.json, --think: the chat, - for
standard input; --generate, --prompt TEXT, --suffix TEXT: /api/generate. --template: also what an unused
TEMPLATE would make; --quiet: the prompt alone, byte for byte; --date YYYY-MM-DD: today's date.
`,
  parse: `modelfile-lint parse FILE [--ollama VERSION] [--json]

Prints the commands that Ollama reads, one a line, as ollama show --modelfile would; or Ollama's own
error, with exit code 1. Of a range of releases the newest reads it.
`,
  format: `modelfile-lint format [PATH…] [--check]

Lays files out: keywords in upper case, one blank behind them, no blanks around values, one blank line in a
row at most, one line end at the end. What Ollama reads stays the same; the files that change are printed.
PATH may be a folder, and -: from standard input to standard output.

  --check               change nothing; exit code 1 where a file would change

Exit code: 0 done; 1 see --check; 2 a file cannot be read, or is none that Ollama reads.
`,
  compile: `modelfile-lint compile FILE --to TARGET [OPTIONS]
modelfile-lint compile FILE --from auto|create|show|llama-server [-o FILE]

Writes what a Modelfile says for another engine or API. Without FILE: the list of targets. What cannot be
carried over is told on standard error. --from makes a Modelfile of a request to /api/create, of what
ollama show --modelfile prints, or of a command line of llama-server. FILE may be -, standard input.

  -o, --output PATH         a file, or, where there are several, a folder; otherwise the first one goes to
                            standard output. A file with another content stays, unless --force is given
  --name NAME               what the model is to be called (default: after the folder)
  --digests                 compute the SHA-256 digests of local files
  --machine NAME|FILE|auto  the machine that runs it, one at a time; some targets need one
  --ollama VERSION|RANGE    the Ollama release (default: the newest known); of a range the newest
  --server NAME=VALUE, --model REF=PATH, --online
  --json                    texts and notes as JSON
  --quiet                   no notes

Exit code: 0 done; 1 it cannot be done, or Ollama refuses the file; 2 the run itself failed.
`,
  init: `modelfile-lint init

Writes .modelfile-lint.yaml into this folder, a configuration with a word on each key. It overwrites nothing.
`,
  explain: `modelfile-lint explain RULE|TEXT [--json]

Prints a rule's page: what it means, why, and examples. TEXT is an error of Ollama's, whole or in part, such as
"unexpected EOF": the rules that tell what is behind it.

Exit code: 0 done; 2 there is no such rule, and none for such an error.
`,
  rules: `modelfile-lint rules [--json]

Lists every rule with its severity. An optional one is off unless a configuration names it or extends strict.
`,
  model: `modelfile-lint model NAME|PATH [--model REF=PATH] [--online] [--json]

Prints what is known of a model and from where: the configuration, a GGUF file's header, a folder of
safetensors, Ollama's own files (OLLAMA_MODELS), with --online its server (OLLAMA_HOST) and Hugging Face,
the catalogue of its library, or the name alone. Nothing is downloaded but headers and manifests, and
without --online nothing at all.
`,
  machine: `modelfile-lint machine [NAME|FILE|detect|-] [--json]

  machine             lists the machines known by name
  machine NAME        prints one as a profile to paste
  machine detect      prints this computer as a profile; --machine auto takes it as it is
  machine nodes.json  prints a profile for each kind of node in what kubectl get nodes -o json wrote
  machine -           the same, or a profile, from standard input

A profile is a file to name with --machine, or the content of machine: in a configuration.
`,
  lsp: `modelfile-lint lsp --stdio

Serves an editor that speaks the Language Server Protocol, over standard input and output. docs/editors.md
tells what it offers, its settings, and how to set editors up.
`,
};

export function helpFor(verb: VerbName): string {
  return verbs[verb] ?? main;
}
