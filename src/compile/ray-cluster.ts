import type { Backend, Machine } from "../machines/machine.js";
import { selectionOf } from "./gpu-selection.js";
import { shellCommand, shellComment, shellWord } from "./shell-words.js";
import type { Source, Text } from "./target.js";
import type { Placement } from "./vllm-placement.js";
import { engineArguments, type Setting } from "./vllm-arguments.js";
import { yamlText, type Yaml } from "./yaml-text.js";

/** ray-service.llm-serve.yaml in ray-project/kuberay at 0ca871806c4fe4f495e20ec7493d3f0e4e2fd4b7. */
const ray = { version: "2.50.1", image: "rayproject/ray-llm:2.50.1-py311-cu124" } as const;

const gpuResources: Readonly<Partial<Record<Backend, string>>> = {
  cuda: "nvidia.com/gpu",
  rocm: "amd.com/gpu",
};

const GiB = 2 ** 30;

/** Scripts for the machine that serves and for each other one (docs/serving/parallelism_scaling.md). */
export function rayScripts(machine: Machine, { cards, nodes }: Placement): Text[] {
  const chosen = Object.entries(selectionOf(machine, cards).environment).map(
    ([name, value]) => `export ${name}=${shellWord(value)}`,
  );
  const own = ['--node-ip-address="$VLLM_HOST_IP"', `--num-gpus=${cards.length}`];
  return [
    {
      path: "ray-head.sh",
      text: rayScript(
        `On the first of ${nodes} machines like ${machine.name}; serve.sh is run beside it.`,
        [...address("the address of this machine, which the others reach."), ...chosen],
        ["--head", "--port=6379", ...own],
      ),
    },
    {
      path: "ray-worker.sh",
      text: rayScript(
        `On each of the other ${nodes - 1} machines.`,
        [
          ...address("the address of this machine."),
          shellComment("HEAD: the address of the first machine."),
          ': "${HEAD:?}"',
          ...chosen,
        ],
        ['--address="$HEAD:6379"', ...own],
      ),
    },
  ];
}

function address(means: string): string[] {
  return [shellComment(`VLLM_HOST_IP: ${means}`), ': "${VLLM_HOST_IP:?}"', "export VLLM_HOST_IP"];
}

function rayScript(about: string, lines: readonly string[], options: readonly string[]): string {
  return [
    "#!/bin/sh",
    shellComment(about),
    shellComment(
      "What Ray sends is not encrypted, and who reaches its ports runs code here: keep it to a network of its own.",
    ),
    "set -eu",
    ...lines,
    shellCommand('exec "${RAY:-ray}" start', ["--block", ...options]),
    "",
  ].join("\n");
}

/**
 * The same as a RayService of KubeRay, served by Ray Serve's own application for language models: the head has
 * no GPU, and each worker is one machine.
 */
export function rayService(
  source: Source,
  machine: Machine,
  { cards, nodes }: Placement,
  model: string,
  settings: readonly Setting[],
): Text {
  const backend = machine.gpus[cards[0] ?? 0]?.backend ?? "cuda";
  const object: Yaml = {
    apiVersion: "ray.io/v1",
    kind: "RayService",
    metadata: { name: serviceName(source.name) },
    spec: {
      serveConfigV2: yamlText(application(source, model, settings)),
      rayClusterConfig: {
        rayVersion: ray.version,
        headGroupSpec: {
          rayStartParams: { "num-cpus": "0", "num-gpus": "0" },
          template: { spec: { containers: [headContainer()] } },
        },
        workerGroupSpecs: [
          {
            groupName: "gpu",
            replicas: nodes,
            minReplicas: nodes,
            maxReplicas: nodes,
            rayStartParams: { "num-gpus": String(cards.length) },
            template: { spec: workerSpec(machine, gpuResources[backend], cards.length) },
          },
        ],
      },
    },
  };
  const head = `Made by modelfile-lint from ${source.path}, for ${nodes} machines like ${machine.name}.`;
  return { path: "rayservice.yaml", text: yamlText(object, head) };
}

/** Ray Serve's own application: OpenAI's API over the models named. */
function application(source: Source, model: string, settings: readonly Setting[]): Yaml {
  return {
    applications: [
      {
        name: "llm",
        import_path: "ray.serve.llm:build_openai_app",
        route_prefix: "/",
        args: {
          llm_configs: [
            {
              model_loading_config: { model_id: source.name, model_source: model },
              engine_kwargs: engineArguments(settings),
              deployment_config: { autoscaling_config: { min_replicas: 1, max_replicas: 1 } },
            },
          ],
        },
      },
    ],
  };
}

/** Bytes of a RayService's name: KubeRay puts more behind it (MaxRayServiceNameLength in ray-operator/controllers/ray/utils/constant.go). */
const longestName = 47;

function serviceName(name: string): string {
  const plain = `vllm-${name.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-")}`;
  return plain.slice(0, longestName).replaceAll(/-+$/g, "");
}

function headContainer(): Yaml {
  const ports = { gcs: 6379, dashboard: 8265, client: 10001, serve: 8000 };
  return {
    name: "ray-head",
    image: ray.image,
    ports: Object.entries(ports).map(([name, containerPort]) => ({ name, containerPort })),
    resources: {
      limits: { cpu: "2", memory: "8Gi" },
      requests: { cpu: "2", memory: "8Gi" },
    },
  };
}

/** One pod a machine: half of its cores and of its free RAM, and shared memory for what the cards exchange. */
function workerSpec(machine: Machine, gpu: string | undefined, count: number): Yaml {
  const cpu = String(Math.max(1, Math.floor((machine.cores ?? 8) / 2)));
  const memory = `${Math.max(1, Math.floor(machine.memory.free / 2 / GiB))}Gi`;
  const resources = { cpu, memory, ...(gpu !== undefined && { [gpu]: String(count) }) };
  const token = { name: "hf-token", key: "hf_token", optional: true };
  return {
    containers: [
      {
        name: "ray-worker",
        image: ray.image,
        env: [{ name: "HF_TOKEN", valueFrom: { secretKeyRef: token } }],
        resources: { limits: resources, requests: resources },
        volumeMounts: [{ name: "dshm", mountPath: "/dev/shm" }],
      },
    ],
    volumes: [{ name: "dshm", emptyDir: { medium: "Memory" } }],
  };
}
