#!/bin/sh
# assistant with llama.cpp b10488 or newer.
# Placed for 2x3090 as the plan has it.
# Run it in the folder of the Modelfile.
set -eu
# MODEL: the file of llama3.3:70b. Behind FROM of ollama show --modelfile llama3.3:70b stands its path.
: "${MODEL:?}"
exec "${LLAMA_SERVER:-llama-server}" \
  --model "$MODEL" \
  --alias assistant \
  -c 8192 \
  -np 1 \
  -ngl 81 \
  --split-mode layer \
  --tensor-split 41,40 \
  -b 512 \
  -ub 512 \
  --flash-attn auto \
  --jinja \
  --context-shift \
  --keep 4 \
  --temp 0.3 \
  --top-k 40 \
  --top-p 0.9 \
  --min-p 0.0 \
  --typical 1.0 \
  --repeat-last-n 64 \
  --repeat-penalty 1.0 \
  --presence-penalty 0.0 \
  --frequency-penalty 0.0 \
  --seed -1 \
  --n-predict 81920
