import { layoutOf, type Layout } from "./container-mounts.js";
import { createWords, modelfileOf } from "./create-command.js";
import { visibilityVariables, gpuRequests, type GpuRequest } from "./gpu-request.js";
import { objectName } from "./kubernetes-names.js";
import { copyScript } from "./kubernetes-script.js";
import { localTexts, missingNotes, type LocalText } from "./local-texts.js";
import { affinityFor } from "./node-affinity.js";
import { droppedNotes, notesOn } from "./notes.js";
import { imageNotes, imageOf } from "./ollama-image.js";
import { parametersInForce, valueOf } from "./parameters-in-force.js";
import { planNotes } from "./plan-notes.js";
import { containersOwn, placeNotes, serverVariables, type Variable } from "./server-variables.js";
import type { Compiled, Note, Refusal, Source, Target } from "./target.js";
import { volumeSize } from "./volume-size.js";
import { said, yamlText, type Yaml } from "./yaml-text.js";

/** Objects of Kubernetes: a server on a node with the plan's GPUs, and a Job that makes the model on it. */
export const kubernetes: Target = {
  id: "kubernetes",
  summary:
    "manifests for Kubernetes: the server, its volume and GPUs, and a Job that makes the model",
  compile,
};

/** Bytes of a ConfigMap's data, its keys included. */
const largestConfigMap = 2 ** 20;
/** Bytes of all annotations; kubectl apply keeps the object in one. */
const largestAnnotation = 256 * 1024;

/** On the server's volume, so that files beside it have room. */
const modelfileFolder = "/root/.ollama/modelfile";

const labels = { "app.kubernetes.io/name": "ollama" };

/** Everything that the objects are made from. */
interface Parts {
  source: Source;
  requests: readonly GpuRequest[];
  variables: readonly Variable[];
  texts: readonly LocalText[];
  layout: Layout;
  image: string;
  /** The ConfigMap's name. */
  modelfile: string;
}

function compile(source: Source): Compiled | Refusal {
  const text = modelfileOf(source);
  const bytes = bytesIn(text) + "Modelfile".length;
  if (bytes > largestConfigMap) {
    return {
      refused: `The Modelfile has ${bytes} bytes, and a ConfigMap holds ${largestConfigMap}. Make the model elsewhere, push it, and let FROM name it.`,
    };
  }
  const { requests, held, notes } = gpuRequests(source);
  const texts = localTexts(source);
  const layout = layoutOf(texts, modelfileFolder);
  const image = imageOf(source, requests);
  const decided = [...containersOwn, ...visibilityVariables];
  const variables = serverVariables(source, held, decided);
  const modelfile = objectName("modelfile", source.name, text);
  const parts = { source, requests, variables, texts, layout, image, modelfile };
  const copied = texts.length > 0;
  const objects = [
    volumeClaim(source, texts),
    ...(layout.wholeFolder ? [] : [configMap(modelfile, text)]),
    deployment(parts),
    service(),
    ...(copied ? [] : [job(parts)]),
  ];
  return {
    texts: [
      {
        path: "ollama.yaml",
        text: objects.map((one, at) => yamlText(one, at === 0 ? headOf(source) : "")).join("---\n"),
      },
      ...(copied ? [{ path: "create-model.sh", text: copyScript(source, layout) }] : []),
    ],
    notes: [
      ...droppedNotes(source),
      ...missingNotes(texts),
      ...layout.notes,
      ...(copied ? [{ message: copies }] : []),
      ...(bytesIn(JSON.stringify(text)) > largestAnnotation - 1024
        ? [{ message: serverSide }]
        : []),
      ...mlockNotes(source),
      ...placeNotes(source),
      ...variableNotes(source),
      ...notes,
      ...resourceNotes(requests),
      ...imageNotes(source, requests),
      ...planNotes(source),
    ],
  };
}

const copies =
  "No pod finds files of this computer. create-model.sh copies them to the server's volume and makes the model there.";

const serverSide =
  "The Modelfile is too long for the annotation that kubectl apply keeps: use kubectl apply --server-side.";

function bytesIn(text: string): number {
  return new TextEncoder().encode(text).length;
}

function headOf({ path, release, machine }: Source): string {
  const on = machine ? `, on ${machine.name}` : "";
  return `Made by modelfile-lint from ${path}, for Ollama ${release.version}${on}.`;
}

/** Kubernetes puts variables in place of $(NAME) in commands and values, and a dollar sign in place of two. */
function literal(text: string): string {
  return text.replaceAll("$", "$$$$");
}

function volumeClaim(source: Source, texts: readonly LocalText[]): Yaml {
  const { gib, why } = volumeSize(source, texts);
  return {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name: "ollama-models", labels },
    spec: {
      accessModes: ["ReadWriteOnce"],
      resources: { requests: { storage: said(why, `${gib}Gi`) } },
    },
  };
}

function configMap(name: string, text: string): Yaml {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name, labels },
    immutable: true,
    data: { Modelfile: text },
  };
}

function deployment({ source, requests, variables, texts, layout, image, modelfile }: Parts): Yaml {
  const mountsModelfile = texts.length > 0 && !layout.wholeFolder;
  const affinity = affinityFor(requests);
  const resources = resourcesFor(source, requests);
  const tolerations = tolerationsFor(requests);
  const probe = { httpGet: { path: "/", port: "http" } };
  const mounted: Yaml = {
    name: "modelfile",
    mountPath: `${layout.folder}/Modelfile`,
    subPath: "Modelfile",
    readOnly: true,
  };
  const container: Yaml = {
    name: "ollama",
    image,
    ports: [{ name: "http", containerPort: 11434 }],
    ...(variables.length > 0 && { env: variables.map(environmentEntry) }),
    ...(resources && { resources }),
    volumeMounts: [
      { name: "models", mountPath: "/root/.ollama" },
      ...(mountsModelfile ? [mounted] : []),
    ],
    startupProbe: { ...probe, periodSeconds: 5, failureThreshold: 60 },
    readinessProbe: { ...probe, periodSeconds: 10 },
    livenessProbe: { ...probe, periodSeconds: 30, timeoutSeconds: 10 },
  };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "ollama", labels },
    spec: {
      replicas: 1,
      strategy: said("A second server would wait for the first one's GPUs and volume.", {
        type: "Recreate",
      }),
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          enableServiceLinks: false,
          ...(affinity && { affinity }),
          ...(tolerations && { tolerations }),
          containers: [container],
          volumes: [
            { name: "models", persistentVolumeClaim: { claimName: "ollama-models" } },
            ...(mountsModelfile ? [{ name: "modelfile", configMap: { name: modelfile } }] : []),
          ],
        },
      },
    },
  };
}

function environmentEntry({ name, value, why }: Variable): Yaml {
  return { name: why === undefined ? name : said(why, name), value: literal(value) };
}

function service(): Yaml {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "ollama", labels },
    spec: { selector: labels, ports: [{ name: "http", port: 11434, targetPort: "http" }] },
  };
}

function job({ source, image, modelfile }: Parts): Yaml {
  const words = ["ollama", ...createWords(source, "/modelfile/Modelfile")];
  const env = [{ name: "OLLAMA_HOST", value: "http://ollama:11434" }];
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name: objectName("create", source.name, `${image}\n${modelfile}`), labels },
    spec: {
      backoffLimit: 4,
      ttlSecondsAfterFinished: 86400,
      template: {
        spec: {
          enableServiceLinks: false,
          restartPolicy: "OnFailure",
          initContainers: [
            {
              name: "wait-for-server",
              image,
              command: ["/bin/sh", "-c", "until ollama list >/dev/null 2>&1; do sleep 5; done"],
              env,
            },
          ],
          containers: [
            {
              name: "create",
              image,
              command: words.map(literal),
              env,
              volumeMounts: [{ name: "modelfile", mountPath: "/modelfile", readOnly: true }],
            },
          ],
          volumes: [{ name: "modelfile", configMap: { name: modelfile } }],
        },
      },
    },
  };
}

/** What a device plugin calls a GPU; undefined where there is none known. */
function resourceOf({ backend, gpus }: GpuRequest): string | undefined {
  if (backend === "cuda") return "nvidia.com/gpu";
  if (backend === "rocm") return "amd.com/gpu";
  const names = gpus.map(({ name }) => name).join(" ");
  if (/\b(?:AMD|Radeon|Instinct)\b/i.test(names)) return "amd.com/gpu";
  return /\b(?:Intel|Arc|Iris)\b/i.test(names) ? "gpu.intel.com/i915" : undefined;
}

function resourcesFor({ plan }: Source, requests: readonly GpuRequest[]): Yaml | undefined {
  const counts = new Map<string, number>();
  for (const request of requests) {
    const resource = resourceOf(request);
    const count = request.ids.length;
    if (resource === undefined || count === 0) continue;
    counts.set(resource, (counts.get(resource) ?? 0) + count);
  }
  const limits = Object.fromEntries(counts);
  const gpus = said(
    "In the pod they count from 0, so that nothing has to choose among them.",
    limits,
  );
  if (!plan && counts.size === 0) return undefined;
  return {
    ...(plan && { requests: { memory: memoryFor(plan) } }),
    ...(counts.size > 0 && { limits: gpus }),
  };
}

/** The server itself takes some hundred MiB. */
const ownMemory = 2 ** 30;

function memoryFor({ host, mmap }: NonNullable<Source["plan"]>): Yaml {
  // Mapped weights are cache to the kernel, and dropped first where others want memory.
  const mapped = mmap.inForce ? host.resident : 0;
  const bytes = host.used + mapped + ownMemory;
  const what =
    mapped > 0 ? "What the plan has in RAM, mapped weights too" : "What the plan has in RAM";
  return said(`${what}, and 1 GiB.`, `${Math.ceil(bytes / 2 ** 20)}Mi`);
}

/** Clusters keep other pods from nodes with GPUs by a taint of the resource's name. */
function tolerationsFor(requests: readonly GpuRequest[]): Yaml | undefined {
  const resources = new Set(requests.flatMap((request) => resourceOf(request) ?? []));
  if (resources.size === 0) return undefined;
  return [...resources].map((key) => ({ key, operator: "Exists", effect: "NoSchedule" }));
}

function resourceNotes(requests: readonly GpuRequest[]): Note[] {
  const notes: string[] = [];
  for (const request of requests) {
    const { gpus } = request;
    const resource = resourceOf(request);
    if (resource === undefined) {
      notes.push(`No device plugin is known for ${gpus[0]?.name ?? request.backend}.`);
    }
    if (resource === "gpu.intel.com/i915") {
      notes.push("Nodes whose driver is xe offer gpu.intel.com/xe in place of gpu.intel.com/i915.");
    }
    if (new Set(gpus.map(({ name }) => name)).size > 1) {
      notes.push(
        "The plan's GPUs are of several kinds, and Kubernetes may give others of the node.",
      );
    }
  }
  return notes.map((message) => ({ message }));
}

function variableNotes({ server }: Source): Note[] {
  return visibilityVariables.flatMap((name) =>
    server[name] === undefined
      ? []
      : [{ message: `${name} is left out: a pod sees the GPUs that it is given.` }],
  );
}

function mlockNotes(source: Source): Note[] {
  if (valueOf(parametersInForce(source), "use_mlock") !== "true") return [];
  const message =
    "Kubernetes sets no limit of locked memory: the container runtime's must let use_mlock.";
  return notesOn(source, "use_mlock", message).slice(-1);
}
