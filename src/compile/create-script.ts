import type { Release } from "../facts/release.js";
import { shellWord } from "./shell-words.js";

/** A file that Ollama has to hold before the model is made of it. */
export interface Upload {
  path: string;
  /** SHA-256 in hexadecimal. */
  digest: string;
}

/**
 * A shell script that uploads files and posts a request. The body stands in a quoted heredoc, where a
 * shell changes nothing; its lines begin with braces or blanks, so that none can end it.
 */
export function createScript(
  body: string,
  uploads: readonly Upload[],
  { version }: Release,
): string {
  const unique = [...new Map(uploads.map((upload) => [upload.digest, upload])).values()];
  const where = unique.length > 0 ? " Run it in the folder of the Modelfile." : "";
  const lines = [
    "#!/bin/sh",
    `# What ollama create of Ollama ${version} does, with curl.${where}`,
    "set -eu",
    "host=${OLLAMA_HOST:-http://127.0.0.1:11434}",
    "case $host in *://*) ;; *) host=http://$host ;; esac",
    "",
  ];
  if (unique.length > 0) {
    lines.push(
      "upload() {",
      '  curl --silent --fail --head --output /dev/null "$host/api/blobs/$2" ||',
      '    curl --fail --globoff --request POST --upload-file "$1" "$host/api/blobs/$2"',
      "}",
      "",
      ...unique.map(({ path, digest }) => `upload ${shellWord(path)} sha256:${digest}`),
      "",
    );
  }
  lines.push(
    `curl --fail --no-buffer --header 'Content-Type: application/json' --data-binary @- "$host/api/create" <<'END'`,
    body.trimEnd(),
    "END",
    "",
  );
  return lines.join("\n");
}
