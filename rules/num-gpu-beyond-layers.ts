import { offloadableLayers } from "../src/models/model.js";
import { numberSet } from "../src/fix/places.js";
import { rule } from "../src/rule.js";

export default rule({
  id: "num-gpu-beyond-layers",
  group: "memory",
  severity: "info",
  summary: "num_gpu above the model's layers",
  why: `
A model has as many layers to give to the GPUs as it has blocks, and the output layer. A larger \`num_gpu\`, such as 66
or 999, means all of them: \`offloaded 62/62 layers to GPU\` in the server's log.
`,
  needs: "model",
  about: ["num_gpu"],
  examples: [
    {
      bad: "FROM deepseek-v3:671b\nPARAMETER num_gpu 66\n",
      message: "num_gpu 66 means all 62 layers: the model has no more.",
    },
  ],

  *check(file, { model }) {
    const set = numberSet(file, "num_gpu");
    if (!model || !set) return;
    const layers = offloadableLayers(model);
    if (set.number <= layers) return;
    yield {
      at: set.value,
      message: `num_gpu ${set.number} means all ${layers} layers: the model has no more.`,
    };
  },
});
