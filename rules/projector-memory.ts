import { since } from "../src/facts/release.js";
import { modelPlace, numberSet } from "../src/fix/places.js";
import { formatBytes } from "../src/machines/sizes.js";
import type { Plan } from "../src/plan/plan.js";
import { layersOnCpu } from "../src/plan/solve.js";
import { rule } from "../src/rule.js";

/** What llama-server keeps free beside the projector's weights (0.30.11:llm/llama_server.go mmprojOffloadHeadroom). */
const headroom = 2 ** 30;
/** Cards of so much memory or less got no projector (0.30.0:llm/llama_server.go). */
const little = 10 * 2 ** 30;

export default rule({
  id: "projector-memory",
  group: "memory",
  severity: "info",
  summary: "Vision projector that stays on the CPU, or takes the room of layers",
  why: `
A projector in a file of its own has to lie on the first GPU, with a buffer for the picture. Since 0.30 it stays on the
CPU where \`num_gpu\` is less than all layers, or where a GPU has less free than the projector and 1 GiB: the log says
\`disabling multimodal projector offload\`, and every picture takes seconds more (ollama #10700). Of several projectors
only the first is used.
`,
  says: [{ at: "load", text: "disabling multimodal projector offload", from: "0.30.0" }],
  needs: "plan",
  examples: [
    {
      bad: "FROM llava:7b\nPARAMETER num_ctx 4096\nPARAMETER num_gpu 20\n",
      message: "The projector, 596 MiB, stays on the CPU: num_gpu 20 is less than all 33 layers.",
      ollama: "0.32.15",
      machine: "rtx3060-12g-32g",
    },
    {
      bad: "FROM minicpm-v:8b\nPARAMETER num_ctx 8192\n",
      message:
        "The projector takes 996 MiB of the first GPU, the room of the 3 layers that stay on the CPU.",
      ollama: "0.9.6",
      machine: "gtx1060-16g",
    },
  ],

  *check(file, { plan }) {
    const projector = plan?.model.projectorBytes;
    const at = modelPlace(file);
    if (!plan || projector === undefined || !at || plan.devices.length === 0) return;
    const size = formatBytes(projector);
    const why = whyOnCpu(plan, projector);
    if (why !== undefined) {
      yield {
        at: numberSet(file, "num_gpu")?.value ?? at,
        message: `The projector, ${size}, stays on the CPU: ${why}.`,
        help: "Pictures are then read by the CPU.",
      };
      return;
    }
    const pushed = layersPushed(plan);
    if (pushed <= 0) return;
    const all = layersOnCpu(plan);
    const which = pushed === all ? "the" : `${pushed} of the`;
    const stay = all === 1 ? "layer that stays" : `${all} layers that stay`;
    yield {
      at,
      message: `The projector takes ${size} of the first GPU, the room of ${which} ${stay} on the CPU.`,
    };
  },
});

/** Layers that would lie on the GPUs if there were no projector. */
function layersPushed(plan: Plan): number {
  const { model, settings } = plan;
  if (plan.verdict !== "partial" || settings.numGpu !== undefined) return 0;
  const { projectorBytes: _, ...text } = model;
  const without = plan.otherwise({ model: text });
  return layersOnCpu(plan) - layersOnCpu(without);
}

/** 0.30.11:llm/llama_server.go shouldDisableMMProjOffload; num_gpu 0 is no surprise. */
function whyOnCpu({ settings, release, layers, devices, model }: Plan, projector: number) {
  if (!since(release, "0.30.0") || layers.onGpu === 0) return undefined;
  // Its projector is kept on the GPU in any case (requiresMMProjGPUOffload).
  if (model.shape.architecture === "gemma3n") return undefined;
  const { numGpu = -1 } = settings;
  if (numGpu > 0 && numGpu < layers.offloadable) {
    return `num_gpu ${numGpu} is less than all ${layers.offloadable} layers`;
  }
  const used = devices.filter((device) => device.layers > 0);
  if (!since(release, "0.30.11")) {
    return used.some(({ total }) => total <= little) ? "a GPU has 10 GiB or less" : undefined;
  }
  const needed = projector + headroom;
  const full = used.find(({ free }) => free < needed);
  return full && `it and 1 GiB need more than the ${formatBytes(full.free)} that are free`;
}
