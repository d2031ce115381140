"""`resnet-jax gradients`: compares gradient norms by depth between networks."""

import argparse

from resnet_jax.cli import executor as executors
from resnet_jax.cli import run as runs
from resnet_jax.cli.arguments import Subparsers, add_results, whole_numbers


def add_parser(commands: Subparsers) -> None:
    """Adds the command."""
    command = commands.add_parser(
        "gradients", help="compare gradient norms across depths", allow_abbrev=False
    )
    command.add_argument("networks", nargs="+", help="such as plain56, or FILE.py:VARIABLE")
    command.add_argument("--seeds", type=int, default=5, metavar="N", help="how many (default: 5)")
    command.add_argument(
        "--data", default="digits", metavar="NAME", help="a data set (default: digits)"
    )
    command.add_argument(
        "--steps",
        type=whole_numbers,
        default=(0,),
        metavar="0,1,10",
        help="measure after these numbers of updates (default: 0)",
    )
    add_results(command)
    executors.add_arguments(command)
    command.set_defaults(run=run, scale="", only=[], dry_run=False)


def run(options: argparse.Namespace) -> int:
    """Writes the experiment that compares the networks, and runs it."""
    from resnet_jax.lab.studies.gradients import write

    options.experiment = write(
        options.results, options.networks, options.seeds, options.data, options.steps
    )
    return runs.run(options)
