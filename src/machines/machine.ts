/** A computer that would run the model. Bytes everywhere. */
export interface Machine {
  name: string;
  os: "linux" | "windows" | "darwin";
  memory: {
    total: number;
    /** What is free for a model; on Linux MemAvailable. */
    free: number;
    swap: number;
  };
  /** Physical cores, where known. */
  cores?: number;
  /** One element a device, in the order the driver lists them; empty: the CPU alone. */
  gpus: readonly Gpu[];
  storage?: "nvme" | "ssd" | "hdd" | "network";
  /** The Ollama release on this machine, where the profile says so: "0.32.15". */
  ollama?: string;
  /** Server variables, as Ollama spells them. */
  server: Readonly<Record<string, string>>;
}

export interface Gpu {
  /** As the driver names it: "Tesla T4". */
  name: string;
  backend: Backend;
  total: number;
  free: number;
  /** CUDA compute capability ("7.5") or gfx id ("gfx1100"). */
  compute?: string;
  /** Bytes that the driver takes of it for a process that uses it, where the profile says so. */
  overhead?: number;
  /** Driver version, as the profile gives it. */
  driver?: string;
  /** Shares the computer's memory. */
  integrated: boolean;
}

export type Backend = "cuda" | "rocm" | "metal" | "vulkan" | "sycl";
