#!/bin/sh
# On the first of 4 machines like 2x3090; serve.sh is run beside it.
# What Ray sends is not encrypted, and who reaches its ports runs code here: keep it to a network of its own.
set -eu
# VLLM_HOST_IP: the address of this machine, which the others reach.
: "${VLLM_HOST_IP:?}"
export VLLM_HOST_IP
exec "${RAY:-ray}" start \
  --block \
  --head \
  --port=6379 \
  --node-ip-address="$VLLM_HOST_IP" \
  --num-gpus=2
