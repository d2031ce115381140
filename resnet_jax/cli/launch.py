"""`resnet-jax launch`: runs one training as several processes on this machine."""

import argparse

from resnet_jax.cli.arguments import Subparsers
from resnet_jax.errors import UserError


def add_parser(commands: Subparsers) -> None:
    """Adds the command."""
    command = commands.add_parser(
        "launch",
        help="train with several processes on this machine",
        usage="resnet-jax launch --processes N [--cpu-devices M] train --config FILE ...",
        allow_abbrev=False,
    )
    command.add_argument("--processes", type=int, required=True, metavar="N")
    command.add_argument(
        "--cpu-devices", type=int, default=0, metavar="M", help="virtual CPU devices per process"
    )
    command.add_argument("command", nargs=argparse.REMAINDER, help="`train` and its own arguments")
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Runs the processes; the exit code is that of the first to fail."""
    from resnet_jax.training.devices import launch

    if options.command[:1] != ["train"]:
        raise UserError("launch: put the command to run after the options: `train --config ...`")
    if options.processes < 1 or options.cpu_devices < 0:
        raise UserError("launch: --processes must be at least 1, and --cpu-devices at least 0")
    return launch.launch(options.command, options.processes, options.cpu_devices)
