import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { labelValue, objectName } from "../src/compile/kubernetes-names.js";
import { kubernetes } from "../src/compile/kubernetes.js";
import type { Source } from "../src/compile/target.js";
import { readNodes } from "../src/machines/kubernetes.js";
import type { FileFacts } from "../src/models/local-files.js";
import { card, computer, GiB, MiB, modelOf } from "./loads.js";
import { sourceOf } from "./source-of.js";

interface Container {
  image: string;
  command?: string[];
  env?: { name: string; value: string }[];
  resources?: { requests?: { memory: string }; limits?: Record<string, number> };
  volumeMounts: { name: string; mountPath: string; subPath?: string }[];
}

interface PodSpec {
  affinity?: { nodeAffinity: Record<string, unknown> };
  tolerations?: { key: string }[];
  containers: Container[];
  volumes: { name: string; configMap?: { name: string } }[];
}

interface Resource {
  kind: string;
  metadata: { name: string };
  data?: { Modelfile: string };
  spec: { template: { spec: PodSpec }; resources: { requests: { storage: string } } };
}

function objectsIn(text: string): Resource[] {
  return parseAllDocuments(text).map((document) => {
    expect(document.errors).toEqual([]);
    return document.toJS() as Resource;
  });
}

function compiled(source: Source) {
  const result = kubernetes.compile(source);
  if ("refused" in result) throw new Error(result.refused);
  const [manifests, script] = result.texts;
  expect(manifests?.path).toBe("ollama.yaml");
  const objects = objectsIn(manifests!.text);
  const named = (kind: string) => objects.find((object) => object.kind === kind);
  const pod = named("Deployment")!.spec.template.spec;
  return {
    text: manifests!.text,
    script: script?.text,
    kinds: objects.map(({ kind }) => kind),
    named,
    pod,
    server: pod.containers[0]!,
    notes: result.notes.map(({ message }) => message),
  };
}

/** $(NAME) is a variable, and $$ one dollar sign (k8s.io/kubernetes third_party/forked/golang/expansion). */
function expanded(value: string): string {
  return value.replaceAll(/\$(\$|\()?/g, (all, next?: string) => {
    if (next === "(") throw new Error(`A variable in ${value}`);
    return next === undefined ? all : "$";
  });
}

const file: FileFacts = { kind: "file", path: "/x", content: "gguf" };
const folder: FileFacts = { kind: "folder", path: "/x", names: [], pointers: [] };
const four = modelOf({}, { fileBytes: 4 * GiB });
const rtx = () => card({ name: "GeForce RTX 3090", total: 24 * GiB, free: 24 * GiB });

test("the server gets as many cards as the plan uses, and chooses none itself", () => {
  const machine = computer({ gpus: Array.from({ length: 8 }, rtx) });
  const { server, pod, kinds } = compiled(sourceOf("FROM x\n", "0.6.5", { model: four, machine }));
  expect(kinds).toEqual(["PersistentVolumeClaim", "ConfigMap", "Deployment", "Service", "Job"]);
  expect(server.resources?.limits).toEqual({ "nvidia.com/gpu": 1 });
  expect(server.env).toBeUndefined();
  expect(pod.tolerations).toEqual([
    { key: "nvidia.com/gpu", operator: "Exists", effect: "NoSchedule" },
  ]);
});

test("nodes need the memory of the plan's cards, and its product is preferred", () => {
  const machine = computer({ gpus: [rtx(), rtx()] });
  const { pod } = compiled(sourceOf("FROM x\n", "0.6.5", { model: four, machine }));
  expect(pod.affinity?.nodeAffinity).toMatchObject({
    requiredDuringSchedulingIgnoredDuringExecution: {
      nodeSelectorTerms: [
        { matchExpressions: [{ key: "nvidia.com/gpu.memory", operator: "Gt", values: ["24084"] }] },
      ],
    },
    preferredDuringSchedulingIgnoredDuringExecution: [
      {
        preference: {
          matchExpressions: [
            {
              key: "nvidia.com/gpu.product",
              operator: "In",
              values: ["GeForce-RTX-3090", "NVIDIA-GeForce-RTX-3090"],
            },
          ],
        },
      },
    ],
  });
});

test("a node of a cluster offers what is asked for it", async () => {
  const labels = {
    "nvidia.com/gpu.product": "NVIDIA-A10G",
    "nvidia.com/gpu.memory": "23028",
    "nvidia.com/gpu.count": "4",
  };
  const status = { capacity: { memory: "196Gi", cpu: "48", "nvidia.com/gpu": "4" } };
  const node = { kind: "Node", metadata: { name: "a", labels }, status };
  const { machines } = await readNodes(JSON.stringify(node), "nodes.json");
  const source = sourceOf("FROM x\n", "0.6.5", { model: four, machine: machines[0]! });
  const { required, preferred } = expressionsIn(compiled(source).pod);
  expect(required).toHaveLength(1);
  for (const { key, values } of required) {
    expect(Number(labels[key as keyof typeof labels])).toBeGreaterThan(Number(values[0]));
  }
  expect(
    preferred.some(({ key, values }) => values.includes(labels[key as keyof typeof labels])),
  ).toBe(true);
});

interface Expression {
  key: string;
  values: string[];
}

function expressionsIn({ affinity }: PodSpec): { required: Expression[]; preferred: Expression[] } {
  const { nodeAffinity } = affinity as {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: { matchExpressions: Expression[] }[];
      };
      preferredDuringSchedulingIgnoredDuringExecution: {
        preference: { matchExpressions: Expression[] };
      }[];
    };
  };
  return {
    required: nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms.flatMap(
      ({ matchExpressions }) => matchExpressions,
    ),
    preferred: nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution.flatMap(
      ({ preference }) => preference.matchExpressions,
    ),
  };
}

test.each([
  [{ backend: "rocm", name: "Radeon RX 7900 XTX" }, "amd.com/gpu", "ollama/ollama:0.32.15-rocm"],
  [{ backend: "vulkan", name: "Intel Arc A770" }, "gpu.intel.com/i915", "ollama/ollama:0.32.15"],
  [{ backend: "vulkan", name: "AMD Radeon 780M" }, "amd.com/gpu", "ollama/ollama:0.32.15"],
] as const)("%j is asked for as %s", (gpu, resource, image) => {
  const machine = computer({ gpus: [card(gpu)] });
  const { server } = compiled(sourceOf("FROM x\n", "0.32.15", { model: four, machine }));
  expect(server.resources?.limits).toEqual({ [resource]: 1 });
  expect(server.image).toBe(image);
});

test.each(["0.6.5", "0.32.15"])(
  "memory of %s is what the plan has in RAM, without a limit",
  (ollama) => {
    const machine = computer({ gpus: [], free: 60 * GiB });
    const text = "FROM x\nPARAMETER num_ctx 4096\n";
    const source = sourceOf(text, ollama, { model: modelOf(), machine });
    const { server } = compiled(source);
    const bytes = Number(/^(\d+)Mi$/.exec(server.resources?.requests?.memory ?? "")?.[1]) * MiB;
    const { host, mmap } = source.plan!;
    // The weights count whether they are allocated or mapped.
    expect(host.resident).toBeGreaterThan(7 * GiB);
    const least = host.used + (mmap.inForce ? host.resident : 0) + GiB;
    expect(bytes).toBeGreaterThanOrEqual(least);
    expect(bytes).toBeLessThan(least + MiB);
    expect(server.resources?.limits).toBeUndefined();
  },
);

test("variables that choose cards are left to the device plugin, others carried over", () => {
  const machine = computer({ gpus: [rtx(), rtx()] });
  const server = { CUDA_VISIBLE_DEVICES: "1", OLLAMA_HOST: ":80", OLLAMA_ORIGINS: "$(HOME) $$x $" };
  const made = compiled(sourceOf("FROM x\n", "0.6.5", { model: four, machine, server }));
  expect(made.server.env?.map(({ name, value }) => [name, expanded(value)])).toEqual([
    ["OLLAMA_ORIGINS", "$(HOME) $$x $"],
  ]);
  expect(made.server.resources?.limits).toEqual({ "nvidia.com/gpu": 1 });
  expect(made.notes.join("\n")).toMatch(
    /OLLAMA_HOST is left out[^]*CUDA_VISIBLE_DEVICES is left out/,
  );
});

test("the Job makes the model from the ConfigMap", () => {
  const { named } = compiled(sourceOf("FROM x\n", "0.6.5", { name: "me/Mario:1.5" }));
  const config = named("ConfigMap")!;
  expect(config.data).toEqual({ Modelfile: "FROM x\n" });
  const spec = named("Job")!.spec.template.spec;
  expect(spec.volumes).toEqual([{ name: "modelfile", configMap: { name: config.metadata.name } }]);
  const [creator] = spec.containers;
  expect(creator!.command!.map(expanded)).toEqual([
    "ollama",
    "create",
    "me/Mario:1.5",
    "-f",
    "/modelfile/Modelfile",
  ]);
  expect(creator!.env).toEqual([{ name: "OLLAMA_HOST", value: "http://ollama:11434" }]);
});

const jobOf = (text: string, release: string, name: string) =>
  compiled(sourceOf(text, release, { name })).named("Job")!.metadata.name;

test("another Modelfile, release or name is another Job, the same the same", () => {
  const names = [
    jobOf("FROM x\n", "0.6.5", "a"),
    jobOf("FROM y\n", "0.6.5", "a"),
    jobOf("FROM x\n", "0.6.6", "a"),
    jobOf("FROM x\n", "0.6.5", "b"),
    jobOf("FROM x\n", "0.6.5", "a:b"),
  ];
  expect(new Set(names).size).toBe(names.length);
  expect(jobOf("FROM x\n", "0.6.5", "a")).toBe(names[0]);
});

describe("names", () => {
  const any = fc.oneof(fc.string(), fc.string({ unit: "binary" }), fc.constant("-A".repeat(90)));

  test("of objects are labels of DNS", () => {
    fc.assert(
      fc.property(any, any, (text, content) => {
        expect(objectName("modelfile", text, content)).toMatch(/^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/);
      }),
    );
  });

  test("of products are values of labels", () => {
    fc.assert(
      fc.property(any, (text) => {
        expect(labelValue(text)).toMatch(/^(?:[A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?)?$/);
      }),
    );
    expect(labelValue("NVIDIA H100 80GB HBM3")).toBe("NVIDIA-H100-80GB-HBM3");
  });
});

const sizeOf = (release: string, text: string, facts?: FileFacts, bytes = 40 * GiB) => {
  const files = facts && new Map([[text, facts]]);
  const model = modelOf({}, { fileBytes: bytes, adapters: [{ bytes: 10 * GiB }] });
  const source = sourceOf(`FROM ${text}\n`, release, { model, ...(files && { files }) });
  return compiled(source).named("PersistentVolumeClaim")!.spec.resources.requests.storage;
};

describe("the volume", () => {
  test("has room for every copy that is made", () => {
    expect(sizeOf("0.6.5", "llama3")).toBe("55Gi");
    expect(sizeOf("0.6.5", "./a.gguf", file)).toBe("110Gi");
    expect(sizeOf("0.32.15", "./a.gguf", file)).toBe("165Gi");
    expect(sizeOf("0.6.5", "./folder", folder)).toBe("165Gi");
  });

  test("of an unknown model is a guess that says so", () => {
    const { text } = compiled(sourceOf("FROM x\n", "0.6.5"));
    expect(text).toContain(
      '# The model is not known: make room for its weights.\n      storage: "50Gi"',
    );
  });
});

describe("files of this computer", () => {
  const texts = ["./my model.gguf", "../up/$b.gguf", "/data/c.gguf", "~/d.gguf"];
  const source = sourceOf(texts.map((text) => `FROM ${text}\n`).join(""), "0.6.5", {
    name: "mario",
    files: new Map(texts.map((text) => [text, file])),
  });

  test("are copied to the volume by a script, and no Job looks for them", () => {
    const { kinds, server, pod, notes } = compiled(source);
    expect(kinds).not.toContain("Job");
    expect(server.volumeMounts).toMatchObject([
      { name: "models", mountPath: "/root/.ollama" },
      {
        name: "modelfile",
        mountPath: "/root/.ollama/modelfile/in/Modelfile",
        subPath: "Modelfile",
      },
    ]);
    expect(pod.volumes[1]).toMatchObject({ name: "modelfile" });
    expect(notes.join("\n")).toContain("create-model.sh copies them");
  });

  test("come to where the Modelfile looks for them", () => {
    const folder = mkdtempSync(join(tmpdir(), "modelfile-lint-kubectl-"));
    try {
      const log = join(folder, "log");
      const fake = '#!/bin/sh\nprintf "%s\\t" "$@" >> "$LOG"\necho >> "$LOG"\necho pod-1\n';
      writeFileSync(join(folder, "kubectl"), fake);
      chmodSync(join(folder, "kubectl"), 0o755);
      const { status, stderr } = spawnSync("sh", [], {
        input: compiled(source).script!,
        encoding: "utf8",
        env: { PATH: `${folder}:/usr/bin:/bin`, LOG: log, HOME: "/home/me" },
      });
      expect([status, stderr]).toEqual([0, ""]);
      const calls = readFileSync(log, "utf8").trim().split("\n").slice(2);
      const base = "/root/.ollama/modelfile";
      expect(calls.map((call) => call.trim().split("\t"))).toEqual([
        ["exec", "pod-1", "--", "mkdir", "-p", `${base}/in`, `${base}/up`, "/data", "/root"],
        ["cp", "./my model.gguf", `pod-1:${base}/in/my model.gguf`],
        ["cp", "../up/$b.gguf", `pod-1:${base}/up/$b.gguf`],
        ["cp", "/data/c.gguf", "pod-1:/data/c.gguf"],
        ["cp", "/home/me/d.gguf", "pod-1:/root/d.gguf"],
        ["exec", "pod-1", "--", "ollama", "create", "mario", "-f", `${base}/in/Modelfile`],
      ]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

const ofLength = (length: number) => sourceOf(`FROM x\nSYSTEM ${"x".repeat(length)}\n`, "0.6.5");

describe("long Modelfiles", () => {
  test("beyond what a ConfigMap holds are refused", () => {
    const result = kubernetes.compile(ofLength(2 ** 20));
    expect(result).toEqual({
      refused: expect.stringContaining("a ConfigMap holds 1048576") as string,
    });
  });

  test("beyond what kubectl apply can note are told", () => {
    expect(compiled(ofLength(300_000)).notes.join("\n")).toContain("--server-side");
    expect(compiled(ofLength(200_000)).notes.join("\n")).not.toContain("--server-side");
  });
});

test("a Modelfile comes through YAML as it was", () => {
  const value = fc.oneof(
    fc.constantFrom("$x $$ $(z)", "yes", "- x", "---", ": # é 😀", "\u0085\u2028", "`\"'", "a \t"),
    fc.string({ unit: "binary" }),
  );
  fc.assert(
    fc.property(fc.array(value), fc.constantFrom("\n", "\r\n"), (values, end) => {
      const text = ["FROM x", ...values.map((one) => `# ${one}`), ""].join(end);
      const source = { ...sourceOf("FROM x\n", "0.6.5"), name: "x" };
      const file = { ...source.file, text };
      expect(compiled({ ...source, file }).named("ConfigMap")?.data?.Modelfile).toBe(text);
    }),
    { numRuns: 25 },
  );
});

const kubectl = spawnSync("kubectl", ["version", "--client"]);

test.skipIf(kubectl.status !== 0)("kubectl reads what was written", () => {
  const texts = [
    "FROM x\n",
    "FROM x\r\n# \t: yes 😀 \n",
    "FROM x\n# \u0085\u2028\u001b\0\ufeff$x",
    " # - x\nFROM x",
  ];
  const source = sourceOf("FROM x\n", "0.6.5");
  const input = texts
    .map((text) => compiled({ ...source, file: { ...source.file, text } }).text)
    .join("---\n");
  const { stdout, stderr } = spawnSync(
    "kubectl",
    ["label", "--local", "--filename=-", "--output=json", "read=yes"],
    { input, encoding: "utf8" },
  );
  expect(stderr).toBe("");
  const objects = stdout.split(/(?<=^\})\n/m).filter((one) => one !== "");
  const read = objects.map((one) => JSON.parse(one) as Resource);
  expect(read.map(({ kind }) => kind).filter((kind) => kind === "Job")).toHaveLength(texts.length);
  expect(read.flatMap(({ data }) => data?.Modelfile ?? [])).toEqual(texts);
});
