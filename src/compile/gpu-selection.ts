import type { Backend, Gpu, Machine } from "../machines/machine.js";

/** The variable by which a program sees some of the GPUs alone; Metal and SYCL have none of this form. */
const variables: Readonly<Partial<Record<Backend, string>>> = {
  cuda: "CUDA_VISIBLE_DEVICES",
  rocm: "HIP_VISIBLE_DEVICES",
  vulkan: "GGML_VK_VISIBLE_DEVICES",
};

/** What llama.cpp calls a backend's devices: `--list-devices` prints them with their number. */
const devices: Readonly<Record<Backend, string>> = {
  cuda: "CUDA",
  rocm: "ROCm",
  vulkan: "Vulkan",
  sycl: "SYCL",
  metal: "MTL",
};

/** GPUs by their index in the machine's list. */
export interface Selection {
  /** Variables that hide the others of the same backend; empty where there are none. */
  environment: Readonly<Record<string, string>>;
  /** Names for llama.cpp's --device; undefined where all that it sees are meant. */
  devices: string | undefined;
}

/** How to keep a program to GPUs of one backend. */
export function selectionOf({ gpus }: Machine, chosen: readonly number[]): Selection {
  const backend = gpus[chosen[0] ?? -1]?.backend;
  if (backend === undefined) return { environment: {}, devices: undefined };
  const alike = gpus.flatMap((gpu, index) => (gpu.backend === backend ? [index] : []));
  const places = alike.flatMap((index, place) => (chosen.includes(index) ? [place] : []));
  const variable = variables[backend];
  const hides = places.length < alike.length;
  const seen = hides && variable !== undefined ? places.map((_, place) => place) : places;
  const needsNames = alike.length < gpus.length || (hides && variable === undefined);
  return {
    environment: hides && variable !== undefined ? { [variable]: places.join(",") } : {},
    devices: needsNames ? seen.map((place) => `${devices[backend]}${place}`).join(",") : undefined,
  };
}

/** Where cards stand in the machine's list: cards of a kind may be one object, and each is taken once. */
export function indexesOf({ gpus }: Machine, chosen: readonly Gpu[]): number[] {
  const left = [...chosen];
  return gpus.flatMap((gpu, index) => {
    const at = left.indexOf(gpu);
    if (at < 0) return [];
    left.splice(at, 1);
    return [index];
  });
}
