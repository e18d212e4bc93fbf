import type { Gpu, Machine } from "./machine.js";
import { exactSize, formatBytes } from "./sizes.js";

/**
 * A machine as a profile in YAML, with `comments` above it, one a line. `readProfile` makes the same
 * machine of it.
 */
export function profileAsYaml(machine: Machine, comments: readonly string[] = []): string {
  const { memory, gpus, server } = machine;
  const lines = [
    ...comments.map((comment) => `# ${comment}`),
    `name: ${scalar(machine.name)}`,
    `os: ${machine.os}`,
    `ram: ${size(memory.total)}`,
    `ram_free: ${size(memory.free)}`,
    `swap: ${size(memory.swap)}`,
  ];
  if (machine.cores !== undefined) lines.push(`cores: ${machine.cores}`);
  if (gpus.length === 0) lines.push("gpus: []");
  else lines.push("gpus:", ...runs(gpus).flatMap(([gpu, count]) => gpuLines(gpu, count)));
  if (machine.storage !== undefined) lines.push(`storage: ${machine.storage}`);
  if (machine.ollama !== undefined) lines.push(`ollama: ${JSON.stringify(machine.ollama)}`);
  const variables = Object.entries(server);
  if (variables.length > 0) {
    lines.push("server:", ...variables.map(([key, value]) => `  ${key}: ${JSON.stringify(value)}`));
  }
  return `${lines.join("\n")}\n`;
}

function gpuLines(gpu: Gpu, count: number): string[] {
  return [
    `  - name: ${scalar(gpu.name)}`,
    ...(count > 1 ? [`    count: ${count}`] : []),
    `    memory: ${size(gpu.total)}`,
    `    free: ${size(gpu.free)}`,
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
