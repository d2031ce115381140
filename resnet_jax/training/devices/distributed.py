"""Jobs of several processes, each with devices of its own, that train one network.

`jax.distributed` connects them. On Slurm, Open MPI and TPU pods it finds the other processes by
itself; elsewhere it needs the address of the first, their number and this one's index.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import jax
import numpy as np

from resnet_jax.errors import UserError, one_line

HEARTBEAT_SECONDS = 30
"""Silence after which a process is considered dead, and the others end."""


def initialize(
    coordinator: str | None = None,
    processes: int | None = None,
    index: int | None = None,
    local_devices: Sequence[int] | None = None,
) -> None:
    """Connects this process with the others of its job; to be called before JAX is used.

    Args:
      coordinator: address and port of the first process, such as `host0:1234`.
      processes: number of processes.
      index: index of this process, from 0.
      local_devices: indices of the devices of this machine that this process uses; by default all,
        or one for each process on a cluster that says so.

    Raises:
      UserError: some of the first three are given but not all, no cluster is recognized, or the
        other processes cannot be reached.
    """
    given = [value is not None for value in (coordinator, processes, index)]
    if any(given) and not all(given):
        raise UserError(
            "--coordinator, --processes and --process-id go together: give all three, or none "
            "where the cluster is recognized (Slurm, Open MPI, TPU pods)"
        )
    try:
        jax.distributed.initialize(
            coordinator_address=coordinator,
            num_processes=processes,
            process_id=index,
            local_device_ids=local_devices,
            heartbeat_timeout_seconds=HEARTBEAT_SECONDS,
        )
    except (ValueError, RuntimeError) as error:
        raise UserError(
            f"the processes of the job cannot be connected ({one_line(error)}): give "
            "--coordinator HOST:PORT, --processes N and --process-id I"
        ) from error


def is_main_process() -> bool:
    """Whether this is the first process of its job, the one that writes and prints."""
    return jax.process_index() == 0


def agree(ok: bool) -> bool:
    """Whether `ok` is true in all processes of the job; a collective call of all of them."""
    if jax.process_count() == 1:
        return ok
    from jax.experimental import multihost_utils

    return bool(np.all(multihost_utils.process_allgather(np.array(ok))))


@contextmanager
def exiting_at_once() -> Iterator[None]:
    """Exits a process of a job on a `UserError` or `OSError`, without waiting for the others.

    At exit JAX waits for all processes of the job, and those that still train would not come.
    """
    try:
        yield
    except (UserError, OSError) as error:
        if jax.process_count() == 1:
            raise
        print(f"resnet-jax: process {jax.process_index()}: {error}", file=sys.stderr, flush=True)
        os._exit(2)
