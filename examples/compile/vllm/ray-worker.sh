#!/bin/sh
# On each of the other 3 machines.
# What Ray sends is not encrypted, and who reaches its ports runs code here: keep it to a network of its own.
set -eu
# VLLM_HOST_IP: the address of this machine.
: "${VLLM_HOST_IP:?}"
export VLLM_HOST_IP
# HEAD: the address of the first machine.
: "${HEAD:?}"
exec "${RAY:-ray}" start \
  --block \
  --address="$HEAD:6379" \
  --node-ip-address="$VLLM_HOST_IP" \
  --num-gpus=2
