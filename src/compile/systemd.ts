import type { Release } from "../facts/release.js";
import { createWords } from "./create-command.js";
import { gpuRequests, type GpuRequest } from "./gpu-request.js";
import { localTexts, missingNotes, type LocalText } from "./local-texts.js";
import { droppedNotes } from "./notes.js";
import { parametersInForce, valueOf } from "./parameters-in-force.js";
import { planNotes } from "./plan-notes.js";
import { serverVariables, type Variable } from "./server-variables.js";
import type { Compiled, Note, Refusal, Source, Target, Text } from "./target.js";
import { commandWord, environmentWord, serviceName, unitComment } from "./unit-words.js";

/** The service that ollama.com/install.sh sets up: a drop-in for its environment, and a unit that makes the model. */
export const systemd: Target = {
  id: "systemd",
  summary:
    "a drop-in for ollama.service with its GPUs and variables, and a unit that makes the model",
  compile,
};

/** Where the drop-in goes, below /etc/systemd/system. */
const dropIn = "ollama.service.d/modelfile-lint.conf";

/** Where install.sh puts the program; distributions' packages have it in /usr/bin. */
const program = "/usr/local/bin/ollama";

function compile(source: Source): Compiled | Refusal {
  const { machine, name } = source;
  if (machine && machine.os !== "linux") {
    const os = machine.os === "darwin" ? "macOS" : "Windows";
    return { refused: `systemd is Linux's, and ${machine.name} runs ${os}. Name another machine.` };
  }
  const { requests, held, notes } = gpuRequests(source);
  const all = serverVariables(source, [...held, ...requests.flatMap((one) => chosen(one, source))]);
  const unfit = all.filter((variable) => !isFit(variable));
  const texts = localTexts(source);
  const service = serverDropIn(source, all.filter(isFit));
  return {
    texts: [
      ...(service === undefined ? [] : [{ path: dropIn, text: service }]),
      { path: serviceName("ollama-create-", name), text: creator(source) } satisfies Text,
    ],
    notes: [
      ...droppedNotes(source),
      ...missingNotes(texts),
      ...localNotes(source, texts),
      ...notes,
      ...unfit.map((variable) => ({
        message: `${JSON.stringify(variable.name)} is left out: it is no variable that systemd sets.`,
      })),
      ...planNotes(source),
      { message: releaseNote(source.release) },
    ],
  };
}

/** What chooses the GPUs; the user's own variable stands among the others. */
function chosen(
  { backend, hides, ids, gpus }: GpuRequest,
  { machine, server }: Source,
): Variable[] {
  if (hides === undefined) return [];
  const names = [...new Set(gpus.map(({ name }) => name))].join(", ");
  const why = `${ids.length === 1 ? "GPU" : "GPUs"} ${ids.join(", ")}: ${names}.`;
  const variables = [{ name: hides, value: ids.join(","), why }];
  const alike = machine?.gpus.filter((gpu) => gpu.backend === backend) ?? [];
  const differ = new Set(alike.map((gpu) => gpu.name)).size > 1;
  if (backend !== "cuda" || !differ || server["CUDA_DEVICE_ORDER"] !== undefined) return variables;
  const order = "CUDA counts as nvidia-smi does, not the fastest first.";
  return [{ name: "CUDA_DEVICE_ORDER", value: "PCI_BUS_ID", why: order }, ...variables];
}

function isFit({ name, value }: Variable): boolean {
  return /^[A-Za-z_]\w*$/.test(name) && !value.includes("\0");
}

/** Undefined where nothing is to be set. */
function serverDropIn(source: Source, variables: readonly Variable[]): string | undefined {
  const locks = valueOf(parametersInForce(source), "use_mlock") === "true";
  if (variables.length === 0 && !locks) return undefined;
  const lines = variables.flatMap(({ name, value, why }) => [
    ...(why === undefined ? [] : [unitComment(why)]),
    `Environment=${environmentWord(`${name}=${value}`)}`,
  ]);
  return [
    ...headOf(source),
    unitComment(`/etc/systemd/system/${dropIn}`),
    "",
    "[Service]",
    ...lines,
    ...(locks ? [unitComment("For use_mlock."), "LimitMEMLOCK=infinity"] : []),
    "",
  ].join("\n");
}

function headOf({ path, release, machine }: Source): string[] {
  const on = machine ? `, on ${machine.name}` : "";
  return [unitComment(`Made by modelfile-lint from ${path}, for Ollama ${release.version}${on}.`)];
}

/** Where the Modelfile goes: the unit needs a path that does not depend on who starts it. */
function folderOf({ name }: Pick<Source, "name">): string {
  return `/etc/ollama/${name}`;
}

function creator(source: Source): string {
  const { name, server } = source;
  const modelfile = `${folderOf(source)}/Modelfile`;
  const host = server["OLLAMA_HOST"];
  const words = [program, ...createWords(source, modelfile)].map(commandWord);
  return [
    ...headOf(source),
    unitComment(
      `/etc/systemd/system/${serviceName("ollama-create-", name)}; the Modelfile is ${modelfile}`,
    ),
    "",
    "[Unit]",
    `Description=Make the Ollama model ${name.replaceAll("%", "%%")}`,
    "Requires=ollama.service",
    "Wants=network-online.target",
    "After=ollama.service network-online.target",
    "",
    "[Service]",
    "Type=oneshot",
    "RemainAfterExit=yes",
    unitComment("install.sh makes this user; it has to be able to read the Modelfile."),
    "User=ollama",
    ...(host === undefined ? [] : [`Environment=${environmentWord(`OLLAMA_HOST=${host}`)}`]),
    unitComment("ollama.service counts as started before it listens."),
    `ExecStartPre=/bin/sh -c 'until ${program} list >/dev/null 2>&1; do sleep 1; done'`,
    `ExecStart=${words.join(" ")}`,
    "",
    "[Install]",
    "WantedBy=multi-user.target",
    "",
  ].join("\n");
}

function localNotes(source: Source, texts: readonly LocalText[]): Note[] {
  const folder = folderOf(source);
  return texts.flatMap(({ text, at }) => {
    if (text.startsWith("/")) return [];
    const where = text.startsWith("~")
      ? "in the home folder of the user ollama"
      : `from ${folder}: copy or link it there`;
    return [{ ...(at && { at }), message: `The unit looks for "${text}" ${where}.` }];
  });
}

function releaseNote({ version }: Release): string {
  return `systemd runs whatever Ollama is installed. ${version} is what this is for.`;
}
