"""Jobs of several processes, each with devices of its own, that work as one.

`jax.distributed` is the engine. On Slurm, Open MPI and TPU pods it finds the other processes by
itself; elsewhere it is told where the first one listens, how many there are and which this is.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import jax
import numpy as np

from resnet_jax.errors import UserError, one_line

HEARTBEAT_SECONDS = 30
"""How long a process may be silent before the others take it for dead, and end."""


def initialize(
    coordinator: str | None = None,
    processes: int | None = None,
    index: int | None = None,
    local_devices: Sequence[int] | None = None,
) -> None:
    """Joins this process with the others of its job; before JAX is asked for anything else.

    Args:
      coordinator: address and port of the first process, such as `host0:1234`.
      processes: how many there are.
      index: which this is, from 0.
      local_devices: the numbers of this machine's devices that are this process's; by default
        all, or one for each process where the cluster says so.

    Raises:
      UserError: only some of the three are given, no cluster is recognised, or the others cannot
        be reached.
    """
    given = [value is not None for value in (coordinator, processes, index)]
    if any(given) and not all(given):
        raise UserError(
            "--coordinator, --processes and --process-id go together: give all three, or none "
            "where the cluster is recognised (Slurm, Open MPI, TPU pods)"
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
            f"the processes of the job cannot be joined ({one_line(error)}): give "
            "--coordinator HOST:PORT, --processes N and --process-id I"
        ) from error


def speaks() -> bool:
    """Whether this is the one process of its job that writes and prints: the first."""
    return jax.process_index() == 0


def agree(well: bool) -> bool:
    """Whether all is well in every process of the job, each of which asks at the same place."""
    if jax.process_count() == 1:
        return well
    from jax.experimental import multihost_utils

    return bool(np.all(multihost_utils.process_allgather(np.array(well))))


@contextmanager
def leaving_at_once() -> Iterator[None]:
    """Ends a process of a job that cannot go on, without waiting for the others to end too.

    JAX waits for all of them at the end of each, and those that still train would not come.
    """
    try:
        yield
    except (UserError, OSError) as error:
        if jax.process_count() == 1:
            raise
        print(f"resnet-jax: process {jax.process_index()}: {error}", file=sys.stderr, flush=True)
        os._exit(2)
