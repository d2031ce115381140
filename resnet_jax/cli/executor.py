"""The options that say where the runs of an experiment are executed."""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from resnet_jax.cli.arguments import count
from resnet_jax.errors import UserError

if TYPE_CHECKING:
    from resnet_jax.lab.design.experiment import Experiment
    from resnet_jax.lab.running.executors import Executor


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Adds the options."""
    where = command.add_argument_group("where runs are executed (default: in this process)")
    where.add_argument(
        "--workers",
        type=count,
        default=1,
        metavar="N",
        help="in N processes on this machine; each has its own GPU, or on a CPU a share of the "
        "cores",
    )
    where.add_argument(
        "--dask", default="", metavar="ADDRESS", help="on a Dask cluster, such as tcp://HOST:8786"
    )
    where.add_argument("--slurm", action="store_true", help="as Slurm jobs, one for each run")
    where.add_argument(
        "--slurm-option",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="such as partition=gpu, gpus_per_node=1, timeout_min=240",
    )


def executor(options: argparse.Namespace, experiment: "Experiment") -> "Executor":
    """The executor that the options ask for.

    Raises:
      UserError: more than one is asked for, or what it needs is not installed or not there.
    """
    from resnet_jax.lab.running.executors import EXECUTORS

    asked_for = {
        "processes": options.workers > 1,
        "dask": bool(options.dask),
        "slurm": options.slurm or bool(options.slurm_option),
    }
    kinds = [kind for kind, asked in asked_for.items() if asked]
    if len(kinds) > 1:
        raise UserError("--workers, --dask and --slurm exclude each other: choose one")
    kind = kinds[0] if kinds else "here"
    arguments: tuple = ()
    if kind == "processes":
        arguments = (options.workers,)
    elif kind == "dask":
        arguments = (options.dask,)
    elif kind == "slurm":
        logs = options.results / experiment.results_name / "slurm"
        arguments = (logs, slurm_options(options.slurm_option))
    return EXECUTORS[kind](*arguments)


def slurm_options(texts: Sequence[str]) -> dict[str, Any]:
    """Parses `KEY=VALUE`; numbers and booleans are converted.

    Raises:
      UserError: one is not of that form.

    Example:
      >>> slurm_options(["partition=gpu", "timeout_min=240", "exclusive=true"])
      {'partition': 'gpu', 'timeout_min': 240, 'exclusive': True}
    """
    options = {}
    for text in texts:
        key, _, value = text.partition("=")
        if not (key and value):
            raise UserError(f"--slurm-option {text}: write KEY=VALUE, such as partition=gpu")
        options[key] = _typed(value)
    return options


def _typed(value: str) -> Any:
    if value.lower() in ("true", "false"):
        return value.lower() == "true"
    for kind in (int, float):
        try:
            return kind(value)
        except ValueError:
            continue
    return value
