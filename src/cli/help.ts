import type { VerbName } from "./verbs.js";

const main = `modelfile-lint: reads Ollama Modelfiles as Ollama does, and says what will happen

  modelfile-lint [PATH…]          lint files and folders; no path: this folder; -: standard input
  modelfile-lint plan FILE        what Ollama would do with this file on a machine
  modelfile-lint parse FILE       what Ollama reads in this file, or its own error
  modelfile-lint explain RULE     a rule's page
  modelfile-lint rules            every rule
  modelfile-lint model NAME|PATH  what is known of a model, and from where
  modelfile-lint machine [NAME]   the machines known by name, or one as a profile to paste

Options of lint, and of plan where they make sense:

  --machine NAME|FILE   the machine that runs the model; several times: each in turn
  --ollama VERSION      the Ollama release that runs it (default: the newest known)
  --server NAME=VALUE   a variable of the server: OLLAMA_NUM_PARALLEL=4
  --model REF=PATH      where the model that a FROM names lies
  --online              ask Ollama's server (OLLAMA_HOST) and Hugging Face about models
  --fix                 make the safe fixes
  --unsafe-fixes        with --fix or --diff: also fixes that change what the model does
  --diff                show what --fix would change, and change nothing
  --stdin-file-name F   the name of what comes from standard input
  --format pretty|json  (--json is --format json)
  --rule ID=SEVERITY    off, info, warning or error
  --fail-on SEVERITY    exit 1 from this severity on (default: error)
  --max-warnings N      exit 1 with more warnings than this
  --exit-non-zero-on-fix  exit 1 when a file was fixed
  --config FILE, --no-config
  --color, --no-color, --quiet, --help, --version

Exit code: 0 nothing found at or above --fail-on; 1 something found; 2 the run itself failed.
`;

const verbs: Readonly<Partial<Record<VerbName, string>>> = {
  plan: `modelfile-lint plan FILE --machine NAME|FILE [--ollama VERSION] [--server NAME=VALUE] [--json]

Shows where the model's layers, KV cache and buffers go, and whether it fits.
`,
  parse: `modelfile-lint parse FILE [--ollama VERSION] [--json]

Prints the commands that Ollama reads, one a line, as ollama show --modelfile would; or Ollama's own
error, with exit code 1.
`,
  explain: `modelfile-lint explain RULE [--json]

Prints a rule's page: what it means, why, and examples.
`,
  rules: `modelfile-lint rules [--json]

Lists every rule with its severity and whether it can fix what it finds.
`,
  model: `modelfile-lint model NAME|PATH [--model REF=PATH] [--online] [--json]

Prints what is known of a model and from where: the configuration, a GGUF file's header, a folder of
safetensors, Ollama's own files (OLLAMA_MODELS), with --online its server (OLLAMA_HOST) and Hugging Face,
the catalogue of its library, or the name alone.
`,
  machine: `modelfile-lint machine [NAME] [--json]

Lists the machines known by name, or prints one as a profile to paste.
`,
};

export function helpFor(verb: VerbName): string {
  return verbs[verb] ?? main;
}
