import type { Layout } from "./container-mounts.js";
import { createWords } from "./create-command.js";
import { shellComment, shellWord } from "./shell-words.js";
import type { Source } from "./target.js";

/** A shell script that copies what FROM, ADAPTER and DRAFT name to the server's pod, and makes the model there. */
export function copyScript(source: Source, { folder, wholeFolder, mounts }: Layout): string {
  const modelfile = `${folder}/${wholeFolder ? source.path : "Modelfile"}`;
  const parents = [
    ...new Set(mounts.map(({ target }) => target.slice(0, target.lastIndexOf("/")))),
  ];
  const folders = parents.filter((parent) => parent !== "");
  return [
    "#!/bin/sh",
    shellComment(`Run it beside ${source.path}, once the objects of ollama.yaml are there.`),
    "set -eu",
    "kubectl rollout status deployment/ollama",
    "pod=$(kubectl get pods --selector app.kubernetes.io/name=ollama --field-selector status.phase=Running --output 'jsonpath={.items[0].metadata.name}')",
    ...(folders.length > 0
      ? [`kubectl exec "$pod" -- mkdir -p ${folders.map(shellWord).join(" ")}`]
      : []),
    ...mounts.map(
      (mount) => `kubectl cp ${fromHere(mount.source)} "$pod":${shellWord(mount.target)}`,
    ),
    `kubectl exec "$pod" -- ollama ${createWords(source, modelfile).map(shellWord).join(" ")}`,
    "",
  ].join("\n");
}

/** Quotes would keep the shell from finding the home folder. */
function fromHere(path: string): string {
  if (path === "~") return '"$HOME"';
  return path.startsWith("~/") ? `"$HOME"/${shellWord(path.slice(2))}` : shellWord(path);
}
