import { createColors } from "picocolors";
import { formatBytes } from "../machines/sizes.js";
import type { DevicePlan, Plan, Verdict } from "../plan/plan.js";
import { visible, width } from "./terminal.js";

const barWidth = 32;

const words: Readonly<Record<Verdict, string>> = {
  fits: "fits",
  risky: "fits, with little to spare",
  partial: "runs partly on the CPU",
  cpu: "runs on the CPU alone",
  "out-of-memory": "runs out of memory",
  refused: "is refused",
};

/** A plan for the terminal: the verdict, a bar for each device, and how it came about. */
export function planText(plan: Plan, reference: string, color: boolean): string {
  const colors = createColors(color);
  const { context, layers, host, mmap, limits } = plan;
  const good = plan.verdict === "fits";
  const bad = plan.verdict === "refused" || plan.verdict === "out-of-memory";
  const paint = good ? colors.green : bad ? colors.red : colors.yellow;
  const lines = [
    `${colors.bold(visible(reference))} on ${visible(plan.machine.name)}, Ollama ${plan.release.version}: ${colors.bold(paint(words[plan.verdict]))}`,
    ...plan.reasons.map((reason) => `  ${visible(reason)}`),
    "",
    `  layers   ${layers.onGpu} of ${layers.offloadable} on ${plan.devices.length === 1 ? "the GPU" : "GPUs"}`,
    `  context  ${context.effective} tokens (${context.from})${
      context.parallel > 1 ? `, ${context.parallel} requests at once: ${context.cells} cells` : ""
    }, ${plan.kvCacheType}, flash attention ${plan.flashAttention}`,
    `  mmap     ${mmap.inForce ? "on" : "off"}: ${visible(mmap.reason)}`,
    ...(limits.numCtxFullGpu === undefined
      ? []
      : [`  num_ctx  up to ${limits.numCtxFullGpu} with every layer on the GPU`]),
    ...(plan.decidedBy.ollamaEstimate === undefined
      ? []
      : [`  estimate ${formatBytes(plan.decidedBy.ollamaEstimate)} by Ollama itself`]),
    "",
    ...plan.devices.flatMap((device) => devicePicture(device, colors)),
    ...hostPicture(host, colors),
    "",
    legend(colors),
    "",
  ];
  return lines.join("\n");
}

type Colors = ReturnType<typeof createColors>;

interface Part {
  bytes: number;
  mark: string;
  paint: (text: string) => string;
}

function devicePicture(device: DevicePlan, colors: Colors): string[] {
  const { weights, cache, compute, projector, overhead, total, used } = device;
  const taken = Math.max(0, total - device.free);
  const parts = [
    { bytes: taken, mark: "▒", paint: colors.dim },
    { bytes: weights, mark: "█", paint: colors.blue },
    { bytes: cache, mark: "▓", paint: colors.magenta },
    { bytes: compute + projector + overhead, mark: "▚", paint: colors.yellow },
  ];
  const share = device.layers === 1 ? "1 layer" : `${device.layers} layers`;
  return [
    row(
      `${device.id} ${visible(device.name)}`,
      bar(parts, total),
      `${formatBytes(used)} of ${formatBytes(device.free)} free, ${share}`,
    ),
  ];
}

function hostPicture(host: Plan["host"], colors: Colors): string[] {
  const { weights, mapped, cache, compute, total, used, free } = host;
  const parts = [
    { bytes: Math.max(0, total - free), mark: "▒", paint: colors.dim },
    { bytes: weights, mark: "█", paint: colors.blue },
    { bytes: cache, mark: "▓", paint: colors.magenta },
    { bytes: compute, mark: "▚", paint: colors.yellow },
  ];
  const paged = mapped > 0 ? `, and ${formatBytes(mapped)} mapped from the file` : "";
  return [
    row("RAM", bar(parts, total), `${formatBytes(used)} of ${formatBytes(free)} free${paged}`),
  ];
}

function row(name: string, picture: string, text: string): string {
  const shown = name.length > 26 ? `${name.slice(0, 25)}…` : name;
  return `  ${shown}${" ".repeat(Math.max(0, 26 - width(shown)))} ${picture}  ${text}`;
}

/** Shares of the whole, each at least one mark wide where there is anything of it. */
function bar(parts: readonly Part[], total: number): string {
  let left = barWidth;
  let picture = "";
  for (const { bytes, mark, paint } of parts) {
    const share = total > 0 ? Math.round((bytes / total) * barWidth) : 0;
    const marks = Math.min(left, bytes > 0 ? Math.max(1, share) : 0);
    picture += paint(mark.repeat(marks));
    left -= marks;
  }
  return picture + "·".repeat(Math.max(0, left));
}

function legend(colors: Colors): string {
  return `  ${colors.dim("▒")} in use  ${colors.blue("█")} weights  ${colors.magenta("▓")} KV cache  ${colors.yellow("▚")} compute and overhead  · free`;
}
