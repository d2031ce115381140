#!/bin/bash
# Trains on several nodes of a Slurm cluster, with one process for each GPU:
#
#     sbatch configs/slurm.sh configs/imagenet.py runs/resnet50
#
# The second argument is a folder on a shared file system. JAX finds the coordinator through Slurm.
# Slurm sends SIGTERM two minutes before the time limit; the run then saves a checkpoint and the job
# is requeued, where the same command resumes.
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
workdir=${2:?give a folder on a shared file system}

# If one process dies, the whole job step ends.
srun --kill-on-bad-exit=1 \
  resnet-jax train --config "$config" --workdir "$workdir" --distributed "${@:3}"
code=$?

if [ "$code" -eq 143 ]; then # stopped by SIGTERM, checkpoint saved
  scontrol requeue "$SLURM_JOB_ID"
fi
exit "$code"
