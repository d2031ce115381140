"""Executes each run in a Slurm job of its own, through submitit.

Options are those of submitit's `update_parameters`: `timeout_min`, `gpus_per_node`, `mem_gb`,
`cpus_per_task`, and Slurm's own, such as `partition` or `account`. A job that exceeds its time is
requeued, and its run resumes from the newest checkpoint. Logs are in the folder of results.
"""

import math
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar, Self

from resnet_jax.errors import UserError

MAX_JOBS = 1000  # that are waited for at a time, in a thread each
COMMON_OPTIONS = (
    "cpus_per_task",
    "gpus_per_node",
    "mem_gb",
    "name",
    "nodes",
    "stderr_to_stdout",
    "tasks_per_node",
    "timeout_min",
)  # submitit prefixes all other options with the name of the cluster


class Slurm:
    """Submits jobs, and waits for them in threads."""

    here: ClassVar[bool] = False
    slots = math.inf

    def __init__(self, folder: Path, options: Mapping[str, Any], cluster: str = "slurm") -> None:
        """Finds the cluster.

        Args:
          folder: the folder of the jobs' scripts and logs.
          options: arguments of submitit's `update_parameters`.
          cluster: `local` uses processes of this machine instead, for tests.

        Raises:
          UserError: submitit is not installed, there is no Slurm here, or an option is unknown.
        """
        try:
            import submitit
        except ImportError:
            raise UserError("--slurm needs the extra `slurm`: pip install -e '.[slurm]'") from None
        try:
            self._executor = submitit.AutoExecutor(folder=folder, cluster=cluster)
            self._executor.update_parameters(**_prefixed(options))
        except RuntimeError as error:
            raise UserError(f"--slurm: {error} Run this on a machine that has `sbatch`") from error
        except (NameError, TypeError, ValueError, AssertionError) as error:
            raise UserError(f"--slurm-option: {' '.join(str(error).split())}") from error
        self._jobs: list[Any] = []
        self._threads = ThreadPoolExecutor(MAX_JOBS)

    def submit(self, function: Callable[[Any], Any], argument: Any) -> Future:
        job = self._executor.submit(_Resumable(function), argument)
        self._jobs.append(job)
        return self._threads.submit(job.result)

    def stop(self) -> None:
        # Slurm sends SIGTERM, on which training saves a checkpoint, and kills half a minute later.
        for job in self._jobs:
            if not job.done():
                job.cancel(check=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)  # the jobs are Slurm's


class _Resumable:
    """A function that submitit may call again, in a job that was requeued."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self._function = function

    def __call__(self, argument: Any) -> Any:
        return self._function(argument)

    def checkpoint(self, argument: Any) -> Any:
        """Returns what the requeued job calls: the same, which resumes from its checkpoint."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self, argument)


def _prefixed(options: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key if key in COMMON_OPTIONS else f"slurm_{key.removeprefix('slurm_')}": value
        for key, value in options.items()
    }
