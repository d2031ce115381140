"""`resnet-jax compare`: two experiments or two runs side by side."""

import argparse
from collections.abc import Iterable
from pathlib import Path

from rich.markup import escape

from resnet_jax.cli.arguments import Subparsers
from resnet_jax.cli.terminal import CONSOLE, print_table


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
    for name, path, state in zip("AB", (options.a, options.b), found.states, strict=True):
        _print_lines([f"{name}: {path}: {state}"])
    if found.cells:
        _print_title("cells")
        _print_lines(found.cells)
    if found.tables:
        _print_title("settings that differ, A -> B")
        _print_lines(found.settings or ["none"])
    for title, table in found.tables.items():
        _print_title(title)
        print_table(table.head, table.rows, table.numeric)
    CONSOLE.print()
    _print_lines(found.notes)


def _print_title(title: str) -> None:
    CONSOLE.print(f"\n[bold]{escape(title)}[/]", highlight=False)


def _print_lines(lines: Iterable[str]) -> None:
    for line in lines:
        CONSOLE.print(line, highlight=False, markup=False, soft_wrap=True)
