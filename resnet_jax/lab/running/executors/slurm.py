"""By Slurm, each run in a job of its own, through submitit.

Options are those of submitit's `update_parameters`: `timeout_min`, `gpus_per_node`, `mem_gb`,
`cpus_per_task`, and Slurm's own, such as `partition` or `account`. A job whose time is up is
requeued, and goes on from the run's newest checkpoint. The logs lie in the folder of results.
"""

import math
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar, Self

from resnet_jax.errors import UserError

MOST_JOBS = 1000  # that are waited for at a time, a thread each
OF_ANY_CLUSTER = (
    "cpus_per_task",
    "gpus_per_node",
    "mem_gb",
    "name",
    "nodes",
    "stderr_to_stdout",
    "tasks_per_node",
    "timeout_min",
)  # what submitit calls alike everywhere; the others begin with the cluster's name there


class Slurm:
    """Submits jobs, and waits for them in threads."""

    here: ClassVar[bool] = False
    slots = math.inf

    def __init__(self, folder: Path, options: Mapping[str, Any], cluster: str = "slurm") -> None:
        """Finds the cluster.

        Args:
          folder: for the jobs' scripts and logs.
          options: for submitit's `update_parameters`.
          cluster: `local` does the same with processes of this machine, for tests.

        Raises:
          UserError: submitit is not installed, there is no Slurm here, or an option is unknown.
        """
        try:
            import submitit
        except ImportError:
            raise UserError("--slurm takes the extra `slurm`: pip install -e '.[slurm]'") from None
        try:
            self._executor = submitit.AutoExecutor(folder=folder, cluster=cluster)
            self._executor.update_parameters(**_named(options, "slurm"))
        except RuntimeError as error:
            raise UserError(f"--slurm: {error} Run this where `sbatch` is") from error
        except (NameError, TypeError, ValueError, AssertionError) as error:
            raise UserError(f"--slurm-option: {' '.join(str(error).split())}") from error
        self._jobs: list[Any] = []
        self._threads = ThreadPoolExecutor(MOST_JOBS)

    def submit(self, function: Callable[[Any], Any], argument: Any) -> Future:
        """See `Executor`."""
        job = self._executor.submit(_Resumable(function), argument)
        self._jobs.append(job)
        return self._threads.submit(job.result)

    def stop(self) -> None:
        """See `Executor`: Slurm sends SIGTERM, on which a training saves, and half a minute on it
        kills what is left."""
        for job in self._jobs:
            if not job.done():
                job.cancel(check=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Leaves the jobs to Slurm."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class _Resumable:
    """A function that submitit may call once more, in a job that was requeued."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self._function = function

    def __call__(self, argument: Any) -> Any:
        return self._function(argument)

    def checkpoint(self, argument: Any) -> Any:
        """What the requeued job does: the same, from the newest checkpoint."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self, argument)


def _named(options: Mapping[str, Any], cluster: str) -> dict[str, Any]:
    return {
        key if key in OF_ANY_CLUSTER else f"{cluster}_{key.removeprefix(f'{cluster}_')}": value
        for key, value in options.items()
    }
