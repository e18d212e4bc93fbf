import { since } from "../facts/release.js";
import { commandScript } from "./llama-server-command.js";
import { loadedFiles } from "./llama-server-files.js";
import { leftOut } from "./llama-server-notes.js";
import { ollamaCommand } from "./llama-server-ollama.js";
import { plainCommand } from "./llama-server-plain.js";
import { parametersInForce } from "./parameters-in-force.js";
import type { Compiled, Source, Target } from "./target.js";

/**
 * What runs the model without Ollama's server: llama.cpp's own. Besides, what Ollama itself starts since 0.30,
 * where a machine says how.
 */
export const llamaServer: Target = {
  id: "llama-server",
  summary: "the command line of llama.cpp's llama-server, and the one that Ollama itself starts",
  compile,
};

function compile(source: Source): Compiled {
  const { plan, release } = source;
  const files = loadedFiles(source);
  const parameters = parametersInForce(source);
  const plain = commandScript(plainCommand(source, files, parameters));
  const own = plan && since(release, "0.30.0") && ollamaCommand(source, plan, files, parameters);
  return {
    texts: [
      { path: "llama-server.sh", text: plain },
      ...(own ? [{ path: "ollama.sh", text: commandScript(own) }] : []),
    ],
    notes: leftOut(source, files, parameters),
  };
}
