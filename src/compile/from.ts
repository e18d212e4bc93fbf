import type { Release } from "../facts/release.js";
import type { Compiled, Refusal } from "./target.js";

/** What the way back reads. */
export const sources = ["create", "show", "llama-server"] as const;

export type SourceKind = (typeof sources)[number];

/** What a text is by its looks: JSON, a command line of llama.cpp, or what `ollama show --modelfile` prints. */
export function kindOf(text: string): SourceKind | undefined {
  const start = text.trimStart();
  if (start.startsWith("{")) return "create";
  if (/^(?:#.*\s*)*from\s/im.test(start) && /^(?:#|from\s)/i.test(start)) return "show";
  const names =
    /(?:^|[\s/\\"'[])(?:llama-(?:server|cli|run|simple)|llama\.cpp\S*|server|main)(?:\.exe)?\b/;
  const flag = /(?:^|\s)(?:-m|--model|-hf|--hf-repo|-c|--ctx-size|-ngl)[\s=]/;
  return flag.test(text) || names.test(text) ? "llama-server" : undefined;
}

/** A Modelfile from what it may have been before. Never throws. */
export async function modelfileFrom(
  text: string,
  kind: SourceKind,
  release: Release,
): Promise<Compiled | Refusal> {
  if (kind === "create") return (await import("./from-create.js")).fromCreate(text, release);
  if (kind === "show") return (await import("./from-show.js")).fromShow(text, release);
  return (await import("./from-llama-server.js")).fromLlamaServer(text, release);
}
