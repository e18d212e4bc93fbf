#!/bin/sh
# What ollama create of Ollama 0.32.15 does, with curl.
set -eu
host=${OLLAMA_HOST:-http://127.0.0.1:11434}
case $host in *://*) ;; *) host=http://$host ;; esac

curl --fail --no-buffer --header 'Content-Type: application/json' --data-binary @- "$host/api/create" <<'END'
{
  "model": "reviewer",
  "from": "qwen3:8b",
  "license": [
    "Apache-2.0"
  ],
  "system": "You review pull requests.\nSay what is wrong first, and \"LGTM\" where nothing is.",
  "parameters": {
    "num_ctx": 16384,
    "temperature": 0.6,
    "stop": [
      "<|im_end|>"
    ]
  },
  "messages": [
    {
      "role": "user",
      "content": "Is `rm -rf \"$DIR\"` safe?"
    },
    {
      "role": "assistant",
      "content": "Not where DIR is empty."
    }
  ]
}
END
