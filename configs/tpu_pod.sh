#!/bin/bash
# Trains on all workers of a TPU pod slice:
#
#     NAME=my-tpu ZONE=us-central2-b configs/tpu_pod.sh configs/imagenet.py gs-mounted/runs/resnet50
#
# The second argument is a folder that all workers share, such as a mounted bucket or a file store.
# JAX finds the other workers by itself. The checkout is expected in ~/resnet_jax on each worker.
set -euo pipefail

config=${1:?give a config, such as configs/imagenet.py}
workdir=${2:?give a folder that all workers share}

gcloud compute tpus tpu-vm ssh "${NAME:?the name of the TPU}" --zone "${ZONE:?its zone}" \
  --worker=all --command "
    cd ~/resnet_jax &&
    pip install --quiet -e . 'jax[tpu]' &&
    resnet-jax train --config '$config' --workdir '$workdir' --distributed ${*:3}"
