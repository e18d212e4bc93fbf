import type { Command } from "../../grammar/ollama.js";
import { foreignHelp, foreignParameter } from "../facts/foreign-parameters.js";
import type { Release } from "../facts/release.js";
import { isBlob } from "../../rules/blob-path.js";
import { commandWords } from "./command-words.js";
import { parameterValue } from "./from-values.js";
import { flagMeaning, longName, type Special } from "./llama-flags.js";
import { modelfileText } from "./modelfile-text.js";
import type { Compiled, Refusal } from "./target.js";

const program =
  /(?:^|[\\/])(?:llama-(?:server|cli|run|simple-chat)|server|main)(?:\.exe)?$|llama\.cpp:/;

/** A flag as given. */
interface Flag {
  name: string;
  values: readonly string[];
}

/** A Modelfile from a command line of llama.cpp's server. */
export function fromLlamaServer(text: string, release: Release): Compiled | Refusal {
  const words = commandWords(text, program);
  const first = words.findIndex((word) => program.test(word));
  const flags = flagsIn(words.slice(first + 1));
  if (flags.length === 0)
    return { refused: "This is no command line of llama-server: it has no flags." };
  const reading = read(flags, release);
  for (const word of words.slice(0, Math.max(first, 0))) {
    const [, variable] = /^((?:LLAMA_ARG|CUDA|HIP|ROCR|GGML)_\w+)=/.exec(word) ?? [];
    if (variable !== undefined) {
      reading.notes.push(`${variable} belongs into the environment of Ollama's server.`);
    }
  }
  if (!reading.commands.some(({ name }) => name === "model")) {
    return {
      refused:
        "The command line names no model: FROM would have nothing to name. -m FILE or -hf REPOSITORY does.",
    };
  }
  const written = modelfileText(reading.commands, release);
  const notes = [...new Set(reading.notes)].map((message) => ({ message }));
  return {
    texts: [{ path: "Modelfile", text: written.text }],
    notes: [...notes, ...written.notes],
  };
}

/** Flags with what stands behind them. Those that are known to take a value take whatever follows. */
function flagsIn(words: readonly string[]): Flag[] {
  const flags: Flag[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    if (!isFlag(word)) continue;
    const [, long, attached] = /^(--[^=]+)=([^]*)$/.exec(word) ?? [];
    const name = long ?? word;
    const meaning = flagMeaning(name);
    const takes = meaning ? (meaning.takes ?? 1) : "maybe";
    const values: string[] = attached === undefined ? [] : [attached];
    while (values.length < (takes === "maybe" ? 1 : takes) && at + 1 < words.length) {
      const next = words[at + 1]!;
      if (takes === "maybe" && isFlag(next)) break;
      values.push(next);
      at++;
    }
    flags.push({ name, values });
  }
  return flags;
}

function isFlag(word: string): boolean {
  return /^-{1,2}[A-Za-z]/.test(word);
}

interface Reading {
  commands: Command[];
  notes: string[];
}

function read(flags: readonly Flag[], release: Release): Reading {
  const reading: Reading = { commands: [], notes: [] };
  const together = new Map<Special, Flag>();
  const unknown: string[] = [];
  for (const flag of flags) {
    const meaning = flagMeaning(flag.name);
    const [value = ""] = flag.values;
    if (!meaning) {
      const help = helpOf(flag.name);
      if (help === undefined) unknown.push(flag.name);
      else reading.notes.push(`${flag.name}: ${help}`);
    } else if ("special" in meaning) together.set(meaning.special, flag);
    else if ("instruction" in meaning) instruct(meaning.instruction, value, reading);
    else if ("parameter" in meaning) {
      set(meaning.parameter, "value" in meaning ? meaning.value : value, reading, release);
    } else reading.notes.push(`${flag.name}: ${meaning.note.replaceAll("{}", value)}`);
  }
  readTogether(together, reading, release);
  if (unknown.length > 0) {
    reading.notes.push(`Nothing in a Modelfile stands for ${[...new Set(unknown)].join(", ")}.`);
  }
  return reading;
}

/** What is known of the flag where it is the name of something that Ollama has elsewhere, or decides itself. */
function helpOf(name: string): string | undefined {
  const foreign = foreignParameter(longName(name).replace(/^-+(?:no-)?/, ""));
  return foreign && foreignHelp(foreign);
}

function instruct(name: string, value: string, { commands, notes }: Reading): void {
  const isRelative = name !== "system" && !/^(?:[\\/~.]|[A-Za-z]:)/.test(value);
  commands.push({ name, args: isRelative ? `./${value}` : value });
  if (name !== "system" && isBlob(value)) {
    notes.push(`${value} is a file of one machine's model store; name the model instead.`);
  }
}

function set(name: string, value: string, { commands, notes }: Reading, release: Release): void {
  const read = parameterValue(name, value, release);
  if ("problem" in read) {
    notes.push(read.problem);
    return;
  }
  commands.push({ name, args: read.text });
  if (read.note !== undefined) notes.push(read.note);
}

/** Flags whose value depends on others, or that mean something else in Ollama. */
function readTogether(given: ReadonlyMap<Special, Flag>, reading: Reading, release: Release): void {
  const { notes, commands } = reading;
  const value = (special: Special) => given.get(special)?.values[0];
  readContext(value("context"), value("parallel"), reading, release);
  // Ollama sets both to num_batch (0.30.0:llm/llama_server.go); memory goes by the smaller one.
  const batch = value("ubatch") ?? value("batch");
  if (batch !== undefined) set("num_batch", batch, reading, release);
  if (
    value("ubatch") !== undefined &&
    value("batch") !== undefined &&
    value("ubatch") !== value("batch")
  ) {
    notes.push(`Ollama has one size for -b and -ub: num_batch is ${batch}, that of -ub.`);
  }
  const layers = value("layers");
  if (layers !== undefined && /^\d+$/.test(layers)) set("num_gpu", layers, reading, release);
  else if (layers !== undefined && !/^(?:auto|-1)$/.test(layers)) {
    notes.push(
      `-ngl ${layers}: num_gpu is a number of layers. Left out, Ollama puts on the GPUs what fits.`,
    );
  }
  const repository = value("hugging-face");
  if (repository !== undefined) commands.push({ name: "model", args: `hf.co/${repository}` });
  const adapter = given.get("scaled-adapter");
  if (adapter) {
    instruct("adapter", adapter.values[0] ?? "", reading);
    notes.push(
      `Ollama applies an adapter in full: the scale ${adapter.values[1] ?? ""} is left out.`,
    );
  }
  const mode = value("load-mode");
  if (mode !== undefined && mode !== "auto") {
    set("use_mmap", mode.startsWith("mmap") ? "true" : "false", reading, release);
  }
  const mirostat = value("mirostat");
  if (mirostat !== undefined && mirostat !== "0")
    notes.push("Ollama has had no mirostat since 0.7.");
}

/** -c is shared by all slots: num_ctx is one request's part of it. */
function readContext(
  context: string | undefined,
  parallel: string | undefined,
  reading: Reading,
  release: Release,
): void {
  const slots = Number(parallel ?? 1);
  const isShared = Number.isInteger(slots) && slots > 1;
  if (isShared) {
    reading.notes.push(
      `Set OLLAMA_NUM_PARALLEL=${slots} in the environment of Ollama's server for -np ${slots}.`,
    );
  }
  if (context === undefined) return;
  const total = Number(context);
  if (total === 0) {
    reading.notes.push(
      "-c 0 is the context that the model was trained for. Ollama has no word for that: set num_ctx to its number.",
    );
    return;
  }
  if (!isShared || !Number.isInteger(total)) {
    set("num_ctx", context, reading, release);
    return;
  }
  set("num_ctx", String(Math.floor(total / slots)), reading, release);
  reading.notes.push(
    `-c ${context} is shared by ${slots} slots: num_ctx is what each of them has.`,
  );
}
