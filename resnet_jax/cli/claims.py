"""`resnet-jax claims`: one table of the claims of all experiments."""

import argparse
import sys
from pathlib import Path

from resnet_jax.cli.arguments import Subparsers


def add_parser(commands: Subparsers) -> None:
    """Adds the command."""
    command = commands.add_parser("claims", help="tabulate the claims of all experiments")
    command.add_argument(
        "results", type=Path, nargs="?", default=Path("results"), help="the folder of results"
    )
    command.add_argument(
        "--into",
        type=Path,
        metavar="PAGE.md",
        help="write tally and table into this page, between its two claims comments",
    )
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Prints tally and table, or writes them into a page; 1 if an experiment is unreadable."""
    from resnet_jax.files import write_section
    from resnet_jax.lab.reporting import overview

    unreadable: list[str] = []
    text = overview.section(overview.claims_table(options.results, unreadable.append))
    if options.into:
        write_section(options.into, "claims", text)
    else:
        print(text, end="")
    for message in unreadable:
        print(f"resnet-jax: warning: {message}", file=sys.stderr)
    return 1 if unreadable else 0
