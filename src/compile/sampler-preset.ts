import { stringify } from "yaml";
import { numberOf, type InForce } from "./parameters-in-force.js";
import { shellComment } from "./shell-words.js";

/** TabbyAPI's name of what a parameter sets. */
const names: Readonly<Record<string, string>> = {
  temperature: "temperature",
  top_k: "top_k",
  top_p: "top_p",
  min_p: "min_p",
  typical_p: "typical",
  tfs_z: "tfs",
  repeat_penalty: "repetition_penalty",
  repeat_last_n: "penalty_range",
  presence_penalty: "presence_penalty",
  frequency_penalty: "frequency_penalty",
  mirostat: "mirostat_mode",
  mirostat_tau: "mirostat_tau",
  mirostat_eta: "mirostat_eta",
};

/** A file of sampler_overrides: what a request that says nothing else gets. */
export function samplerPreset(parameters: ReadonlyMap<string, InForce>, about: string): string {
  const usesMirostat = (numberOf(parameters, "mirostat") ?? 0) !== 0;
  const preset: Record<string, { override: unknown; force: false }> = {};
  const set = (name: string, override: unknown) => (preset[name] = { override, force: false });
  const length = numberOf(parameters, "num_predict") ?? -1;
  if (length > 0) set("max_tokens", length);
  const stop = parameters.get("stop")?.texts ?? [];
  if (stop.length > 0) set("stop", stop);
  for (const [parameter, name] of Object.entries(names)) {
    const value = numberOf(parameters, parameter);
    if (value !== undefined && (usesMirostat || !name.startsWith("mirostat"))) set(name, value);
  }
  return `${shellComment(about)}\n${yamlText(preset)}`;
}

/** YAML that older readers take the same way: "on" is a text for them as well. */
export function yamlText(value: unknown): string {
  return stringify(value, { compat: "yaml-1.1", lineWidth: 0 });
}
