import type { Report } from "../src/finding.js";
import { contextChange, modelPlace } from "../src/fix/places.js";
import { formatBytes } from "../src/machines/sizes.js";
import type { Plan } from "../src/plan/plan.js";
import { cacheBytes, isWhollyOnGpu, largestContext, withSettings } from "../src/plan/solve.js";
import { since } from "../src/facts/release.js";
import { rule } from "../src/rule.js";

/** So many times the default have to fit, and to be trained for, before it is worth a word. */
const much = 8;

export default rule({
  id: "context-unset",
  group: "memory",
  severity: "info",
  summary: "Context left to the release's default, which suits this model badly",
  why: `
A prompt longer than the context is cut without an error. Where nothing sets \`num_ctx\`, Ollama takes 2048 tokens until
0.6.6 and 4096 until 0.15.4, whatever the model was trained for. Since 0.15.5 the total memory of the GPUs decides, and
so the machine: 4096 tokens below 23 GiB, 32768 below 47 GiB, 262144 above; the log says \`vram-based default context\`.
`,
  says: [{ at: "chat", text: "truncating input prompt" }],
  needs: "plan",
  examples: [
    {
      bad: "FROM llama3.2:3b\n",
      good: "FROM llama3.2:3b\nPARAMETER num_ctx 73728\n",
      message:
        "Nothing sets num_ctx, so that 4096 tokens are the context. Up to 75776 fit on the GPU; the model was trained for 131072.",
      ollama: "0.32.15",
      machine: "rtx3060-12g-32g",
    },
  ],

  *check(file, { plan }) {
    const at = modelPlace(file);
    if (!at || !plan || plan.context.from !== "default" || !isWhollyOnGpu(plan)) return;
    const { shape, parameters } = plan.model;
    // The base model may set it.
    if (shape.embeddingOnly || parameters?.["num_ctx"] !== undefined) return;
    const found = tooSmall(plan) ?? tooLarge(plan);
    if (!found) return;
    const { value, ...report } = found;
    yield { at, ...report, suggestions: [contextChange(file, value)] };
  },
});

type Found = Omit<Report, "at"> & { value: number };

function tooSmall(plan: Plan): Found | undefined {
  const { effective } = plan.context;
  const trained = plan.model.shape.trainedContext ?? 0;
  if (trained < much * effective) return undefined;
  if (!isWhollyOnGpu(withSettings(plan, { numCtx: much * effective }))) return undefined;
  const best = largestContext(plan);
  if (!best || !isWhollyOnGpu(best.plan)) return undefined;
  return {
    value: best.value,
    message: `Nothing sets num_ctx, so that ${effective} tokens are the context. Up to ${plan.limits.numCtxFullGpu} fit on the GPU; the model was trained for ${trained}.`,
    ...(since(plan.release, "0.15.5") && {
      help: "The GPUs' total memory decides on the default.",
    }),
  };
}

/** The GPUs' memory gives a context whose cache is larger than the model. */
function tooLarge(plan: Plan): Found | undefined {
  const { release, model, context } = plan;
  if (!since(release, "0.15.5")) return undefined;
  const cache = cacheBytes(plan);
  if (cache <= model.weights.total) return undefined;
  return {
    value: context.effective,
    message: `Nothing sets num_ctx, so that the GPUs' memory makes it ${context.effective} tokens: the cache takes ${formatBytes(cache)}, more than the weights.`,
    help: "On another machine it is another context.",
  };
}
