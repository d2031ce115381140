"""The options of `resnet-jax run`: which of an experiment is run, and where."""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from resnet_jax.errors import UserError

if TYPE_CHECKING:
    from resnet_jax.lab.design.experiment import Experiment
    from resnet_jax.lab.running.executors import Executor


def add_which(command: argparse.ArgumentParser) -> None:
    """Adds what to run of an experiment."""
    command.add_argument(
        "--scale", default="", metavar="NAME", help="one of the experiment's scales, such as paper"
    )
    command.add_argument("--seeds", type=count, metavar="N", help="seeds 0 to N-1 in place of its")
    command.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="AXIS=VALUE[,VALUE]",
        help="start only these runs; the rest of the grid stays missing",
    )
    command.add_argument(
        "--dry-run", action="store_true", help="say what the grid would take, and run nothing"
    )


def add_where(command: argparse.ArgumentParser) -> None:
    """Adds what is to do the runs."""
    where = command.add_argument_group("where runs are done (in this process, if not said)")
    where.add_argument(
        "--workers",
        type=count,
        default=1,
        metavar="N",
        help="N processes of this machine: each has a GPU of its own, or a share of the cores, "
        "which they take from each other on a CPU",
    )
    where.add_argument("--dask", default="", metavar="ADDRESS", help="workers of a Dask cluster")
    where.add_argument("--slurm", action="store_true", help="jobs of Slurm, one for each run")
    where.add_argument(
        "--slurm-option",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="such as partition=gpu, gpus_per_node=1, timeout_min=240",
    )


def executor(options: argparse.Namespace, experiment: "Experiment") -> "Executor":
    """What does the runs, as the options say.

    Raises:
      UserError: they say two things, or what was asked for is not there.
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
    arguments: dict[str, Callable[[], tuple]] = {
        "here": lambda: (),
        "processes": lambda: (options.workers,),
        "dask": lambda: (options.dask,),
        "slurm": lambda: (
            options.results / experiment.results_name / "slurm",
            slurm_options(options.slurm_option),
        ),
    }
    return EXECUTORS[kind](*arguments[kind]())


def slurm_options(texts: Sequence[str]) -> dict[str, Any]:
    """`KEY=VALUE` as the name and the value of an option; numbers become numbers.

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


def count(text: str) -> int:
    """A number from 1."""
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1")
    return int(text)


def asked(experiment: "Experiment", scale: str, seeds: int | None) -> "Experiment":
    """The experiment at the scale and with the seeds that were asked for.

    Raises:
      UserError: it has no such scale.
    """
    experiment = experiment.at_scale(scale or experiment.scale)
    return replace(experiment, seeds=tuple(range(seeds))) if seeds else experiment


def whole(arguments: Sequence[str]) -> list[str]:
    """What was typed, without what asks for a piece of the grid: a report tells how to do it all.

    Example:
      >>> whole(["run", "a.py", "--only", "depth=20", "--seeds", "5", "--only=family=plain"])
      ['run', 'a.py', '--seeds', '5']
    """
    kept = []
    rest = iter(arguments)
    for each in rest:
        if each == "--only":
            next(rest, None)
        elif not each.startswith("--only="):
            kept.append(each)
    return kept
