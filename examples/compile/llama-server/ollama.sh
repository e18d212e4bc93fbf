#!/bin/sh
# llama-server as Ollama 0.32.15 (llama.cpp b10488) starts it on 2x3090.
# Run it in the folder of the Modelfile. Ollama's own program lies in lib/ollama.
set -eu
# MODEL: the file of llama3.3:70b. Behind FROM of ollama show --modelfile llama3.3:70b stands its path.
: "${MODEL:?}"
: "${PORT:=8080}"
exec "${LLAMA_SERVER:-llama-server}" \
  --model "$MODEL" \
  --port "$PORT" \
  --host 127.0.0.1 \
  --no-webui \
  --offline \
  -c 8192 \
  -np 1 \
  --log-verbosity 4 \
  --no-log-prefix \
  --no-log-timestamps \
  --flash-attn auto \
  -b 512 \
  -ub 512 \
  --context-shift \
  --keep 4
