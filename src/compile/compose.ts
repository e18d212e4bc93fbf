import { formatBytes } from "../machines/sizes.js";
import { layoutOf, type Layout } from "./container-mounts.js";
import { createWords, modelfileOf } from "./create-command.js";
import { gpuRequests, type GpuRequest } from "./gpu-request.js";
import { localTexts, missingNotes } from "./local-texts.js";
import { droppedNotes } from "./notes.js";
import { imageNotes, imageOf } from "./ollama-image.js";
import { parametersInForce, valueOf } from "./parameters-in-force.js";
import { planNotes } from "./plan-notes.js";
import { containersOwn, placeNotes, serverVariables, type Variable } from "./server-variables.js";
import type { Compiled, Note, Source, Target } from "./target.js";
import { said, yamlText, type Yaml } from "./yaml-text.js";

/** Docker Compose: a server that sees the plan's GPUs, and what makes the model on it once. */
export const compose: Target = {
  id: "compose",
  summary: "compose.yaml for Docker Compose: the server with its GPUs, and the model made on it",
  compile,
};

function compile(source: Source): Compiled {
  const { requests, held, notes } = gpuRequests(source);
  const texts = localTexts(source);
  const layout = layoutOf(texts);
  const file: Yaml = {
    services: {
      ollama: serverOf(source, requests, held),
      "create-model": creatorOf(source, requests, layout),
    },
    ...(!layout.wholeFolder && {
      configs: {
        modelfile: said("Docker Compose 2.23.1 or newer; every $ of the Modelfile is doubled.", {
          content: literal(modelfileOf(source)),
        }),
      },
    }),
    volumes: { ollama: {} },
  };
  return {
    texts: [{ path: "compose.yaml", text: yamlText(file, headOf(source)) }],
    notes: [
      ...droppedNotes(source),
      ...missingNotes(texts),
      ...layout.notes,
      ...placeNotesIn(layout),
      ...placeNotes(source),
      ...notes,
      ...imageNotes(source, requests),
      ...planNotes(source),
      ...memoryNotes(source),
    ],
  };
}

function headOf({ path, release, machine }: Source): string {
  const on = machine ? `, on ${machine.name}` : "";
  return `Made by modelfile-lint from ${path}, for Ollama ${release.version}${on}.`;
}

/** Compose puts variables in place of what follows a dollar sign, and a dollar sign in place of two. */
function literal(text: string): string {
  return text.replaceAll("$", "$$$$");
}

function serverOf(
  source: Source,
  requests: readonly GpuRequest[],
  held: readonly Variable[],
): Yaml {
  const devices = deviceFiles(requests);
  return {
    image: imageOf(source, requests),
    restart: "unless-stopped",
    ports: ["127.0.0.1:11434:11434"],
    environment: environmentOf(source, requests, held),
    volumes: ["ollama:/root/.ollama"],
    healthcheck: said("The image has no curl.", {
      test: ["CMD", "ollama", "list"],
      interval: "10s",
      timeout: "5s",
      retries: 12,
      start_period: "30s",
    }),
    ...(locksMemory(source) && { ulimits: said("For use_mlock.", { memlock: -1 }) }),
    ...(devices.length > 0 && { devices }),
    ...reservationOf(requests),
  };
}

/** Whether this release locks the model in memory. */
function locksMemory(source: Source): boolean {
  return valueOf(parametersInForce(source), "use_mlock") === "true";
}

function environmentOf(
  source: Source,
  requests: readonly GpuRequest[],
  held: readonly Variable[],
): Yaml | undefined {
  const chosen = requests.flatMap(variableOf);
  const own = requests.flatMap(({ own: name, backend }) =>
    name !== undefined && backend === "cuda" ? [name] : [],
  );
  const variables = serverVariables(source, [...held, ...chosen], [...containersOwn, ...own]);
  if (variables.length === 0) return undefined;
  return Object.fromEntries(
    variables.map(({ name, value, why }) => [
      name,
      why === undefined ? literal(value) : said(why, literal(value)),
    ]),
  );
}

/** What chooses the GPUs. NVIDIA's that are reserved count from 0 in the container, others as outside. */
function variableOf({ backend, hides, own, ids }: GpuRequest): Variable[] {
  if (backend === "cuda" && (hides !== undefined || own !== undefined) && ids.length > 0) {
    const value = ids.map((_, place) => place).join(",");
    const why = `${gpuNames(ids)} of the machine. In the container they count from 0.`;
    return [{ name: "CUDA_VISIBLE_DEVICES", value, why }];
  }
  if (hides === undefined) return [];
  return [{ name: hides, value: ids.join(","), why: `${gpuNames(ids)} of the machine.` }];
}

function gpuNames(ids: readonly string[]): string {
  return `${ids.length === 1 ? "GPU" : "GPUs"} ${ids.join(", ")}`;
}

/** By files, as Ollama's own documentation has it for AMD and Vulkan. Containers of the image run as root. */
function deviceFiles(requests: readonly GpuRequest[]): string[] {
  const backends = requests.map(({ backend }) => backend);
  return [
    ...(backends.includes("rocm") ? ["/dev/kfd"] : []),
    ...(backends.some((one) => one === "rocm" || one === "vulkan" || one === "sycl")
      ? ["/dev/dri"]
      : []),
  ];
}

function reservationOf(requests: readonly GpuRequest[]): { deploy?: Yaml } {
  const cuda = requests.find(({ backend }) => backend === "cuda");
  if (!cuda || cuda.ids.length === 0) return {};
  const some = cuda.hides !== undefined || cuda.own !== undefined;
  const device: Yaml = {
    driver: "nvidia",
    ...(some ? { device_ids: cuda.ids } : { count: "all" }),
    capabilities: ["gpu"],
  };
  return { deploy: { resources: { reservations: { devices: [device] } } } };
}

function creatorOf(source: Source, requests: readonly GpuRequest[], layout: Layout): Yaml {
  const { folder, wholeFolder, mounts } = layout;
  const modelfile = `${folder}/${wholeFolder ? source.path : "Modelfile"}`;
  return {
    image: imageOf(source, requests),
    restart: "no",
    command: createWords(source, modelfile).map(literal),
    environment: { OLLAMA_HOST: "http://ollama:11434" },
    depends_on: { ollama: { condition: "service_healthy" } },
    ...(!wholeFolder && { configs: [{ source: "modelfile", target: modelfile }] }),
    ...(mounts.length > 0 && {
      volumes: mounts.map(({ source: from, target }) => ({
        type: "bind",
        source: literal(from),
        target: literal(target),
        read_only: true,
        bind: { create_host_path: false },
      })),
    }),
  };
}

function placeNotesIn({ mounts }: Layout): Note[] {
  if (!mounts.some(({ source }) => source.startsWith("."))) return [];
  return [{ message: "compose.yaml has to lie beside the Modelfile: its paths begin there." }];
}

function memoryNotes({ plan }: Source): Note[] {
  if (!plan) return [];
  const bytes = formatBytes(plan.host.used);
  const mapped = plan.mmap.inForce ? ", and what is mapped from the file counts as cache" : "";
  const message = `The server has no mem_limit. The plan takes ${bytes} of RAM besides what the server itself does${mapped}.`;
  return [{ message }];
}
