import type { Gpu, Machine } from "./machine.js";
import { exactSize, formatBytes } from "./sizes.js";

/** What told the value of a profile's key: "nvidia-smi". */
export type Sources = Readonly<
  Partial<
    Record<"ram" | "ram_free" | "swap" | "cores" | "gpus" | "storage" | "ollama" | "server", string>
  >
>;

/**
 * A machine as a profile in YAML, with `comments` above it, one a line, and `sources` beside its keys.
 * `readProfile` makes the same machine of it.
 */
export function profileAsYaml(
  machine: Machine,
  comments: readonly string[] = [],
  sources: Sources = {},
): string {
  const { memory, gpus, server } = machine;
  const line = (key: keyof Sources, value: string | number): string => {
    const source = sources[key];
    const written = value === "" ? `${key}:` : `${key}: ${value}`;
    if (source === undefined) return written;
    return `${written}${written.includes(" # ") ? "; " : " # "}${source}`;
  };
  const lines = [
    ...comments.map((comment) => `# ${comment}`),
    `name: ${scalar(machine.name)}`,
    `os: ${machine.os}`,
    line("ram", size(memory.total)),
    line("ram_free", size(memory.free)),
    line("swap", size(memory.swap)),
  ];
  if (machine.cores !== undefined) lines.push(line("cores", machine.cores));
  if (gpus.length === 0) lines.push(line("gpus", "[]"));
  else lines.push(line("gpus", ""), ...runs(gpus).flatMap(([gpu, n]) => gpuLines(gpu, n)));
  if (machine.storage !== undefined) lines.push(line("storage", machine.storage));
  if (machine.ollama !== undefined) lines.push(line("ollama", JSON.stringify(machine.ollama)));
  const variables = Object.entries(server);
  if (variables.length > 0) {
    lines.push(
      line("server", ""),
      ...variables.map(([key, value]) => `  ${key}: ${JSON.stringify(value)}`),
    );
  }
  return `${lines.join("\n")}\n`;
}

function gpuLines(gpu: Gpu, count: number): string[] {
  return [
    `  - name: ${scalar(gpu.name)}`,
    ...(count > 1 ? [`    count: ${count}`] : []),
    `    memory: ${size(gpu.total)}`,
    `    free: ${size(gpu.free)}`,
    ...(gpu.overhead === undefined ? [] : [`    overhead: ${size(gpu.overhead)}`]),
    `    backend: ${gpu.backend}`,
    ...(gpu.compute === undefined ? [] : [`    compute: ${JSON.stringify(gpu.compute)}`]),
    ...(gpu.driver === undefined ? [] : [`    driver: ${JSON.stringify(gpu.driver)}`]),
    `    integrated: ${gpu.integrated}`,
  ];
}

/** A size that is read back exactly; odd ones are explained. */
function size(bytes: number): string {
  const exact = String(exactSize(bytes));
  return bytes === 0 || /[GM]iB$/.test(exact) ? exact : `${exact} # ${formatBytes(bytes)}`;
}

/** Equal neighbours, counted. */
function runs(gpus: readonly Gpu[]): [Gpu, number][] {
  const found: [Gpu, number][] = [];
  for (const gpu of gpus) {
    const last = found.at(-1);
    if (last && JSON.stringify(last[0]) === JSON.stringify(gpu)) last[1]++;
    else found.push([gpu, 1]);
  }
  return found;
}

/** A text as YAML, without quotes where it cannot be taken for anything else. */
function scalar(text: string): string {
  const plain = /^[A-Za-z][\w.+()/-]*( [\w.+()/-]+)*$/.test(text);
  return plain && !/^(true|false|null)$/i.test(text) ? text : JSON.stringify(text);
}
