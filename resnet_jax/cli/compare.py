"""`resnet-jax compare`: two experiments or two runs side by side."""

import argparse
from pathlib import Path

from resnet_jax.cli.arguments import Subparsers
from resnet_jax.cli.terminal import CONSOLE, print_path, print_table


def add_parser(commands: Subparsers) -> None:
    """Adds the command."""
    command = commands.add_parser("compare", help="put two experiments or two runs side by side")
    command.add_argument("a", type=Path, metavar="A", help="such as results/degradation")
    command.add_argument("b", type=Path, metavar="B", help="such as results/degradation-paper")
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Prints the settings and the results in which the two differ."""
    from resnet_jax.lab.reporting.compare import compare

    found = compare(options.a, options.b)
    print_path("A", options.a)
    print_path("B", options.b)
    CONSOLE.print("\n[bold]settings that differ, A -> B[/]", highlight=False)
    for line in found.settings or ["none"]:
        CONSOLE.print(line, highlight=False, markup=False, soft_wrap=True)
    CONSOLE.print()
    print_table(found.table.head, found.table.rows, found.table.numeric)
    for note in found.notes:
        CONSOLE.print(note, highlight=False, markup=False, soft_wrap=True)
