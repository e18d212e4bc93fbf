import type { Modelfile } from "../grammar/tree.js";
import { instructionsNamed } from "../grammar/tree.js";
import { parseReference } from "../grammar/model-name.js";
import type { ModelChoice } from "./config/config.js";
import type { Release } from "./facts/release.js";
import { InputError, type Host } from "./host.js";
import { modelReferences, settingsOf, wantsModel, type SeverityOf } from "./lint.js";
import type { Machine } from "./machines/machine.js";
import { filesNamed, textsToldOf } from "./models/local-files.js";
import type { Model } from "./models/model.js";
import type { Context } from "./rule.js";
import { secretsIn } from "./secrets.js";

/** What a file is judged against. */
export interface Setup {
  release: Release;
  /** The folder that the file's relative paths start from. */
  folder: string;
  /** Without one nothing on disk is looked at. */
  host?: Host;
  machine?: Machine;
  /** Server variables, as Ollama spells them; they win over the machine's own. */
  server: Readonly<Record<string, string>>;
  /** What names in FROM mean, where nothing else can tell. */
  models: ReadonlyMap<string, ModelChoice>;
  /** Where Ollama's models that `models` names by path lie: the folder of the configuration. */
  modelsFolder: string;
  severityOf?: SeverityOf;
}

/** A setup for whatever release. */
export type Surroundings = Omit<Setup, "release">;

/** What could not be found out. */
interface Unknown {
  /** Why there is no model where there could have been one. */
  unknownModel?: string;
  /** A model file that cannot be read; what needs no model is checked all the same. */
  broken?: InputError;
}

/** What was found out about a file, whatever release runs it. */
export interface Known extends Unknown {
  /** The context of a release. Without a machine, or without a model, it holds no plan. */
  contextOf: (release: Release) => Context;
  model?: Model;
}

/** A context, and why it holds no model where it could have held one. */
export interface LookedUp extends Unknown {
  context: Context;
}

/** What the rules need to know about a file for the setup's release. */
export async function lookUp(file: Modelfile, setup: Setup): Promise<LookedUp> {
  const { contextOf, model: _, ...unknown } = await findOut(file, setup);
  return { context: contextOf(setup.release), ...unknown };
}

/**
 * Finds out what the rules need to know about a file. What is no model by its first bytes is told once: as
 * a problem where a machine is named, since memory was asked about, and by the rules otherwise.
 */
export async function findOut(file: Modelfile, setup: Surroundings): Promise<Known> {
  const { machine, host, folder } = setup;
  const files = host && (await filesNamed(file, folder, host));
  // A path that the configuration says the meaning of lies on another machine.
  for (const text of setup.models.keys()) {
    if (files?.get(text)?.kind === "missing") files.delete(text);
  }
  const known = await findModels(file, setup, files);
  const { broken, ...rest } = known;
  const told = textsToldOf(broken?.place?.path, files);
  if (!broken || told.length === 0) return known;
  if (!machine) return { ...(!known.model && { unknownModel: broken.message }), ...rest };
  const silent = new Map([...files!].filter(([text]) => !told.includes(text)));
  return findModels(file, setup, silent);
}

/**
 * Finds out what the rules need to know about a file: reads the model's header or the catalogue; the plan
 * is made for each release, where a machine is named. Nothing is loaded that no rule would look at.
 */
async function findModels(
  file: Modelfile,
  setup: Surroundings,
  files: Context["files"],
): Promise<Known> {
  const { machine } = setup;
  const localFrom = await localNames(file, setup);
  const secrets = await secretsIn(file.text);
  const local = {
    ...(localFrom.size > 0 && { localFrom }),
    ...(files && { files }),
    ...(secrets.length > 0 && { secrets }),
  };
  const without = (release: Release): Context => ({ release, ...local });
  if (!machine && !wantsModel(file, setup.severityOf)) return { contextOf: without };
  const references = modelReferences(file);
  const found = await firstModel(references, setup);
  if (!("model" in found)) return { contextOf: without, ...found };
  const others = references.filter((reference) => reference !== found.reference);
  const { model, broken } = await attached(found.model, others, file, setup);
  const known = { model, ...(broken && { broken }) };
  if (!machine) return { ...known, contextOf: (release) => ({ release, ...local, model }) };
  const { makePlan } = await import("./plan/make-plan.js");
  const load = {
    model,
    machine,
    server: { ...machine.server, ...setup.server },
    settings: settingsOf(file),
  };
  return {
    ...known,
    contextOf: (release) => ({ release, ...local, model, plan: makePlan({ ...load, release }) }),
  };
}

/** The model with its projector, adapters and draft; without them where one cannot be read. */
async function attached(
  model: Model,
  files: readonly string[],
  file: Modelfile,
  { host, folder }: Surroundings,
): Promise<{ model: Model; broken?: InputError }> {
  const named = (keyword: string) =>
    instructionsNamed(file, keyword).flatMap(({ value }) => (value?.text ? [value.text] : []));
  const beside = { files, adapters: named("ADAPTER"), drafts: named("DRAFT") };
  if (!host || Object.values(beside).every((texts) => texts.length === 0)) return { model };
  try {
    const { withAttachments } = await import("./models/attachments.js");
    return { model: await withAttachments(model, beside, folder, host) };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { model, broken: error };
  }
}

/** The first reference that names a model, or why the first names none. */
async function firstModel(
  references: readonly string[],
  setup: Surroundings,
): Promise<{ model: Model; reference: string } | Unknown> {
  let why: Unknown | undefined;
  for (const reference of references) {
    try {
      const found = await findModel(reference, setup);
      if ("model" in found) return { ...found, reference };
      why ??= { unknownModel: found.unknown };
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      why ??= { broken: error };
    }
  }
  return why ?? {};
}

async function findModel(
  reference: string,
  { folder, host, models, modelsFolder }: Surroundings,
): Promise<{ model: Model } | { unknown: string }> {
  const { resolveModel } = await import("./models/resolve.js");
  return resolveModel(reference, { folder, models, modelsFolder, ...(host && { host }) });
}

/** FROM values that are no names but exist on disk: Ollama looks there first. */
async function localNames(file: Modelfile, { host, folder }: Surroundings): Promise<Set<string>> {
  const local = new Set<string>();
  if (!host) return local;
  for (const { value } of instructionsNamed(file, "FROM")) {
    if (!value || value.text === "" || parseReference(value.text).ok) continue;
    if (await host.stat(host.resolve(folder, value.text))) local.add(value.text);
  }
  return local;
}
