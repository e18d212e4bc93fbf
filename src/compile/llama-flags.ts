/** What becomes of a flag of llama-server: where its value goes, or what is said instead. */
export type Meaning = {
  /** Values behind it, where that is not one. "maybe": one that is no flag. */
  takes?: 0 | 2 | "maybe";
} &
  /** A parameter with the same value. */
  (
    | { parameter: string }
    /** A parameter with this value; the flag has none. */
    | { parameter: string; value: string }
    /** An instruction: FROM is "model". */
    | { instruction: "model" | "adapter" | "draft" | "system" }
    | { special: Special }
    /** Nothing to carry over. `{}` stands for the value. */
    | { note: string }
  );

/** Flags that are read together. */
export type Special =
  | "context"
  | "parallel"
  | "batch"
  | "ubatch"
  | "layers"
  | "hugging-face"
  | "scaled-adapter"
  | "load-mode"
  | "mirostat";

const server = (variable: string) => ({
  note: `Set ${variable}={} in the environment of Ollama's server.`,
});

const cache = server("OLLAMA_KV_CACHE_TYPE");

const template = {
  note: "Ollama's TEMPLATE is in Go's template language; a template of llama.cpp, in Jinja, comes from the GGUF file itself. {} is left out.",
};

/**
 * Flags by their long and short names (llama.cpp common/arg.cpp, b10488 of Ollama 0.32.15, and names that
 * earlier builds had). Flags that are not here have no counterpart, or one of src/facts/foreign-parameters.json.
 */
export const llamaFlags: readonly (readonly [names: readonly string[], meaning: Meaning])[] = [
  [["-m", "--model"], { instruction: "model" }],
  [["-mm", "--mmproj"], { instruction: "model" }],
  [["--lora"], { instruction: "adapter" }],
  [["--lora-scaled"], { special: "scaled-adapter", takes: 2 }],
  [["-md", "--model-draft", "--spec-draft-model"], { instruction: "draft" }],
  [["-sys", "--system-prompt"], { instruction: "system" }],
  [["-hf", "-hfr", "--hf-repo"], { special: "hugging-face" }],
  [["-c", "--ctx-size"], { special: "context" }],
  [["-np", "--parallel"], { special: "parallel" }],
  [["-b", "--batch-size"], { special: "batch" }],
  [["-ub", "--ubatch-size"], { special: "ubatch" }],
  [["-ngl", "--gpu-layers", "--n-gpu-layers"], { special: "layers" }],
  [["-t", "--threads"], { parameter: "num_thread" }],
  [["-mg", "--main-gpu"], { parameter: "main_gpu" }],
  [["--mmap"], { parameter: "use_mmap", value: "true", takes: 0 }],
  [["--no-mmap"], { parameter: "use_mmap", value: "false", takes: 0 }],
  [["-lm", "--load-mode"], { special: "load-mode" }],
  [["-n", "--predict", "--n-predict"], { parameter: "num_predict" }],
  [["--keep"], { parameter: "num_keep" }],
  [["-s", "--seed"], { parameter: "seed" }],
  [["--temp", "--temperature"], { parameter: "temperature" }],
  [["--top-k"], { parameter: "top_k" }],
  [["--top-p"], { parameter: "top_p" }],
  [["--min-p"], { parameter: "min_p" }],
  [["--typical", "--typical-p"], { parameter: "typical_p" }],
  [["--repeat-last-n"], { parameter: "repeat_last_n" }],
  [["--repeat-penalty"], { parameter: "repeat_penalty" }],
  [["--presence-penalty"], { parameter: "presence_penalty" }],
  [["--frequency-penalty"], { parameter: "frequency_penalty" }],
  [
    ["--draft", "--draft-n", "--draft-max", "--spec-draft-n-max"],
    { parameter: "draft_num_predict" },
  ],
  [["-r", "--reverse-prompt"], { parameter: "stop" }],
  [["--mirostat"], { special: "mirostat" }],
  [
    ["-fa", "--flash-attn"],
    {
      takes: "maybe",
      note: "Set OLLAMA_FLASH_ATTENTION in the environment of Ollama's server: here it is {}.",
    },
  ],
  [["-ctk", "--cache-type-k"], cache],
  [["-ctv", "--cache-type-v"], cache],
  [["--chat-template"], template],
  [["--chat-template-file"], template],
  [
    ["--jinja"],
    {
      takes: 0,
      note: "Ollama uses a model's own Jinja template by itself where the Modelfile has no TEMPLATE, since 0.30.",
    },
  ],
  [["-a", "--alias"], { note: "ollama create {} makes the model under that name." }],
  [
    ["--host"],
    { note: "Set OLLAMA_HOST in the environment of Ollama's server: here it listens on {}." },
  ],
  [
    ["--port"],
    { note: "Set OLLAMA_HOST in the environment of Ollama's server: here its port is {}." },
  ],
  [
    ["-kvu", "--kv-unified"],
    { takes: 0, note: "Ollama gives each request its own context; it has no common one." },
  ],
  [
    ["-mu", "--model-url"],
    { note: "Ollama takes no URL of a file. Download {} and name the file in FROM." },
  ],
  [["-sysf", "--system-prompt-file"], { note: "Put the text of {} into SYSTEM." }],
];

const byName = new Map(
  llamaFlags.flatMap(([names, meaning]) => names.map((name) => [name, meaning] as const)),
);

/** Short names of flags that are told of by what is known of their long ones. */
const longNames: Readonly<Record<string, string>> = {
  "-ts": "--tensor-split",
  "-sm": "--split-mode",
  "-dev": "--device",
  "-ot": "--override-tensor",
  "-cmoe": "--cpu-moe",
  "-ncmoe": "--n-cpu-moe",
  "-tb": "--threads-batch",
  "-to": "--timeout",
};

export function longName(name: string): string {
  return longNames[name] ?? name;
}

export function flagMeaning(name: string): Meaning | undefined {
  // llama.cpp takes underscores for hyphens.
  return byName.get(name) ?? byName.get(name.replaceAll("_", "-"));
}
