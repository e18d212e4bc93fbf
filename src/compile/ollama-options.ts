import { parseReference } from "../../grammar/model-name.js";
import type { CreateRequest } from "../../grammar/create-request.js";
import { ignoredByOllamaEngine, ignoredIn, parameterFact } from "../facts/parameters.js";
import { within } from "../facts/release.js";
import { clampsToTraining } from "../ollama/context.js";
import { engineOf } from "../ollama/engine.js";
import { isLocal, requestOf } from "./compile.js";
import { jsonText, type Json } from "./json-text.js";
import { pythonLiteral, typescriptLiteral } from "./literals.js";
import { droppedNotes, notesOn } from "./notes.js";
import { parametersJson } from "./ollama-create.js";
import type { Compiled, Note, Refusal, Source, Target } from "./target.js";

/**
 * What a Modelfile sets, in requests: PARAMETER in `options`, SYSTEM and MESSAGE as the first messages
 * (server/routes.go ChatHandler puts them there itself), and for /api/generate also TEMPLATE.
 */
export const ollamaOptions: Target = {
  id: "ollama-options",
  summary:
    "the options and messages of requests to /api/chat and /api/generate: JSON, Python, TypeScript",
  compile,
};

/** What the reader puts his own question in the place of. */
const question = "Hello";

function compile(source: Source): Compiled | Refusal {
  const request = requestOf(source);
  if ("refused" in request) return request;
  const model = modelFor(source, request);
  const options = parametersJson(request.parameters ?? {});
  const { system, template } = request;
  const first: Json[] = (request.messages ?? []).map(({ role, content }) => ({ role, content }));
  if (system !== undefined) first.unshift({ role: "system", content: system });
  const messages: Json[] = [...first, { role: "user", content: question }];
  const chat = { model, messages, options, stream: false };
  const generate = { model, prompt: question, system, template, options, stream: false };
  return {
    texts: [
      { path: "options.json", text: jsonText(options) },
      { path: "chat.json", text: jsonText(chat) },
      { path: "generate.json", text: jsonText(generate) },
      { path: "chat.py", text: pythonChat(model, messages, options) },
      { path: "chat.ts", text: typescriptChat(model, messages, options) },
    ],
    notes: [...lostNotes(source), ...effectNotes(source, request)],
  };
}

/** The model that requests name: FROM's, or, where that is a file, the one to be made of it. */
function modelFor(source: Source, { from }: CreateRequest): string {
  const known = from !== undefined && parseReference(from).ok;
  return known && !source.commands.some((command) => isLocal(command, source)) ? from : source.name;
}

function pythonChat(model: string, messages: Json, options: Json): string {
  return `import ollama

model = ${pythonLiteral(model)}

messages = ${pythonLiteral(messages)}

options = ${pythonLiteral(options)}

response = ollama.chat(model=model, messages=messages, options=options)
print(response["message"]["content"])
`;
}

function typescriptChat(model: string, messages: Json, options: Json): string {
  return `import ollama from "ollama";

const model = ${typescriptLiteral(model)};

const messages = ${typescriptLiteral(messages)};

const options = ${typescriptLiteral(options)};

const response = await ollama.chat({ model, messages, options });
console.log(response.message.content);
`;
}

function only(what: string): string {
  return `A request cannot bring ${what}: it takes a model made with ollama create.`;
}

/** What a request has no field for. */
function lostNotes(source: Source): Note[] {
  const { name, commands } = source;
  const fromFile = commands.some((command) => isLocal(command, source));
  return [
    ...(fromFile
      ? notesOn(
          source,
          "model",
          `A request cannot name a file: these name "${name}", to be made with ollama create of a Modelfile with this line alone.`,
        )
      : []),
    ...notesOn(source, "adapter", only("an adapter")),
    ...notesOn(source, "draft", only("a draft model")),
    ...notesOn(source, "renderer", only("RENDERER")),
    ...notesOn(source, "parser", only("PARSER")),
    ...notesOn(
      source,
      "template",
      "/api/chat takes no template: there the model's own one counts. generate.json holds it.",
    ),
    ...notesOn(
      source,
      "message",
      "/api/generate takes no messages: generate.json is without this one.",
    ),
    ...notesOn(source, "license", "LICENSE says nothing to a request."),
    ...notesOn(source, "requires", "REQUIRES says nothing to a request."),
    ...droppedNotes(source),
  ];
}

/** Values that this release, or this model, takes otherwise than they read. */
function effectNotes(source: Source, { parameters = {} }: CreateRequest): Note[] {
  const { release, model, plan, server } = source;
  const engine = plan?.engine ?? (model && engineOf(model, release, server));
  const notes = Object.entries(parameters).flatMap(([name, { value, type }]) => {
    const say = (message: string) => notesOn(source, name, message);
    const fact = parameterFact(name);
    if (!fact) return [];
    const broken = fact.broken?.find((span) => span.effect === "load" && within(release, span));
    if (broken) return say(`Ollama ${release.version} fails with it: ${broken.error}.`);
    const isIgnored =
      ignoredIn(fact, release) ??
      (engine === "ollama-engine" ? ignoredByOllamaEngine(fact, release) : undefined);
    if (isIgnored) return say(`Ollama ${release.version} does nothing with ${name} here.`);
    if (type === "int64" && !Number.isSafeInteger(Number(value))) {
      return say(`Ollama and JavaScript round ${name} ${String(value)}: it has more than 53 bits.`);
    }
    if (name === "num_ctx") return contextNotes(source, Number(value));
    if (name === "use_mmap" && plan && !plan.mmap.settable) {
      return say(`use_mmap decides nothing here: ${plan.mmap.reason}`);
    }
    return [];
  });
  const fails = plan?.verdict === "refused" || plan?.verdict === "out-of-memory";
  const machine = source.machine?.name ?? "this machine";
  return fails
    ? [...notes, { message: `On ${machine} it does not run. ${plan.reasons[0] ?? ""}`.trim() }]
    : notes;
}

function contextNotes(source: Source, asked: number): Note[] {
  const { plan, model, release } = source;
  const trained = model?.shape.trainedContext;
  const clamped = trained !== undefined && clampsToTraining(release) ? trained : asked;
  const effective = plan?.context.effective ?? Math.min(asked, clamped);
  if (effective === asked) return [];
  const message = `num_ctx ${asked} becomes ${effective}: Ollama ${release.version} limits the context.`;
  return notesOn(source, "num_ctx", message);
}
