import { parameterNamed } from "../grammar/tree.js";
import type { Fix } from "../src/finding.js";
import { formatBytes } from "../src/machines/sizes.js";
import { modelPlace, setParameter } from "../src/fix/places.js";
import { roomIn } from "../src/plan/room.js";
import { severityOf } from "../src/certainty.js";
import { rule } from "../src/rule.js";

const machine = `
ram: 200GB
gpus:
  - backend: cuda
    memory: 80GiB
    free: 79GiB
`;
const models = { "acme/deepseek:q2": { like: "deepseek-v3:671b", weights: 247588783616 } };
const message =
  'Without mmap Ollama allocates 247588783616 bytes (230.6 GiB), 184.3 GiB is free: "unable to allocate CPU buffer".';

export default rule({
  id: "mmap-required",
  group: "memory",
  severity: "error",
  summary: "Weights larger than the RAM, and not mapped from the file",
  why: `
Without mmap the weights that stay off the GPUs have to be allocated, and the load ends with
\`ggml_aligned_malloc: insufficient memory\` and \`unable to allocate CPU buffer\`. On Linux, Ollama 0.1.46 to 0.24
adds \`--no-mmap\` by itself where its estimate is larger than the free RAM, so that a model that could be read
from disk as it is needed does not load at all. \`use_mmap true\` maps the file. It does not lift
\`model requires more system memory\`, which is checked before.
`,
  says: [
    { at: "load", text: "ggml_aligned_malloc: insufficient memory (attempted to allocate … MB)" },
    {
      at: "load",
      text: "failed to allocate buffer of size …",
    },
    { at: "load", text: "unable to allocate CPU buffer" },
  ],
  needs: "plan",
  examples: [
    {
      bad: "FROM acme/deepseek:q2\nPARAMETER temperature 0.6\nSYSTEM Be brief.\n",
      good: "FROM acme/deepseek:q2\nPARAMETER temperature 0.6\nPARAMETER use_mmap true\nSYSTEM Be brief.\n",
      message,
      ollama: "0.6.4",
      machine,
      models,
    },
    {
      bad: "FROM acme/deepseek:q2\nPARAMETER num_ctx 2048\nPARAMETER use_mmap false\n",
      good: "FROM acme/deepseek:q2\nPARAMETER num_ctx 2048\nPARAMETER use_mmap true\n",
      message,
      ollama: "0.32.15",
      machine,
      models,
    },
  ],

  *check(file, { plan }) {
    if (plan?.verdict !== "out-of-memory" || !plan.mmap.settable || plan.mmap.inForce) return;
    const { host, machine } = plan;
    const room = roomIn(machine);
    // Where cache and buffers alone are too large, mapping the weights is no answer.
    if (host.weights <= room || host.cache + host.compute > room) return;
    const written = parameterNamed(file, "use_mmap");
    const at = written?.value ?? modelPlace(file);
    if (!at) return;
    const edits = setParameter(file, "use_mmap", "true");
    // Safe: the model does not load before, and gives the same answers after.
    const fix: Fix = { title: "Map the weights from the file", safety: "safe", edits };
    const whose = written?.value
      ? plan.mmap.reason
      : `Ollama ${plan.release.version} adds --no-mmap by itself. ${plan.mmap.reason}`;
    yield {
      at,
      message: `Without mmap Ollama allocates ${host.weights} bytes (${formatBytes(host.weights)}), ${formatBytes(room)} is free: "unable to allocate CPU buffer".`,
      help: `${whose} use_mmap true reads the weights from disk as they are needed.`,
      severity: severityOf(plan, host.weights, room),
      fix,
    };
  },
});
