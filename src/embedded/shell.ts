import type { Evidence } from "./recognise.js";
import { joined, type Passage } from "./passage.js";
import { echoText, heredocText, printfText } from "./shell-text.js";
import { commandsIn, type Command, type Word } from "./shell-words.js";

/** A text that may be a Modelfile, and what speaks for it. */
export interface Candidate {
  passage: Passage;
  evidence: Evidence;
}

/** What stands in front of a command and does not change what it writes. */
const prefixes = /^(?:[$%]|sudo|RUN|--\w[\w-]*(?:=.*)?|[A-Za-z_]\w*=.*)$/s;

/** Commands that change what goes through them. */
const filters =
  /^(?:awk|base64|cut|envsubst|grep|head|iconv|jq|perl|python3?|ruby|sed|sort|tail|tr|uniq)$/;

/** Where a command's output goes. */
interface Sink {
  /** The file as written; undefined: another program. */
  file: string | undefined;
  append: boolean;
  named: boolean;
}

/**
 * Texts that a shell script writes to files or hands to `ollama create`: heredocs, and what echo and printf
 * write, several commands to one file together. RUN and COPY of a Dockerfile read alike.
 */
export function writtenIn(source: string): Candidate[] {
  const found: { passages: [Passage, ...Passage[]]; evidence: Evidence }[] = [];
  const files = new Map<string, { passages: Passage[]; run: number }>();
  for (const last of commandsIn(source)) {
    if (last.piped) continue;
    const pipeline = pipelineOf(last);
    if (pipeline.some(({ words }) => words.some(({ raw }) => filters.test(raw)))) continue;
    const sink = sinkOf(pipeline);
    const passage = passageOf(source, pipeline, sink);
    const known = sink.file === undefined ? undefined : files.get(sink.file);
    if (passage && sink.append && known?.run === last.run) {
      known.passages.push(passage);
      continue;
    }
    if (sink.file !== undefined && !sink.append) files.delete(sink.file);
    if (!passage) continue;
    const passages: [Passage, ...Passage[]] = [passage];
    found.push({ passages, evidence: sink.named ? "named" : "nothing" });
    if (sink.file !== undefined) files.set(sink.file, { passages, run: last.run });
  }
  return found.map(({ passages, evidence }) => ({ passage: joined(passages), evidence }));
}

function pipelineOf(last: Command): Command[] {
  const pipeline: Command[] = [];
  for (let one: Command | undefined = last; one; one = one.from) pipeline.push(one);
  return pipeline.toReversed();
}

function passageOf(
  source: string,
  pipeline: readonly Command[],
  { file }: Sink,
): Passage | undefined {
  const command = pipeline.findLast(({ heredocs }) => heredocs.length > 0);
  const heredoc = command?.heredocs.at(-1);
  if (command && heredoc) {
    // The script of a Dockerfile's RUN reaches its shell as it is.
    const quoted = heredoc.quoted || command.words.every(({ raw }) => prefixes.test(raw));
    return heredoc.start < heredoc.end ? heredocText(source, { ...heredoc, quoted }) : undefined;
  }
  if (file === undefined) return undefined;
  const words = argumentsOf(pipeline[0]!);
  if (words[0]?.raw === "echo") return echoText(source, words.slice(1));
  if (words[0]?.raw === "printf") return printfText(source, words.slice(1));
  return undefined;
}

function argumentsOf({ words }: Command): Word[] {
  const first = words.findIndex(({ raw }) => !prefixes.test(raw));
  return first < 0 ? [] : words.slice(first);
}

const modelfile = /modelfile/i;

function sinkOf(pipeline: readonly Command[]): Sink {
  const words = pipeline.flatMap((command) => command.words);
  const redirected = pipeline
    .at(-1)!
    .redirections.findLast(({ operator, target }) => /^(?:>>?|>\|)$/.test(operator) && target);
  const tee = words.findIndex(({ raw }) => raw === "tee");
  const teed = tee < 0 ? undefined : words.slice(tee + 1).find(({ raw }) => !raw.startsWith("-"));
  const copied = /^(?:COPY|ADD)$/.test(words[0]?.raw ?? "") ? words.at(-1) : undefined;
  const file = (teed ?? redirected?.target ?? copied)?.raw.replace(/^(["'])(.*)\1$/s, "$2");
  const append = teed
    ? words.slice(tee + 1).some(({ raw }) => /^(?:-\w*a\w*|--append)$/.test(raw))
    : redirected?.operator === ">>";
  const created = words.some(({ raw }, at) => raw === "create" && words[at - 1]?.raw === "ollama");
  const named = created || (file !== undefined && modelfile.test(file)) || words.some(isModelfile);
  return { file, append, named };
}

/** A word like "/tmp/Modelfile" or "cat > Modelfile", which a command on another machine is. */
function isModelfile({ raw }: Word): boolean {
  return raw.length < 200 && modelfile.test(raw);
}
