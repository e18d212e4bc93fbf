import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InputError, type Host } from "../src/host.js";
import { machinesFromNodes, parseQuantity, readNodes } from "../src/machines/kubernetes.js";
import type { Machine } from "../src/machines/machine.js";
import { profileAsYaml } from "../src/machines/print.js";
import { readProfile } from "../src/machines/profile.js";
import { machinesInText, resolveMachine, resolveMachines } from "../src/machines/resolve.js";
import { run } from "./command.js";
import { runs } from "./runs.js";

const MiB = 2 ** 20;
const GiB = 2 ** 30;

type Texts = Record<string, string>;

interface Parts {
  labels?: Texts;
  capacity?: Texts;
  allocatable?: Texts;
  spec?: object;
  ready?: string;
}

/** A node as kubectl prints it, with what no machine is made of left in. */
function node(name: string, parts: Parts = {}): object {
  const { labels = {}, capacity = {}, allocatable = {}, spec = {}, ready = "True" } = parts;
  const full = {
    cpu: "4",
    "ephemeral-storage": "83873772Ki",
    memory: "16073728Ki",
    pods: "58",
    ...capacity,
  };
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name,
      uid: "3b1c5e1d-f56c-0f9d-0a3a-2b7c9d1e2233",
      annotations: { "node.alpha.kubernetes.io/ttl": "0" },
      labels: { "kubernetes.io/arch": "amd64", "kubernetes.io/os": "linux", ...labels },
    },
    spec: { podCIDR: "10.244.1.0/24", ...spec },
    status: {
      addresses: [{ address: "10.0.0.7", type: "InternalIP" }],
      capacity: full,
      allocatable: { ...full, cpu: "3920m", memory: "15050Mi", ...capacity, ...allocatable },
      conditions: [
        { type: "MemoryPressure", status: "False" },
        { type: "Ready", status: ready, reason: "KubeletReady" },
      ],
      images: [{ names: ["registry.k8s.io/pause:3.9"], sizeBytes: 321520 }],
      nodeInfo: { operatingSystem: "linux", architecture: "amd64", kubeletVersion: "v1.31.2" },
    },
  };
}

const list = (...items: unknown[]): string =>
  JSON.stringify({ apiVersion: "v1", items, kind: "List", metadata: { resourceVersion: "" } });

/** Labels of an A10G by GPU feature discovery. */
const a10g: Texts = {
  "node.kubernetes.io/instance-type": "g5.xlarge",
  "nvidia.com/gpu.present": "true",
  "nvidia.com/gpu.product": "NVIDIA-A10G",
  "nvidia.com/gpu.memory": "23028",
  "nvidia.com/gpu.count": "1",
  "nvidia.com/gpu.replicas": "1",
  "nvidia.com/gpu.compute.major": "8",
  "nvidia.com/gpu.compute.minor": "6",
  "nvidia.com/gpu.family": "ampere",
  "nvidia.com/cuda.driver.major": "535",
  "nvidia.com/cuda.driver.minor": "183",
  "nvidia.com/cuda.driver.rev": "01",
  "nvidia.com/mig.strategy": "single",
};
const oneGpu = { "nvidia.com/gpu": "1" };

async function complaint(reading: Promise<unknown>): Promise<string> {
  const error: unknown = await reading.then(
    () => expect.fail("no error"),
    (reason: unknown) => reason,
  );
  if (!(error instanceof InputError)) throw error;
  return error.message;
}

/** GPUs in one line each: name, backend, MiB, compute capability, driver. */
const lines = ({ gpus }: Machine): string[] =>
  gpus.map(({ name, backend, total, compute, driver }) =>
    [name, backend, Math.round(total / MiB), compute ?? "-", driver ?? "-"].join(" | "),
  );

const gpuNode = (name: string, memory = "16073728Ki") =>
  node(name, {
    labels: a10g,
    capacity: { ...oneGpu, memory },
    allocatable: { memory: "15000Mi" },
  });

describe("quantities", () => {
  test.each([
    ["16073728Ki", 16073728 * 1024],
    ["15050Mi", 15050 * MiB],
    ["1.5Gi", 1.5 * GiB],
    ["2Ti", 2 ** 41],
    ["16G", 16e9],
    ["5k", 5000],
    ["1M", 1e6],
    ["3920m", 3.92],
    ["4", 4],
    ["+4", 4],
    ["0", 0],
    ["1e3", 1000],
    ["12E2", 1200],
    [".5", 0.5],
    ["1.", 1],
  ])("%s is %d", (text, expected) => expect(parseQuantity(text)).toBeCloseTo(expected, 6));

  test.each([
    "",
    "-1",
    "16GiB",
    "16Gib",
    "16K",
    "16KI",
    "Gi",
    "1 Gi",
    " 1",
    "0x10",
    "1e",
    "NaN",
    "1,5Gi",
  ])("%j is none", (text) => expect(parseQuantity(text)).toBeUndefined());
});

describe("a node", () => {
  test("without GPUs", async () => {
    const [machine] = await machinesFromNodes(list(node("worker-1")));
    expect(machine).toEqual({
      name: "worker-1",
      os: "linux",
      memory: { total: 16073728 * 1024, free: 15050 * MiB, swap: 0 },
      cores: 4,
      gpus: [],
      server: {},
    });
  });

  test("with a card that feature discovery has labelled", async () => {
    const [machine] = await machinesFromNodes(
      list(node("ip-10-0-0-7", { labels: a10g, capacity: oneGpu })),
    );
    expect(machine).toMatchObject({ name: "g5.xlarge", gpus: [{ integrated: false }] });
    expect(lines(machine!)).toEqual(["A10G | cuda | 23028 | 8.6 | 535.183.01"]);
  });

  test.each<[string, Texts, Texts, string[]]>([
    [
      "eight cards",
      {
        "nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3",
        "nvidia.com/gpu.memory": "81559",
        "nvidia.com/gpu.count": "8",
        "nvidia.com/cuda.driver-version.full": "550.90.07",
      },
      { "nvidia.com/gpu": "8" },
      Array.from({ length: 8 }, () => "H100 SXM5 80GB | cuda | 81559 | 9.0 | 550.90.07"),
    ],
    [
      "a card shared by time slices",
      {
        ...a10g,
        "nvidia.com/gpu.product": "NVIDIA-A10G-SHARED",
        "nvidia.com/gpu.replicas": "4",
        "nvidia.com/gpu.sharing-strategy": "time-slicing",
      },
      { "nvidia.com/gpu": "4" },
      ["A10G | cuda | 23028 | 8.6 | 535.183.01"],
    ],
    [
      "shared cards under their own name, no count",
      { "nvidia.com/gpu.product": "Tesla-T4-SHARED", "nvidia.com/gpu.replicas": "3" },
      { "nvidia.com/gpu": "0", "nvidia.com/gpu.shared": "6" },
      ["Tesla T4 | cuda | 15360 | 7.5 | -", "Tesla T4 | cuda | 15360 | 7.5 | -"],
    ],
    [
      "instances in place of cards",
      {
        ...a10g,
        "nvidia.com/gpu.product": "NVIDIA-A100-SXM4-80GB-MIG-1g.10gb",
        "nvidia.com/gpu.memory": "9728",
        "nvidia.com/gpu.count": "7",
        "nvidia.com/gpu.compute.minor": "0",
      },
      { "nvidia.com/gpu": "7" },
      ["NVIDIA A100 SXM4 80GB MIG 1g.10gb | cuda | 9728 | 8.0 | 535.183.01"],
    ],
    [
      "instances of several sizes",
      {
        "nvidia.com/mig.strategy": "mixed",
        "nvidia.com/mig-1g.10gb.memory": "9728",
        "nvidia.com/mig-1g.10gb.product": "NVIDIA-A100-SXM4-80GB-MIG-1g.10gb",
        "nvidia.com/gpu.product": "NVIDIA-A100-SXM4-80GB",
      },
      { "nvidia.com/gpu": "0", "nvidia.com/mig-1g.10gb": "2", "nvidia.com/mig-3g.40gb": "1" },
      ["NVIDIA A100 SXM4 80GB MIG 3g.40gb | cuda | 38912 | - | -"],
    ],
    [
      "a node pool of Google's",
      { "cloud.google.com/gke-accelerator": "nvidia-l4" },
      oneGpu,
      ["L4 | cuda | 23034 | 8.9 | -"],
    ],
    ["cards that a sick node does not offer", a10g, { "nvidia.com/gpu": "0" }, []],
    [
      "AMD's old labels",
      { "beta.amd.com/gpu.vram.16G": "1", "beta.amd.com/gpu.device-id.6860": "1" },
      { "amd.com/gpu": "1" },
      ["AMD GPU 6860 | rocm | 16384 | - | -"],
    ],
    [
      "AMD's labels",
      { "amd.com/gpu.vram": "191G", "amd.com/gpu.product-name": "AMD_Instinct_MI300X_OAM" },
      { "amd.com/gpu": "2" },
      Array.from({ length: 2 }, () => "AMD Instinct MI300X | rocm | 195584 | gfx942 | -"),
    ],
    [
      "an Intel board",
      { "gpu.intel.com/memory.max": "16225243136", "gpu.intel.com/product": "Flex_170" },
      { "gpu.intel.com/i915": "1" },
      ["Intel Flex 170 | vulkan | 15474 | - | -"],
    ],
  ])("with %s", async (_, labels, capacity, expected) => {
    const [machine] = await machinesFromNodes(list(node("n1", { labels, capacity })));
    expect(lines(machine!)).toEqual(expected);
  });

  test("counts cores where it is known that threads share them", async () => {
    const labels = { "feature.node.kubernetes.io/cpu-hardware_multithreading": "true" };
    const [machine] = await machinesFromNodes(list(node("n", { labels, capacity: { cpu: "1" } })));
    expect(machine?.cores).toBe(1);
    const [larger] = await machinesFromNodes(list(node("n", { labels, capacity: { cpu: "96" } })));
    expect(larger?.cores).toBe(48);
  });

  test("alone, as kubectl get node NAME prints it, and one of Windows", async () => {
    const [machine] = await machinesFromNodes(
      JSON.stringify(node("win", { labels: { "kubernetes.io/os": "windows" } })),
    );
    expect(machine).toMatchObject({ name: "win", os: "windows" });
  });

  test("is a profile that can be pasted", async () => {
    const [machine] = await machinesFromNodes(list(node("n", { labels: a10g, capacity: oneGpu })));
    expect(await readProfile(profileAsYaml(machine!), "m.yaml")).toEqual(machine);
  });
});

describe("a fleet", () => {
  test("is one machine a kind of node, the least memory of each", async () => {
    const machines = await machinesFromNodes(
      list(
        gpuNode("a"),
        node("cpu-1", { labels: { "beta.kubernetes.io/instance-type": "m5.xlarge" } }),
        gpuNode("b", "16073000Ki"),
        gpuNode("c"),
        gpuNode("d", "16073720Ki"),
      ),
    );
    expect(machines.map(({ name }) => name)).toEqual(["4 × g5.xlarge", "m5.xlarge"]);
    expect(machines[0]?.memory.total).toBe(16073000 * 1024);
  });

  test("of one type with different memory is two kinds", async () => {
    const machines = await machinesFromNodes(list(gpuNode("a"), gpuNode("b", "32073728Ki")));
    expect(machines.map(({ name }) => name)).toEqual(["g5.xlarge (a)", "g5.xlarge (b)"]);
  });

  test("without types is named by what it holds", async () => {
    const labels = { ...a10g, "node.kubernetes.io/instance-type": "" };
    const nodes = ["a", "b"].map((name) => node(name, { capacity: oneGpu, labels }));
    const machines = await machinesFromNodes(list(...nodes, node("c")));
    expect(machines.map(({ name }) => name)).toEqual(["2 × A10G, 15.33 GiB", "c"]);
  });

  test("leaves out what takes no work, and says so", async () => {
    const control = [{ key: "node-role.kubernetes.io/control-plane", effect: "NoSchedule" }];
    const fleet = await readNodes(
      list(
        node("a", { spec: { unschedulable: true } }),
        node("b", { ready: "Unknown" }),
        node("c", { spec: { taints: control } }),
        node("d", { capacity: { "nvidia.com/gpu": "2" } }),
        node("e", { capacity: { "amd.com/gpu": "2" } }),
        node("h", { labels: a10g, capacity: { "nvidia.com/gpu": "0" } }),
        node("f", { capacity: { "gpu.intel.com/xe": "1" } }),
        node("g", { spec: { taints: [{ key: "nvidia.com/gpu", effect: "NoSchedule" }] } }),
      ),
      "nodes.json",
    );
    expect(fleet.machines.map(({ name }) => name)).toEqual(["g5.xlarge", "2 × CPU, 15.33 GiB"]);
    const unnamed =
      "no label names its GPUs. Let GPU feature discovery label it, or write a profile.";
    expect(fleet.notes).toEqual([
      'Node "a" is left out: it is cordoned.',
      'Node "b" is left out: it is not ready.',
      'Node "c" is left out: it belongs to the control plane.',
      `Node "d" is left out: ${unnamed}`,
      `Node "e" is left out: ${unnamed}`,
      'Node "h": it offers none of its GPUs at present.',
      'Node "f": its Intel GPU is not counted, since no label gives its memory.',
    ]);
  });

  test("of thousands is read", async () => {
    const nodes = Array.from({ length: 3000 }, (_, i) => gpuNode(`n${i}`));
    const machines = await machinesFromNodes(list(...nodes));
    expect(machines.map(({ name }) => name)).toEqual(["3000 × g5.xlarge"]);
  });
});

describe("what cannot be", () => {
  test.each<[string, Parts, string]>([
    [
      "a size",
      { capacity: { memory: "16Gib" } },
      'memory is "16Gib", which is no quantity such as 16Gi or 4.',
    ],
    ["a negative size", { capacity: { memory: "-1Gi" } }, 'memory is "-1Gi", less than 0.'],
    ["no memory", { capacity: { memory: "0" } }, 'memory is "0", which no computer has.'],
    [
      "too much memory",
      { capacity: { memory: "1e30" } },
      'memory is "1e30", which no computer has.',
    ],
    [
      "more than there is",
      { allocatable: { memory: "17Gi" } },
      '"17Gi" of memory is allocatable, more than the capacity "16073728Ki".',
    ],
    ["no processor", { capacity: { cpu: "0" } }, 'cpu is "0", which no computer has.'],
    ["processors", { capacity: { cpu: "100000" } }, 'cpu is "100000", which no computer has.'],
    [
      "half a GPU",
      { labels: a10g, capacity: { "nvidia.com/gpu": "1500m" } },
      'nvidia.com/gpu is "1500m", which is no number of GPUs.',
    ],
    [
      "many GPUs",
      { labels: a10g, capacity: { "amd.com/gpu": "1e6" } },
      'amd.com/gpu is "1e6", which is no number of GPUs.',
    ],
    [
      "a label",
      { labels: { ...a10g, "nvidia.com/gpu.memory": "24Gi" }, capacity: oneGpu },
      'nvidia.com/gpu.memory is "24Gi", which is no whole number.',
    ],
    [
      "a card without memory",
      { labels: { ...a10g, "nvidia.com/gpu.memory": "0" }, capacity: oneGpu },
      "nvidia.com/gpu.memory is 0.",
    ],
    [
      "AMD's memory",
      { labels: { "amd.com/gpu.vram": "0G" }, capacity: { "amd.com/gpu": "1" } },
      'amd.com/gpu.vram is "0G", which is no size such as 16G.',
    ],
    [
      "a card of unknown memory",
      { labels: { "nvidia.com/gpu.product": "NVIDIA-Z9000" }, capacity: oneGpu },
      'GPU "NVIDIA Z9000" is not known. Add memory.',
    ],
  ])("%s", async (_, parts, expected) => {
    expect(await complaint(machinesFromNodes(list(node("good"), node("n1", parts))))).toBe(
      `Node "n1": ${expected}`,
    );
  });

  test.each([
    ["kind: List", "This is no JSON. Write the file with `kubectl get nodes -o json`."],
    ["[".repeat(200000), "This is no JSON. Write the file with `kubectl get nodes -o json`."],
    ["{}", "This is no list of nodes. Write it with `kubectl get nodes -o json`."],
    ["null", "This is no list of nodes. Write it with `kubectl get nodes -o json`."],
    [list(), "No node here can run a model. The list is empty."],
    [
      list({ kind: "Pod" }),
      'This lists "Pod", not nodes. Write it with `kubectl get nodes -o json`.',
    ],
    [list(7), "This lists something else, not nodes. Write it with `kubectl get nodes -o json`."],
    [
      list({ kind: "Node", metadata: { name: "bare" } }),
      'Node "bare": status.capacity has no memory. Write it with `kubectl get nodes -o json`.',
    ],
    [
      list(node("off", { spec: { unschedulable: true } })),
      'No node here can run a model. Node "off" is left out: it is cordoned.',
    ],
  ])("%.60s", async (text, expected) => {
    expect(await complaint(machinesFromNodes(text))).toBe(expected);
  });

  test("any JSON gives machines or an InputError", async () => {
    const loose = fc.letrec((tie) => ({
      node: fc.record(
        {
          kind: fc.constantFrom("Node", "Pod", undefined),
          metadata: fc.oneof(
            fc.record({ name: fc.string(), labels: tie("labels") }),
            fc.anything(),
          ),
          spec: fc.oneof(fc.record({ taints: fc.anything(), unschedulable: fc.anything() })),
          status: fc.record({
            capacity: tie("amounts"),
            allocatable: tie("amounts"),
            conditions: fc.anything(),
          }),
        },
        { requiredKeys: [] },
      ),
      labels: fc.dictionary(
        fc.constantFrom(
          ...Object.keys(a10g),
          "amd.com/gpu.vram",
          "gpu.intel.com/memory.max",
          "__proto__",
        ),
        fc.oneof(fc.constantFrom("4", "NVIDIA-A10G", "16G", "-1"), fc.string()),
      ),
      amounts: fc.dictionary(
        fc.constantFrom("memory", "cpu", "nvidia.com/gpu", "amd.com/gpu", "nvidia.com/mig-1g.5gb"),
        fc.oneof(fc.constantFrom("16Gi", "4", "1"), fc.anything()),
      ),
    })).node;
    await fc.assert(
      fc.asyncProperty(fc.array(loose, { maxLength: 3 }), async (items) => {
        const error: unknown = await machinesFromNodes(list(...items)).then(
          (machines) => {
            for (const { memory } of machines)
              expect(memory.free).toBeLessThanOrEqual(memory.total);
          },
          (reason: unknown) => reason,
        );
        if (error) expect(error).toBeInstanceOf(InputError);
      }),
      { numRuns: runs(150) },
    );
  });
});

describe("a reference", () => {
  const fleet = list(
    node("a", { labels: a10g, capacity: oneGpu }),
    node("b"),
    node("c", { ready: "False" }),
  );
  const files: Record<string, string> = {
    "/project/nodes.json": fleet,
    "/project/one.json": list(node("b")),
    "/project/large.json": fleet.replace("{", `{"padding":"${"x".repeat(5 * MiB)}",`),
    "/project/profile.json": '{ "ram": "2GiB" }',
    "/project/nodes.yaml": "apiVersion: v1\nitems: []\nkind: List\n",
  };
  const host: Host = {
    resolve: (folder, path) => `${folder}/${path}`,
    stat: (path) =>
      Promise.resolve(
        files[path] === undefined ? undefined : { kind: "file", size: files[path].length },
      ),
    read: (path) => Promise.resolve(new TextEncoder().encode(files[path])),
    list: () => Promise.resolve([]),
    variable: () => undefined,
  };

  test.each(["nodes.json", "large.json"])("to %s means each kind of node", async (name) => {
    const notes: string[] = [];
    const machines = await resolveMachines(name, host, "/project", { note: (n) => notes.push(n) });
    expect(machines.map((one) => one.name)).toEqual(["g5.xlarge", "b"]);
    expect(notes).toEqual(['Node "c" is left out: it is not ready.']);
  });

  test("to a profile or a preset means one", async () => {
    expect(await resolveMachines("profile.json", host, "/project")).toMatchObject([
      { memory: { total: 2 * GiB } },
    ]);
    expect(await resolveMachines("2x3090", host, "/project")).toHaveLength(1);
    expect(await resolveMachine("one.json", host, "/project")).toMatchObject({ name: "b" });
    expect(await complaint(resolveMachine("nodes.json", host, "/project"))).toBe(
      "2 kinds of nodes are listed where one machine is meant.",
    );
  });

  test("to auto means what is detected", async () => {
    const found = await readProfile("ram: 3GiB", "m.yaml");
    const detect = () => Promise.resolve(found);
    expect(await resolveMachines("auto", host, "/project", { detect })).toMatchObject([
      { memory: { total: 3 * GiB } },
    ]);
  });

  test("to nodes as YAML says what to do", async () => {
    expect(await complaint(resolveMachines("nodes.yaml", host, "/project"))).toBe(
      "Nodes are read from JSON. Write it with `kubectl get nodes -o json`.",
    );
  });

  test("text of either kind", async () => {
    expect(await machinesInText("ram: 1GiB", "-")).toHaveLength(1);
    expect(await machinesInText(fleet, "-")).toHaveLength(2);
  });
});

describe("the command", () => {
  const fleet = list(node("a", { labels: a10g, capacity: oneGpu }), node("b"));

  test("prints the kinds of nodes as profiles", async () => {
    const { code, stdout } = await run(["machine", "-"], { input: fleet });
    expect(code).toBe(0);
    const profiles = stdout.split("---\n");
    expect(profiles).toHaveLength(2);
    expect(await readProfile(profiles[0]!, "m.yaml")).toMatchObject({ name: "g5.xlarge" });
    const asJson = await run(["machine", "-", "--json"], { input: fleet });
    expect(JSON.parse(asJson.stdout)).toMatchObject([{ name: "g5.xlarge" }, { name: "b" }]);
  });

  test("checks a file against each kind", async () => {
    const folder = await mkdtemp(join(tmpdir(), "modelfile-lint-"));
    try {
      await writeFile(join(folder, "Modelfile"), "FROM llama3.1:8b\n");
      await writeFile(join(folder, "nodes.json"), fleet);
      const { stdout } = await run(["--machine", "nodes.json", "--format", "json"], {
        cwd: folder,
      });
      const { files } = JSON.parse(stdout) as { files: { machine: string }[] };
      expect(files.map(({ machine }) => machine)).toEqual(["g5.xlarge", "b"]);
      const piped = await run(["Modelfile", "--machine", "-", "--json"], {
        cwd: folder,
        input: fleet,
      });
      expect((JSON.parse(piped.stdout) as { files: unknown[] }).files).toHaveLength(2);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  test("says what is wrong with what is piped in", async () => {
    const { code, stderr } = await run(["machine", "-"], { input: "" });
    expect(code).toBe(2);
    expect(stderr).toBe(
      "modelfile-lint: standard input: There is nothing. Pipe `kubectl get nodes -o json` into it.\n",
    );
  });
});
