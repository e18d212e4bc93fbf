import type { GpuRequest } from "./gpu-request.js";
import { labelValue } from "./kubernetes-names.js";
import { said, type Yaml } from "./yaml-text.js";

/** What nodes have to offer for the GPUs, and which are preferred; undefined where no label tells. */
export function affinityFor(requests: readonly GpuRequest[]): Yaml | undefined {
  const required = requests.flatMap(memoryNeeded);
  const preferred = requests.flatMap(productsMeant);
  if (required.length === 0 && preferred.length === 0) return undefined;
  return {
    nodeAffinity: {
      ...(required.length > 0 && {
        requiredDuringSchedulingIgnoredDuringExecution: said(
          "GPU feature discovery labels nodes so. Without it, leave this out.",
          { nodeSelectorTerms: [{ matchExpressions: required }] },
        ),
      }),
      ...(preferred.length > 0 && {
        preferredDuringSchedulingIgnoredDuringExecution: preferred.map((expression) => ({
          weight: 100,
          preference: { matchExpressions: [expression] },
        })),
      }),
    },
  };
}

/** NVIDIA's label holds whole MiB, a little more or less by driver. */
function memoryNeeded({ backend, gpus }: GpuRequest): Yaml[] {
  if (backend !== "cuda" || gpus.length === 0) return [];
  const least = Math.min(...gpus.map(({ total }) => total));
  const bound = Math.floor((least / 2 ** 20) * 0.98);
  return [{ key: "nvidia.com/gpu.memory", operator: "Gt", values: [String(bound)] }];
}

function productsMeant({ backend, gpus }: GpuRequest): Yaml[] {
  if (backend === "cuda") {
    const names = gpus.map(({ name }) => labelValue(name)).filter((name) => name !== "");
    // Drivers since 470 put the vendor before most names.
    const values = [...new Set(names.flatMap((name) => [name, ...withVendor(name)]))];
    return values.length === 0 ? [] : [{ key: "nvidia.com/gpu.product", operator: "In", values }];
  }
  if (backend !== "rocm") return [];
  const sizes = [...new Set(gpus.map(({ total }) => `${Math.round(total / 2 ** 30)}G`))];
  return [{ key: "amd.com/gpu.vram", operator: "In", values: sizes }];
}

function withVendor(name: string): string[] {
  return name.startsWith("NVIDIA") ? [] : [labelValue(`NVIDIA ${name}`)];
}
