"""The options of `resnet-jax run`: which of an experiment is run, and where."""

import argparse
from collections.abc import Sequence
from dataclasses import replace

from resnet_jax.lab.experiment import Experiment


def add(command: argparse.ArgumentParser) -> None:
    """Adds the options to the command."""
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


def count(text: str) -> int:
    """A number from 1."""
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1")
    return int(text)


def asked(experiment: Experiment, scale: str, seeds: int | None) -> Experiment:
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
