import type { Modelfile } from "../grammar/tree.js";
import { instructionsNamed } from "../grammar/tree.js";
import { parseReference } from "../grammar/model-name.js";
import type { ModelChoice } from "./config/config.js";
import type { Release } from "./facts/release.js";
import { InputError, type Host } from "./host.js";
import { modelReferences, settingsOf, wantsModel, type SeverityOf } from "./lint.js";
import type { Machine } from "./machines/machine.js";
import type { Model } from "./models/model.js";
import type { Context } from "./rule.js";

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

/** A context, and why it holds no model where it could have held one. */
export interface LookedUp {
  context: Context;
  unknownModel?: string;
  /** A model file that cannot be read; what needs no model is checked all the same. */
  broken?: InputError;
}

/**
 * Finds out what the rules need to know about a file: reads the model's header or the catalogue, and
 * makes the plan where a machine is named. Nothing is loaded that no rule would look at.
 */
export async function lookUp(file: Modelfile, setup: Setup): Promise<LookedUp> {
  const { release, machine } = setup;
  const context: Context = { release };
  const localFrom = await localNames(file, setup);
  if (localFrom.size > 0) context.localFrom = localFrom;
  if (!machine && !wantsModel(file, setup.severityOf)) return { context };
  const references = modelReferences(file);
  const found = await firstModel(references, setup);
  if (!("model" in found)) return { context, ...found };
  const others = references.filter((reference) => reference !== found.reference);
  const { model, broken } = await attached(found.model, others, file, setup);
  context.model = model;
  if (machine) {
    const { makePlan } = await import("./plan/make-plan.js");
    const server = { ...machine.server, ...setup.server };
    context.plan = makePlan({
      model,
      machine,
      release,
      server,
      settings: settingsOf(file),
    });
  }
  return { context, ...(broken && { broken }) };
}

/** The model with its projector, adapters and draft; without them where one cannot be read. */
async function attached(
  model: Model,
  files: readonly string[],
  file: Modelfile,
  { host, folder }: Setup,
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
  setup: Setup,
): Promise<{ model: Model; reference: string } | Omit<LookedUp, "context">> {
  let why: Omit<LookedUp, "context"> | undefined;
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
  { folder, host, models, modelsFolder }: Setup,
): Promise<{ model: Model } | { unknown: string }> {
  const { resolveModel } = await import("./models/resolve.js");
  return resolveModel(reference, { folder, models, modelsFolder, ...(host && { host }) });
}

/** FROM values that are no names but exist on disk: Ollama looks there first. */
async function localNames(file: Modelfile, { host, folder }: Setup): Promise<Set<string>> {
  const local = new Set<string>();
  if (!host) return local;
  for (const { value } of instructionsNamed(file, "FROM")) {
    if (!value || value.text === "" || parseReference(value.text).ok) continue;
    if (await host.stat(host.resolve(folder, value.text))) local.add(value.text);
  }
  return local;
}
