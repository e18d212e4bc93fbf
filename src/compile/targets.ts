import type { Target } from "./target.js";

/** Every target by its name, in the order in which they are listed. One alone is loaded. */
const loaders: Readonly<Record<string, () => Promise<Target>>> = {
  "ollama-create": async () => (await import("./ollama-create.js")).ollamaCreate,
  "ollama-options": async () => (await import("./ollama-options.js")).ollamaOptions,
  compose: async () => (await import("./compose.js")).compose,
  exllamav2: async () => (await import("./exllamav2.js")).exllamav2,
  kubernetes: async () => (await import("./kubernetes.js")).kubernetes,
  litellm: async () => (await import("./litellm.js")).litellm,
  "llama-server": async () => (await import("./llama-server.js")).llamaServer,
  openai: async () => (await import("./openai.js")).openai,
  systemd: async () => (await import("./systemd.js")).systemd,
  vllm: async () => (await import("./vllm.js")).vllm,
};

export const targetIds: readonly string[] = Object.keys(loaders);

/** The target of that name; undefined where there is none. */
export async function targetNamed(id: string): Promise<Target | undefined> {
  return Object.hasOwn(loaders, id) ? loaders[id]!() : undefined;
}

/** All of them, for a list. */
export function allTargets(): Promise<Target[]> {
  return Promise.all(Object.values(loaders).map((load) => load()));
}
