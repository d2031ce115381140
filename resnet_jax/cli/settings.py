"""`resnet-jax settings`: every setting of a config, its default and its meaning."""

import argparse
from pathlib import Path

from resnet_jax.cli.arguments import Subparsers


def add_parser(commands: Subparsers) -> None:
    """Adds the command."""
    command = commands.add_parser("settings", help="tabulate the settings of a config")
    command.add_argument(
        "--into",
        type=Path,
        metavar="PAGE.md",
        help="write the table into this page, between its two settings comments",
    )
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Prints the table in Markdown, or writes it into a page."""
    from resnet_jax.files import write_section
    from resnet_jax.training.config import defaults

    if options.into:
        write_section(options.into, "settings", defaults.markdown())
    else:
        print(defaults.markdown(), end="")
