import type { Host } from "../../host.js";
import { printed } from "./look.js";

/**
 * Variables that decide which device a model uses and how much memory it takes (envconfig/config.go of
 * 0.1.33 to 0.32.15). Others are left alone: some hold addresses or keys.
 */
const variables = [
  "LLAMA_ARG_FIT",
  "LLAMA_ARG_FIT_TARGET",
  "OLLAMA_CONTEXT_LENGTH",
  "OLLAMA_FLASH_ATTENTION",
  "OLLAMA_GO_TEMPLATE",
  "OLLAMA_GPU_OVERHEAD",
  "OLLAMA_IGPU_ENABLE",
  "OLLAMA_INTEL_GPU",
  "OLLAMA_KEEP_ALIVE",
  "OLLAMA_KV_CACHE_TYPE",
  "OLLAMA_LLM_LIBRARY",
  "OLLAMA_LOAD_TIMEOUT",
  "OLLAMA_MAX_LOADED_MODELS",
  "OLLAMA_MAX_QUEUE",
  "OLLAMA_MAX_VRAM",
  "OLLAMA_MULTIUSER_CACHE",
  "OLLAMA_NEW_ENGINE",
  "OLLAMA_NEW_ESTIMATES",
  "OLLAMA_NUM_PARALLEL",
  "OLLAMA_SCHED_SPREAD",
  "OLLAMA_VULKAN",
] as const;

/** The server's environment. */
export interface ServerEnvironment {
  variable: (name: string) => string | undefined;
  /** What a profile keeps of it. */
  server: Readonly<Record<string, string>>;
  source: string;
}

/**
 * The environment that Ollama's server has: the systemd service's where there is one, since that is
 * what runs after an installation by ollama.com/install.sh, and this process's for what it does not set.
 */
export async function serverEnvironment(host: Host, systemd: boolean): Promise<ServerEnvironment> {
  const unit = systemd
    ? await printed(host, "systemctl", "show", "ollama", "--property=Environment")
    : undefined;
  const service = readEnvironment(unit ?? "");
  const variable = (name: string) => service.get(name) ?? host.variable(name);
  const server: Record<string, string> = {};
  for (const name of variables) {
    const value = variable(name);
    // Ollama takes an empty one for unset.
    if (value !== undefined && value !== "" && !value.includes("\0")) server[name] = value;
  }
  const fromService = Object.keys(server).some((name) => service.has(name));
  return { variable, server, source: fromService ? "systemctl show ollama" : "the environment" };
}

/** `Environment=A=1 "B=two words"`: words in quotes hold blanks, and a backslash covers what follows it. */
export function readEnvironment(unit: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const line of unit.split("\n")) {
    const [, rest] = /^Environment=(.*)$/.exec(line.trim()) ?? [];
    for (const [word] of (rest ?? "").matchAll(
      /(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\\.|[^\s"'\\])+/g,
    )) {
      const plain = word
        .replace(
          /"((?:\\.|[^"\\])*)"|'((?:\\.|[^'\\])*)'/g,
          (_, a?: string, b?: string) => a ?? b ?? "",
        )
        .replace(/\\(.)/g, "$1");
      const at = plain.indexOf("=");
      if (at > 0) found.set(plain.slice(0, at), plain.slice(at + 1));
    }
  }
  return found;
}

/** The release that runs, or the command's own where no server answers; undefined where neither is there. */
export async function ollamaRelease(host: Host): Promise<string | undefined> {
  const text = (await printed(host, "ollama", "--version")) ?? "";
  const [, release] =
    /ollama version is v?(\S+)/.exec(text) ?? /client version is v?(\S+)/.exec(text) ?? [];
  // A build from source calls itself 0.0.0.
  if (release === undefined || release.startsWith("0.0.0")) return undefined;
  return /^\d{1,4}(\.\d{1,4}){1,2}(-[0-9A-Za-z.]{1,32})?$/.exec(release)?.[0];
}
