import type { Host } from "../host.js";
import type { Model } from "./model.js";

/** What Ollama would convert a folder of safetensors to. */
export async function folderModel(_path: string, _host: Host, _name: string): Promise<Model> {
  throw new Error("not written yet");
}
