"""Executors of runs: this process, other processes, a Dask cluster, or Slurm.

They follow `concurrent.futures`: `submit(function, argument)` returns a future. None of them
schedules; queues beyond one machine are those of Dask and Slurm.

| name      | runs are executed                     | needs the extra |
| --------- | ------------------------------------- | --------------- |
| here      | in this process, one after another    |                 |
| processes | in processes of this machine          |                 |
| dask      | by the workers of a Dask cluster      | dask            |
| slurm     | in jobs of their own                  | slurm           |
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from resnet_jax.lab.running.executors.executor import Executor, Here, WorkerDiedError


def _processes(workers: int = 2) -> Executor:
    from resnet_jax.lab.running.executors.processes import Processes

    return Processes(workers)


def _dask(address: str) -> Executor:
    from resnet_jax.lab.running.executors.dask import Dask

    return Dask(address)


def _slurm(folder: Path, options: Mapping[str, Any], cluster: str = "slurm") -> Executor:
    from resnet_jax.lab.running.executors.slurm import Slurm

    return Slurm(folder, options, cluster)


EXECUTORS: dict[str, Callable[..., Executor]] = {
    "here": Here,
    "processes": _processes,
    "dask": _dask,
    "slurm": _slurm,
}
"""Constructors by name; the libraries that they need are imported when they are called."""

__all__ = ["EXECUTORS", "Executor", "Here", "WorkerDiedError"]
