import facts from "./vllm-options.json" with { type: "json" };

interface Table {
  from: string;
  engine: readonly string[];
  server: readonly string[];
  sampling: { names: readonly string[] };
  ray: { start: readonly string[] };
}

const table = facts as Table;

/** The first release of vLLM that has all options: "0.12". */
export const vllmFrom: string = table.from;

/** Options of the engine; Ray Serve takes them as well, with underscores. */
export const vllmEngineOptions: ReadonlySet<string> = new Set(table.engine);

/** All options of `vllm serve` that are known. */
export const vllmOptions: ReadonlySet<string> = new Set([...table.engine, ...table.server]);

/** What --override-generation-config may set. */
export const vllmSampling: ReadonlySet<string> = new Set(table.sampling.names);

/** Options of `ray start`. */
export const rayOptions: ReadonlySet<string> = new Set(table.ray.start);
