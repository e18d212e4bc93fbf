import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { readText } from "../grammar/ollama.js";
import { compose } from "../src/compile/compose.js";
import type { Source } from "../src/compile/target.js";
import type { FileFacts } from "../src/models/local-files.js";
import { card, computer, GiB, modelOf, releaseOf } from "./loads.js";
import { sourceOf } from "./source-of.js";

interface Service {
  image: string;
  command?: string[];
  environment?: Record<string, string>;
  devices?: string[];
  deploy?: { resources: { reservations: { devices: unknown[] } } };
  configs?: { source: string; target: string }[];
  volumes?: (string | { source: string; target: string; read_only: boolean })[];
  ulimits?: unknown;
}

interface File {
  services: { ollama: Service; "create-model": Service };
  configs?: { modelfile: { content: string } };
}

function composed(source: Source): { file: File; text: string; notes: string[] } {
  const result = compose.compile(source);
  if ("refused" in result) throw new Error(result.refused);
  const [{ path, text } = { path: "", text: "" }] = result.texts;
  expect(path).toBe("compose.yaml");
  return { file: parse(text) as File, text, notes: result.notes.map(({ message }) => message) };
}

/** What Compose makes of a value: dollar signs are doubled, or begin a variable. */
function interpolated(value: string): string {
  return value.replaceAll(/\$(\$?)/g, (_, second: string) => {
    if (second === "") throw new Error(`A variable in ${value}`);
    return "$";
  });
}

const file: FileFacts = { kind: "file", path: "/home/me/x", content: "gguf" };
const folder: FileFacts = { kind: "folder", path: "/home/me/x", names: [], pointers: [] };
const four = modelOf({}, { fileBytes: 4 * GiB });
const eight = Array.from({ length: 8 }, () => card());
const reservation = (service: Service) => service.deploy?.resources.reservations.devices;

test("of eight cards it takes the one that the plan uses", () => {
  const machine = computer({ gpus: eight });
  const { file, notes } = composed(sourceOf("FROM x\n", "0.6.5", { model: four, machine }));
  expect(file.services.ollama.image).toBe("ollama/ollama:0.6.5");
  expect(file.services.ollama.environment).toEqual({ CUDA_VISIBLE_DEVICES: "0" });
  expect(reservation(file.services.ollama)).toEqual([
    { driver: "nvidia", device_ids: ["0"], capabilities: ["gpu"] },
  ]);
  expect(file.services["create-model"].deploy).toBeUndefined();
  expect(notes.filter((note) => /GPU/.test(note))).toEqual([]);
});

test("in the container the chosen cards count from 0", () => {
  const gpus = [card({ free: GiB }), card({ free: GiB }), card()];
  const machine = computer({ gpus });
  const { file, text } = composed(sourceOf("FROM x\n", "0.6.5", { model: four, machine }));
  expect(reservation(file.services.ollama)).toMatchObject([{ device_ids: ["2"] }]);
  expect(file.services.ollama.environment).toEqual({ CUDA_VISIBLE_DEVICES: "0" });
  expect(text).toContain("# GPU 2 of the machine. In the container they count from 0.");
});

test("where the plan uses all cards nothing chooses among them", () => {
  const machine = computer({ gpus: [card()] });
  const { file } = composed(sourceOf("FROM x\n", "0.6.5", { model: four, machine }));
  expect(reservation(file.services.ollama)).toMatchObject([{ count: "all" }]);
  expect(file.services.ollama.environment).toBeUndefined();
});

test("AMD's cards come by their files, and count as outside", () => {
  const gpu = { backend: "rocm", compute: "gfx1100", name: "Radeon RX 7900 XTX" } as const;
  const machine = computer({ gpus: [card({ ...gpu, free: GiB }), card(gpu)] });
  const { file } = composed(sourceOf("FROM x\n", "0.6.5", { model: four, machine }));
  expect(file.services.ollama).toMatchObject({
    image: "ollama/ollama:0.6.5-rocm",
    devices: ["/dev/kfd", "/dev/dri"],
    environment: { ROCR_VISIBLE_DEVICES: "1" },
  });
  expect(file.services.ollama.deploy).toBeUndefined();
});

test("Vulkan counts the cards of all vendors", () => {
  const gpu = { backend: "vulkan", name: "Intel Arc A770" } as const;
  const machine = computer({ gpus: [card({ free: 1 }), card({ ...gpu, free: GiB }), card(gpu)] });
  const { file } = composed(sourceOf("FROM x\n", "0.32.15", { model: four, machine }));
  expect(file.services.ollama.devices).toEqual(["/dev/dri"]);
  expect(file.services.ollama.environment).toMatchObject({ GGML_VK_VISIBLE_DEVICES: "2" });
});

describe("a plan that would be another with its cards alone", () => {
  const gpus = Array.from({ length: 8 }, () => card({ total: 16 * GiB, free: 16 * GiB }));
  const machine = computer({ gpus });
  const model = modelOf({ trainedContext: 32768 });

  test("is held by the default context of all", () => {
    const { file, text } = composed(sourceOf("FROM x\n", "0.32.15", { model, machine }));
    expect(file.services.ollama.environment).toEqual({
      OLLAMA_CONTEXT_LENGTH: "32768",
      CUDA_VISIBLE_DEVICES: "0",
    });
    expect(text).toContain("# The default with all GPUs; it goes by their memory.");
  });

  test("needs nothing where the Modelfile sets the context", () => {
    const source = sourceOf("FROM x\nPARAMETER num_ctx 32768\n", "0.32.15", { model, machine });
    expect(composed(source).file.services.ollama.environment).toEqual({
      CUDA_VISIBLE_DEVICES: "0",
    });
  });

  test("keeps all cards where main_gpu counts them", () => {
    const source = sourceOf("FROM x\nPARAMETER main_gpu 3\n", "0.6.5", { model: four, machine });
    const { file, notes } = composed(source);
    expect(reservation(file.services.ollama)).toMatchObject([{ count: "all" }]);
    expect(notes.join("\n")).toContain("would be another if Ollama saw these alone");
  });
});

test("the cards of the user's own variable go before the plan's", () => {
  const machine = computer({ gpus: [card(), card()] });
  const server = { CUDA_VISIBLE_DEVICES: "GPU-8a1b, 3" };
  const { file } = composed(sourceOf("FROM x\n", "0.6.5", { model: four, machine, server }));
  expect(reservation(file.services.ollama)).toMatchObject([{ device_ids: ["GPU-8a1b", "3"] }]);
  expect(file.services.ollama.environment).toEqual({ CUDA_VISIBLE_DEVICES: "0,1" });
});

test("a plan without GPUs asks for none, and says why", () => {
  const machine = computer({ gpus: [card()] });
  const source = sourceOf("FROM x\nPARAMETER num_gpu 0\n", "0.6.5", { model: four, machine });
  const { file, notes } = composed(source);
  expect(file.services.ollama.deploy).toBeUndefined();
  expect(notes.join("\n")).toContain("The plan puts nothing on a GPU, so none is asked for.");
});

test("without a machine it asks for no GPU, and says so", () => {
  const { file, notes } = composed(sourceOf("FROM x\n", "0.6.5"));
  expect(file.services.ollama.deploy).toBeUndefined();
  expect(notes).toContain(
    "No machine is named, so no GPU is asked for. --machine says which there are.",
  );
});

test("without a model it asks for all that the release uses", () => {
  const intel = card({ backend: "sycl", name: "Intel Arc A770" });
  const machine = computer({ gpus: [card(), card(), intel] });
  const { file, notes } = composed(sourceOf("FROM x\n", "0.6.5", { machine }));
  expect(reservation(file.services.ollama)).toMatchObject([{ count: "all" }]);
  expect(file.services.ollama.devices).toBeUndefined();
  expect(notes).toContain("The model is not known, so that all GPUs of the machine are asked for.");
});

test("server variables in force are carried over, but for places outside the container", () => {
  const server = {
    OLLAMA_KV_CACHE_TYPE: "q8_0",
    OLLAMA_ORIGINS: "http://$host",
    OLLAMA_HOST: "127.0.0.1:8080",
    OLLAMA_MODELS: "/data/models",
  };
  const { file, notes } = composed(sourceOf("FROM x\n", "0.6.5", { server }));
  expect(file.services.ollama.environment).toEqual({
    OLLAMA_KV_CACHE_TYPE: "q8_0",
    OLLAMA_ORIGINS: "http://$$host",
  });
  expect(notes).toEqual(
    expect.arrayContaining([
      "OLLAMA_HOST is left out: the container listens on port 11434 of all its addresses.",
      "OLLAMA_MODELS is left out: the container keeps its models on a volume.",
    ]),
  );
});

test("use_mlock lifts the limit while a release locks memory", () => {
  const text = "FROM x\nPARAMETER use_mlock true\n";
  expect(composed(sourceOf(text, "0.6.8")).file.services.ollama.ulimits).toEqual({ memlock: -1 });
  expect(composed(sourceOf(text, "0.7.0")).file.services.ollama.ulimits).toBeUndefined();
});

test("DRAFT comes with the option that its release asks for", () => {
  const files = new Map<string, FileFacts>();
  const commandOf = (release: string) =>
    composed(sourceOf("FROM x\nDRAFT ./draft.gguf\n", release, { files, name: "me/fast:1" })).file
      .services["create-model"].command;
  expect(commandOf("0.24.0")).toEqual([
    "create",
    "me/fast:1",
    "--experimental",
    "-f",
    "/modelfile/Modelfile",
  ]);
  expect(commandOf("0.30.0")).toEqual(["create", "me/fast:1", "-f", "/modelfile/Modelfile"]);
});

const placed = (texts: Record<string, FileFacts>, rest = "") => {
  const lines = Object.keys(texts).map((text) => `FROM ${text}\n`);
  const files = new Map(Object.entries(texts));
  const { file: made, notes } = composed(sourceOf(lines.join("") + rest, "0.6.5", { files }));
  const creator = made.services["create-model"];
  return { creator, made, notes, modelfile: creator.command?.at(-1) };
};

/** Where a path in the Modelfile leads in the container (parser/parser.go expandPath). */
function expanded(text: string, modelfile: string): string {
  const home = text.replace(/^~/, "/root");
  const start = home.startsWith("/") ? "" : modelfile.slice(0, modelfile.lastIndexOf("/"));
  return new URL(`file://${start}/${home}`).pathname.replaceAll(/\/+/g, "/");
}

describe("local files", () => {
  test("lie where the Modelfile looks for them", () => {
    const texts = [
      "./a.gguf",
      "b.gguf",
      "sub/../c.gguf",
      "../../up/d.gguf",
      "/data/e.gguf",
      "~/f.gguf",
    ];
    const { creator, modelfile = "" } = placed(
      Object.fromEntries(texts.map((text) => [text, file])),
      "ADAPTER ../lora.gguf\n",
    );
    expect(creator.configs).toEqual([{ source: "modelfile", target: modelfile }]);
    const volumes = (creator.volumes ?? []).filter((one) => typeof one !== "string");
    expect(volumes.every(({ read_only }) => read_only)).toBe(true);
    expect(volumes.map(({ source, target }) => [source, target])).toEqual(
      [
        ["./a.gguf", "./a.gguf"],
        ["./b.gguf", "b.gguf"],
        ["./c.gguf", "c.gguf"],
        ["../../up/d.gguf", "../../up/d.gguf"],
        ["/data/e.gguf", "/data/e.gguf"],
        ["~/f.gguf", "~/f.gguf"],
        ["../lora.gguf", "../lora.gguf"],
      ].map(([source = "", text = ""]) => [source, expanded(text, modelfile)]),
    );
  });

  test("names with a dollar sign are no variables", () => {
    const { creator } = placed({ "./$HOME.gguf": file });
    expect(creator.volumes).toMatchObject([
      { source: "./$$HOME.gguf", target: "/modelfile/$$HOME.gguf" },
    ]);
  });

  test("the Modelfile's own folder comes whole, the Modelfile in it", () => {
    const { creator, made, modelfile } = placed({ ".": folder }, "ADAPTER ./lora.gguf\n");
    expect(modelfile).toBe("/modelfile/Modelfile");
    expect(creator.configs).toBeUndefined();
    expect(made.configs).toBeUndefined();
    expect(creator.volumes).toMatchObject([{ source: ".", target: "/modelfile" }]);
  });

  test("what no container finds is told", () => {
    const texts = { "..": folder, "~other/x.gguf": file, "C:\\x.gguf": file };
    const { creator, notes } = placed(texts);
    expect(creator.volumes).toBeUndefined();
    expect(notes.join("\n")).toMatch(
      /another user's home[^]*path of Windows[^]*Name a folder inside\./,
    );
  });

  test("what is not there yet is told", () => {
    const { notes } = placed({ "./a.gguf": { kind: "missing" } });
    expect(notes.join("\n")).toContain('"./a.gguf" is not there yet');
  });

  test("by its looks a path is one where nobody has looked", () => {
    const { file: made } = composed(sourceOf("FROM ./a.gguf\n", "0.6.5"));
    expect(made.services["create-model"].volumes).toMatchObject([{ source: "./a.gguf" }]);
  });
});

test("a Modelfile comes through YAML and variables as it was", () => {
  const value = fc.oneof(
    fc.constantFrom("$x ${y:-z} $$ $(z)", "yes", "- x", ": # é 😀", "\u0085\u2028", "`\"'", "a \t"),
    fc.string({ unit: "binary" }),
  );
  fc.assert(
    fc.property(fc.array(value), fc.constantFrom("\n", "\r\n"), (values, end) => {
      const text = ["FROM x", `SYSTEM """${values.join(end)}"""`, ""].join(end);
      if (!readText(text, releaseOf("0.6.5")).ok) return;
      const source = sourceOf(text, "0.6.5");
      const { file } = composed(source);
      expect(interpolated(file.configs!.modelfile.content)).toBe(text);
    }),
    { numRuns: 25 },
  );
});
