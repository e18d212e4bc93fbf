/*
 * Ten thousand files: how many a second and how much memory, cold and with what the run before kept,
 * beside ESLint on as many JavaScript files of the same size in the same run.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "../src/build/bundle.mjs";
import { ggufHeader, smallLlama } from "./gguf-file.js";

const files = 10_000;
const models = 20;

interface Run {
  /** Seconds. */
  time: number;
  /** Bytes. */
  memory: number;
}

/** Prints the table. `command` is the built command, `smallFile` makes the Modelfiles. */
export function manyFiles(command: string, smallFile: (index: number) => string): void {
  const folder = mkdtempSync(join(tmpdir(), "bench-scale-"));
  try {
    writeModelfiles(folder, smallFile);
    writeScripts(folder, smallFile(0).length);
    const environment = {
      OLLAMA_MODELS: join(folder, "store"),
      XDG_CACHE_HOME: join(folder, "cache"),
    };
    const lint = (...more: string[]) =>
      timed(
        [command, "modelfiles", "--no-config", "--format", "compact", ...more],
        folder,
        environment,
      );
    const eslint = (...more: string[]) =>
      timed([join(root, "node_modules/eslint/bin/eslint.js"), "scripts", ...more], folder, {});
    console.log(`${files} files of ${smallFile(0).length} bytes, with ${models} models in a store`);
    const rows: [string, Run][] = [
      ["cold", lint()],
      ["cached", lint()],
      ["cached, one thread", lint("--threads", "1")],
      ["cached, on a machine", lint("--machine", "rtx4090-64g")],
      ["ESLint, recommended rules", eslint("--concurrency", "off")],
    ];
    for (const [name, { time, memory }] of rows) {
      const rate = `${Math.round(files / time)} files/s`;
      const share = `${(time / rows[0]![1].time).toFixed(2)} × cold`;
      console.log(
        `  ${name.padEnd(26)}${rate.padStart(14)}${share.padStart(14)}${String(Math.round(memory / 2 ** 20)).padStart(7)} MiB`,
      );
    }
    console.log();
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function writeModelfiles(folder: string, smallFile: (index: number) => string): void {
  for (let index = 0; index < files; index++) {
    const place = join(folder, "modelfiles", String(index % 100));
    mkdirSync(place, { recursive: true });
    const text = smallFile(index).replace(/^FROM .*$/m, `FROM bench/model${index % models}`);
    writeFileSync(join(place, `${index}.Modelfile`), text);
  }
  for (let index = 0; index < models; index++) writeModel(join(folder, "store"), index);
}

/** A model in Ollama's store, with the header of one with a vocabulary of 128,000 tokens. */
function writeModel(store: string, index: number): void {
  const put = (content: Uint8Array | string) => {
    const digest = createHash("sha256").update(content).digest("hex");
    mkdirSync(join(store, "blobs"), { recursive: true });
    writeFileSync(join(store, "blobs", `sha256-${digest}`), content);
    return { digest: `sha256:${digest}`, size: content.length };
  };
  const manifest = {
    schemaVersion: 2,
    mediaType: "application/vnd.docker.distribution.manifest.v2+json",
    config: {
      mediaType: "application/vnd.docker.container.image.v1+json",
      ...put('{"model_format":"gguf","model_family":"llama"}'),
    },
    layers: [{ mediaType: "application/vnd.ollama.image.model", ...put(header(index)) }],
  };
  const place = join(store, "manifests/registry.ollama.ai/bench", `model${index}`);
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, "latest"), JSON.stringify(manifest));
}

function header(index: number): Uint8Array {
  const { metadata, tensors } = smallLlama();
  const tokens = Array.from({ length: 128_000 }, (_, i) => `t${i.toString(36)}`);
  const keys = { "general.name": `model ${index}`, "tokenizer.ggml.tokens": tokens };
  return ggufHeader({ ...metadata, ...keys }, tensors);
}

function piece(index: number): string {
  return `
/** Adds what it is given to ${index}. */
export function add${index}(one, other = ${index}) {
  const sum = one + other;
  if (sum > ${index * 3}) {
    return { sum, name: "number ${index}" };
  }
  for (const digit of String(sum)) console.log(digit);
  return undefined;
}
`;
}

function writeScripts(folder: string, size: number): void {
  for (let index = 0; index < files; index++) {
    const place = join(folder, "scripts", String(index % 100));
    mkdirSync(place, { recursive: true });
    let text = "";
    for (let at = 0; text.length < size; at++) text += piece(index + at);
    writeFileSync(join(place, `${index}.js`), text);
  }
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  writeFileSync(
    join(folder, "eslint.config.mjs"),
    'import js from "@eslint/js";\nexport default [js.configs.recommended, { languageOptions: { globals: { console: "readonly" } } }];\n',
  );
}

/** Runs a program of Node and asks it for its memory at the end. */
function timed(args: readonly string[], cwd: string, environment: Record<string, string>): Run {
  const tell =
    "data:text/javascript,process.on('exit',()=>process.stderr.write(`\\npeak ${process.resourceUsage().maxRSS}\\n`))";
  const start = performance.now();
  const { stderr, status } = spawnSync(process.execPath, ["--import", tell, ...args], {
    cwd,
    env: { ...process.env, ...environment },
    encoding: "utf8",
    maxBuffer: 2 ** 30,
  });
  const time = (performance.now() - start) / 1000;
  const peak = /peak (\d+)\s*$/.exec(stderr);
  if (!peak || status === 2) throw new Error(`A run failed: ${stderr.slice(0, 400)}`);
  return { time, memory: Number(peak[1]) * 1024 };
}
