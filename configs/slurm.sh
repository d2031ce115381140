#!/bin/bash
# Trains on several nodes of a Slurm cluster, one process a GPU:
#
#     sbatch configs/slurm.sh configs/imagenet.py runs/resnet50
#
# The second argument is a folder that all nodes see. JAX learns from Slurm where the others are.
# Two minutes before the time is up Slurm sends SIGTERM; the run saves, and the job is put into
# the queue again, where the same command goes on.
#SBATCH --job-name=resnet_jax
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=8
#SBATCH --gpus-per-node=8
#SBATCH --cpus-per-task=12
#SBATCH --time=24:00:00
#SBATCH --signal=TERM@120
#SBATCH --requeue
#SBATCH --open-mode=append
set -uo pipefail

config=${1:?give a config, such as configs/imagenet.py}
workdir=${2:?give a folder that all nodes see}

# One process that dies takes the step down, and the job with it.
srun --kill-on-bad-exit=1 \
  resnet-jax train --config "$config" --workdir "$workdir" --distributed "${@:3}"
code=$?

if [ "$code" -eq 143 ]; then # stopped and saved
  scontrol requeue "$SLURM_JOB_ID"
fi
exit "$code"
