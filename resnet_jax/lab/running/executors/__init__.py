"""Where runs are done: in this process, in others, on a Dask cluster, or by Slurm.

An executor is what `concurrent.futures` has made of one: `submit(function, argument)` returns a
future. None of them schedules; where there is a queue beyond one machine, it is Dask's or Slurm's.

| name      | runs are done                         | needs the extra |
| --------- | ------------------------------------- | --------------- |
| here      | in this process, one after another    |                 |
| processes | in processes of this machine          |                 |
| dask      | by the workers of a Dask cluster      | dask            |
| slurm     | in jobs of their own                  | slurm           |
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from resnet_jax.lab.running.executors.executor import Executor, WorkerDiedError
from resnet_jax.lab.running.executors.here import Here


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
"""What makes each; what it needs is imported only then."""

__all__ = ["EXECUTORS", "Executor", "Here", "WorkerDiedError"]
