import facts from "./vllm-options.json" with { type: "json" };

interface Table {
  from: string;
  to: string;
  engine: readonly string[];
  server: readonly string[];
  sampling: { names: readonly string[] };
  ray: { start: readonly string[] };
}

const table = facts as Table;

/** Releases of vLLM that have all of them: "0.12", "0.30". */
export const vllmVersions = { from: table.from, to: table.to } as const;

/** Options of the engine; Ray Serve takes them as well, with underscores. */
export const vllmEngineOptions: ReadonlySet<string> = new Set(table.engine);

/** All options of `vllm serve` that are known. */
export const vllmOptions: ReadonlySet<string> = new Set([...table.engine, ...table.server]);

/** What --override-generation-config may set. */
export const vllmSampling: ReadonlySet<string> = new Set(table.sampling.names);

/** Options of `ray start`. */
export const rayOptions: ReadonlySet<string> = new Set(table.ray.start);
