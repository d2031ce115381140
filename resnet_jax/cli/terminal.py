"""The console, and how tables and paths are printed on it."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

LOG_WIDTH = 120  # without a terminal rich assumes 80 columns, and would wrap the tables

CONSOLE = Console()
if not CONSOLE.is_terminal:
    CONSOLE.width = LOG_WIDTH


def print_table(
    head: Sequence[str], rows: Iterable[Sequence[str]], numeric: Sequence[bool]
) -> None:
    """Prints a table.

    Args:
      head: the heads of its columns.
      rows: its cells, one sequence for each row.
      numeric: for each column, whether it holds numbers. These are aligned to the right and never
        wrapped: a number that is cut off reads as another number.
    """
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name, is_numeric in zip(head, numeric, strict=True):
        table.add_column(
            escape(name), justify="right" if is_numeric else "left", no_wrap=is_numeric
        )
    for row in rows:
        table.add_row(*map(escape, row))
    CONSOLE.print(table)


def print_path(what: str, path: Path | str) -> None:
    """Prints where something is, on a line that is never wrapped."""
    CONSOLE.print(f"{what}: {path}", highlight=False, soft_wrap=True, markup=False)
