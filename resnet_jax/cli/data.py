"""`resnet-jax data`: lists and prepares data sets."""

import argparse

from resnet_jax.cli.arguments import Subparsers
from resnet_jax.cli.terminal import print_path, print_table


def add_parser(commands: Subparsers) -> None:
    """Adds `data list` and `data prepare`."""
    data = commands.add_parser("data", help="list and prepare data sets")
    subcommands = data.add_subparsers(metavar="COMMAND", required=True)

    command = subcommands.add_parser("list", help="list the data sets")
    command.set_defaults(run=list_all)

    command = subcommands.add_parser("prepare", help="download and prepare a data set, once")
    command.add_argument("name", help="such as cifar10")
    command.add_argument(
        "--data-dir", default="", metavar="FOLDER", help="where prepared sets are kept"
    )
    command.set_defaults(run=prepare)


def list_all(options: argparse.Namespace) -> None:
    """Prints the name and a description of each data set."""
    from resnet_jax.data.catalog import DESCRIPTIONS

    print_table(["name", "what it is"], DESCRIPTIONS.items(), [False, False])


def prepare(options: argparse.Namespace) -> None:
    """Prepares a data set, and prints where it is."""
    from resnet_jax.data.tfds.prepare import prepare

    folder = prepare(options.name, options.data_dir)
    print_path(options.name, folder or "built in, nothing to prepare")
