import { allocate, type Subject } from "./allocate.js";
import type { Allocation, Device, RunParameters, TensorOverride } from "./allocation.js";

export interface FitOptions {
  /** Bytes that every device is to keep free (--fit-target); llama.cpp's own: 1 GiB. */
  margin?: number;
  /** Tokens that the context is not made shorter than (--fit-ctx). */
  leastContext?: number;
}

/** What llama-server decides for itself before it loads a model. */
export interface Fit {
  /** What it then runs with. */
  run: RunParameters;
  /**
   * as-asked: every device keeps its margin. shorter: only the context had to give way. layers: some
   * layers or experts stay in RAM, or are dealt out otherwise. not-allowed: it does not fit, but layers
   * were chosen by hand, so nothing is changed.
   */
  outcome: "as-asked" | "shorter" | "layers" | "not-allowed";
  /** Times that memory was measured. */
  measures: number;
}

/** Which tensors of a layer that is taken in part go elsewhere; the field's own names (common/fit.cpp). */
type Overflow = "MOE" | "ATTN" | "UP" | "GATE";

/** What one device takes. */
interface Take {
  layers: number;
  /** Of these, the first ones, whose experts lie in RAM. */
  part: number;
  /** What goes elsewhere of the first of these. */
  overflow: Overflow;
}

/**
 * llama.cpp's own fit (common/fit.cpp common_fit_params): a context that nobody asked for becomes
 * shorter, then layers stay in RAM; of mixtures of experts, experts before whole layers. It goes by what
 * it measures without allocating, which is not quite what is allocated then.
 */
export function fit(
  subject: Subject,
  devices: readonly Device[],
  asked: RunParameters,
  { margin = 2 ** 30, leastContext = 4096 }: FitOptions = {},
): Fit {
  const { network } = subject;
  const { experts, layers, trainedContext } = network;
  const count = devices.length;
  const sequences = Math.max(1, asked.sequences);
  const streams = asked.unifiedCache ? 1 : sequences;
  let measures = 0;
  const measure = (run: RunParameters) => {
    measures++;
    // Folded graphs lead to the same decisions: test/accuracy/measured-fit.jsonl.
    const found = allocate(subject, devices, run, { way: "measured", folds: true });
    return devices.map((device, index) => measured(found, device, index));
  };

  let run = asked;
  let full = measure(run);
  const isFree = asked.context === 0;
  const most = trainedContext * sequences;
  const least = leastContext * streams;
  if (isFree) {
    run = { ...run, context: most };
    if (sequences > 1) full = measure(run);
  }
  const free = full.map((one) => one.free);
  if (full.every((one) => one.free - one.used >= margin)) {
    return { run: asked, outcome: "as-asked", measures };
  }

  const used = sum(full.map((one) => one.used));
  if (sum(free) - used - margin * count < 0 && isFree && most > least) {
    let target = sum(free) - margin * count;
    if (count > 1) {
      // Room for what does not divide evenly: more where layers are whole.
      const layer = Math.trunc(sum(full.map((one) => one.weights)) / layers);
      target -= Math.trunc(((count + 1) * layer) / (experts.count === 0 ? 2 : 6));
    }
    run = { ...run, context: least };
    const shortest = sum(measure(run).map((one) => one.used));
    if (target > shortest) {
      const step = 256 * streams;
      const context = least + scaled(most - least, target - shortest, used - shortest);
      run = { ...run, context: Math.max(context - (context % step), least) };
      if (count <= 1) return { run, outcome: "shorter", measures };
    }
  }
  if (asked.gpuLayers !== undefined && asked.gpuLayers >= 0) {
    return { run: asked, outcome: "not-allowed", measures };
  }

  const targets = free.map((bytes) => bytes - margin);
  const filling = new Filling(layers, run, count, measure, targets);
  filling.fillFromTheBack(experts.count > 0);
  if (experts.count > 0) {
    const inRam: TensorOverride = { pattern: /blk\.\d+\.ffn_(up|down|gate_up|gate)_(ch|)exps/ };
    const bare = measure({ ...run, overrides: [inRam] });
    if (sum(bare.map((one) => one.free - one.used - margin)) > 0) filling.fillWithExperts();
  }
  return { run: filling.run(), outcome: "layers", measures };
}

interface Measured {
  weights: number;
  used: number;
  free: number;
}

/**
 * The state of recurrent blocks is really allocated while the free memory is read, so it counts twice.
 */
function measured({ devices }: Allocation, { free }: Device, index: number): Measured {
  const { weights, cache, recurrent, compute } = devices[index]!;
  return { weights, used: weights + cache + recurrent + compute, free: free - recurrent };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, one) => all + one, 0);
}

/** whole × part / of in whole numbers; the product is too large for a float. */
function scaled(whole: number, part: number, of: number): number {
  return Number((BigInt(whole) * BigInt(part)) / BigInt(of));
}

/** The next guess between two: by proportion, at least 1 and less than all of `span`. */
function stepBetween(span: number, wanted: number, low: number, high: number): number {
  const step = Math.trunc((span * (wanted - low)) / (high - low)) >>> 0;
  return Math.min(Math.max(step, 1), span - 1);
}

/** Layers being dealt out to devices, with what that takes. */
class Filling {
  readonly #layers: number;
  readonly #asked: RunParameters;
  readonly #measure: (run: RunParameters) => Measured[];
  readonly #targets: readonly number[];
  #takes: Take[];
  /** Where each device's partly taken layer goes on; undefined: RAM. */
  #next: (number | undefined)[];
  #used: number[];

  constructor(
    layers: number,
    asked: RunParameters,
    count: number,
    measure: (run: RunParameters) => Measured[],
    targets: readonly number[],
  ) {
    this.#layers = layers;
    this.#asked = asked;
    this.#measure = measure;
    this.#targets = targets;
    this.#takes = Array.from({ length: count }, () => ({ layers: 0, part: 0, overflow: "MOE" }));
    this.#next = Array.from({ length: count }, () => undefined);
    this.#used = this.#usedBy(this.#takes);
  }

  run(takes = this.#takes, next = this.#next): RunParameters {
    const gpuLayers = sum(takes.map((take) => take.layers));
    const overrides: TensorOverride[] = [];
    let layer = this.#layers + 1 - gpuLayers;
    for (const [index, take] of takes.entries()) {
      layer += take.layers - take.part;
      for (let i = 0; i < take.part; i++, layer++) {
        const device = i === 0 ? next[index] : undefined;
        overrides.push({
          pattern: tensorsOf(layer, i === 0 ? take.overflow : "MOE"),
          ...(device !== undefined && { device }),
        });
      }
    }
    const { overrides: _, tensorSplit: __, ...rest } = this.#asked;
    return {
      ...rest,
      gpuLayers,
      ...(takes.length > 1 && { tensorSplit: takes.map((take) => take.layers) }),
      ...(overrides.length > 0 && { overrides }),
    };
  }

  #usedBy(takes: readonly Take[], next = this.#next): number[] {
    return this.#measure(this.run([...takes], next)).map((one) => one.used);
  }

  #keep(takes: readonly Take[], used: number[]): void {
    this.#takes = copied(takes);
    this.#used = used;
  }

  /** From the last device backwards each takes as many layers as it holds; with experts, without these. */
  fillFromTheBack(hasExperts: boolean): void {
    const last = this.#takes.length - 1;
    for (let device = last; device >= 0; device--) {
      const target = this.#targets[device]!;
      const left = this.#layers + 1 - sum(this.#takes.slice(device + 1).map((take) => take.layers));
      let high = copied(this.#takes);
      high[device]!.layers = left;
      // The output layer has no experts.
      if (hasExperts) high[device]!.part = device < last ? left : left - 1;
      if (left <= 0) continue;
      let highUsed = this.#usedBy(high);
      if (highUsed[device]! <= target) {
        this.#keep(high, highUsed);
        continue;
      }
      const span = () => high[device]!.layers - this.#takes[device]!.layers;
      while (span() > 1) {
        const low = this.#used[device]!;
        const step = stepBetween(span(), target, low, highUsed[device]!);
        const test = copied(this.#takes);
        const take = test[device]!;
        take.layers += step;
        if (hasExperts) take.part += device === last && take.part === 0 ? step - 1 : step;
        const used = this.#usedBy(test);
        if (used[device]! <= target) this.#keep(test, used);
        else {
          high = test;
          highUsed = used;
        }
      }
    }
  }

  /** From the first device forwards, layers that others hold without experts become whole ones. */
  fillWithExperts(): void {
    const count = this.#takes.length;
    let from = this.#firstPart();
    for (let device = 0; device <= from && from < count; device++) {
      from = this.#convert(device, from);
      if (from < count && this.#takes[from]!.layers > (device < count - 1 ? 0 : 1)) {
        from = this.#takePart(device, from);
      }
    }
  }

  /** The first of the devices at the end that hold layers. */
  #firstPart(): number {
    let first = this.#takes.length;
    for (let device = first - 1; device >= 0 && this.#takes[device]!.layers > 0; device--) {
      first = device;
    }
    return first;
  }

  #convert(device: number, from: number): number {
    const last = this.#takes.length - 1;
    const target = this.#targets[device]!;
    let high = copied(this.#takes);
    for (let source = from; source <= last; source++) {
      const moved = source < last ? high[source]!.layers : high[source]!.layers - 1;
      high[device]!.layers += moved;
      high[source]!.layers -= moved;
      high[source]!.part = 0;
    }
    let highUsed = this.#usedBy(high);
    if (highUsed[device]! <= target) {
      this.#keep(high, highUsed);
      return last;
    }
    const whole = (takes: readonly Take[]) => takes[device]!.layers - takes[device]!.part;
    while (whole(high) - whole(this.#takes) > 1) {
      const span = whole(high) - whole(this.#takes);
      const step = stepBetween(span, target, this.#used[device]!, highUsed[device]!);
      const test = copied(this.#takes);
      let source = from;
      let converted = 0;
      for (; source <= last; source++) {
        const moved = Math.min(step - converted, test[source]!.part);
        test[source]!.layers -= moved;
        test[source]!.part -= moved;
        test[device]!.layers += moved;
        converted += moved;
        if (test[source]!.part > 0) break;
      }
      const used = this.#usedBy(test);
      if (used[device]! <= target) {
        this.#keep(test, used);
        from = source;
      } else {
        high = test;
        highUsed = used;
      }
    }
    return from;
  }

  /** One more layer in part: without its up projections' experts, else with less, else with attention alone. */
  #takePart(device: number, from: number): number {
    const last = this.#takes.length - 1;
    const test = copied(this.#takes);
    let source = from;
    test[source]!.layers--;
    test[source]!.part--;
    test[device]!.layers++;
    test[device]!.part++;
    if (test[source]!.part === 0) source++;
    const next = [...this.#next];
    if (device < last) next[device] = device + 1;
    const tried = (overflow: Overflow): boolean => {
      test[device]!.overflow = overflow;
      const used = this.#usedBy(test, next);
      const holds = (index: number) => index > last || used[index]! < this.#targets[index]!;
      if (!holds(device) || !holds(device + 1)) return false;
      this.#keep(test, used);
      return true;
    };
    if (tried("UP")) {
      this.#next = next;
      tried("GATE");
      return source;
    }
    if (!tried("ATTN")) return from;
    this.#next = next;
    return source;
  }
}

function copied(takes: readonly Take[]): Take[] {
  return takes.map((take) => ({ ...take }));
}

/** The tensors of a layer that go elsewhere. */
function tensorsOf(layer: number, overflow: Overflow): RegExp {
  const parts: Readonly<Record<Overflow, string>> = {
    ATTN: "ffn_(gate|up|gate_up|down).*",
    UP: "ffn_(gate|gate_up|down).*",
    GATE: "ffn_down.*",
    MOE: "ffn_(up|down|gate_up|gate)_(ch|)exps",
  };
  return new RegExp(String.raw`blk\.${layer}\.${parts[overflow]}`);
}
