#!/bin/sh
export CUDA_VISIBLE_DEVICES=0
exec llama-server -m models/qwen3-8b-q4_k_m.gguf --mmproj models/mmproj.gguf \
  -c 32768 -np 4 -ngl 99 -b 2048 -ub 512 -fa on -ctk q8_0 -ctv q8_0 \
  --temp 0.6 --top-k 20 --min-p 0 --host 0.0.0.0 --jinja --metrics
