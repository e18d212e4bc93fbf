#!/bin/sh
# Modelfile with vLLM, 0.12 or newer, on the first of 4 machines like 2x3090.
set -eu
: "${PORT:=8000}"
exec "${VLLM:-vllm}" serve meta-llama/Llama-3.3-70B-Instruct \
  --host 127.0.0.1 \
  --port "$PORT" \
  --served-model-name assistant \
  --max-model-len 8192 \
  --gpu-memory-utilization 0.9 \
  --tensor-parallel-size 2 \
  --pipeline-parallel-size 4 \
  --distributed-executor-backend ray \
  --override-generation-config '{"temperature":0.3,"top_k":40,"top_p":0.9,"min_p":0,"repetition_penalty":1}'
