import { isKnownRelease, since } from "../facts/release.js";
import type { GpuRequest } from "./gpu-request.js";
import type { Note, Source } from "./target.js";

/** The published image of the release; ROCm has its own. */
export function imageOf(
  { release }: Pick<Source, "release">,
  requests: readonly GpuRequest[],
): string {
  const isRocm = requests.some(({ backend }) => backend === "rocm");
  return `ollama/ollama:${release.version}${isRocm ? "-rocm" : ""}`;
}

/** What the image cannot do on the machine. */
export function imageNotes({ release, machine }: Source, requests: readonly GpuRequest[]): Note[] {
  const notes: string[] = [];
  const backends = new Set(requests.map(({ backend }) => backend));
  if (!isKnownRelease(release)) {
    notes.push(`Whether there is an image of Ollama ${release.version} is not known.`);
  }
  if (backends.has("rocm") && backends.has("cuda")) {
    notes.push("No image of Ollama serves NVIDIA and AMD at once: this one is AMD's.");
  }
  if (backends.has("metal")) {
    notes.push(
      "A container on macOS has no GPU: the model runs on the processor, unlike the plan.",
    );
  }
  if (backends.has("sycl")) {
    notes.push("The image has no oneAPI, so that the Intel GPU stays unused.");
  }
  if (backends.has("vulkan") && !since(release, "0.12.11")) {
    notes.push(`The image of Ollama ${release.version} has no Vulkan: its GPUs stay unused.`);
  }
  if (machine?.os === "windows" && (backends.has("rocm") || backends.has("vulkan"))) {
    notes.push("Docker on Windows gives containers NVIDIA's GPUs alone.");
  }
  return notes.map((message) => ({ message }));
}
