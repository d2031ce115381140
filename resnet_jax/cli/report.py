"""`resnet-jax report`: rebuilds reports from the records of runs."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table
from rich.text import Text

from resnet_jax.cli.arguments import Subparsers
from resnet_jax.cli.terminal import CONSOLE, print_path, print_table

if TYPE_CHECKING:
    from resnet_jax.lab.analysis.claims import Verdict
    from resnet_jax.lab.reporting.index import Index
    from resnet_jax.lab.reporting.paper import PaperComparison
    from resnet_jax.lab.reporting.report import Report

COLORS = {"supported": "green", "refuted": "red", "inconclusive": "yellow"}


def add_parser(commands: Subparsers) -> None:
    """Adds the command."""
    command = commands.add_parser("report", help="rebuild an experiment's report from its records")
    command.add_argument(
        "folder",
        type=Path,
        help="such as results/degradation; results for the reports of all experiments in it, "
        "and an index page",
    )
    written = command.add_mutually_exclusive_group()
    for form, name in (("latex", "LaTeX (package booktabs)"), ("markdown", "Markdown")):
        written.add_argument(
            f"--{form}",
            action="store_const",
            const=form,
            dest="form",
            help=f"print the main table of an experiment as {name}, and build nothing",
        )
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Rebuilds one report, or all and their index; 1 if an experiment is unreadable."""
    if options.form:
        return _print_main_table(options.folder, options.form)

    from resnet_jax.lab.reporting import index, report
    from resnet_jax.lab.results.folder import Folder

    if Folder(options.folder).plan.is_file() or not index.holds_experiments(options.folder):
        print_report(report.build(options.folder))
        return 0
    with CONSOLE.status("reports") as status:
        built = index.build(options.folder, lambda name: status.update(f"report of {name}"))
    _print_index(built)
    return 0 if built.complete else 1


def _print_index(built: "Index") -> None:
    """Prints the tally of all verdicts, and a line for each experiment."""
    CONSOLE.print(f"[bold]{built.tally or 'no verdicts'}[/]: {built.scope}\n", highlight=False)
    rows = [[card.title, card.counts, card.state, card.date] for card in built.cards]
    readable = [row for row, card in zip(rows, built.cards, strict=True) if not card.error]
    if readable:
        print_table(["experiment", "verdicts", "runs", "last run"], readable, [False] * 4)
    for card in built.cards:
        if card.error:
            line = f"[red]{escape(card.title)}: unreadable[/]: {escape(card.error)}"
            CONSOLE.print(line, highlight=False, soft_wrap=True)
    CONSOLE.print()
    print_path("page", built.page)


def _print_main_table(folder: Path, form: str) -> int:
    from resnet_jax.lab.reporting import formats, report

    found = report.read(folder)
    if form == "latex":
        print(formats.latex(found.main, found.records.experiment.question), end="")
    else:
        print(formats.markdown(found.main), end="")
    return 0


def print_report(built: "Report") -> None:
    """Prints the verdicts and the table of an experiment, what is open, and where its report is."""

    from resnet_jax.lab.analysis.tables import for_reading
    from resnet_jax.lab.reporting import answer

    experiment = built.records.experiment
    CONSOLE.print(f"\n[bold]{escape(experiment.question)}[/]", highlight=False)
    for finding in built.findings:
        CONSOLE.print(escape(finding), highlight=False)
    _print_verdicts(built.verdicts)
    CONSOLE.print()
    table = for_reading(built.table, experiment)
    print_table(table.head, table.rows, table.numeric)
    if built.comparison:
        _print_comparison(built.comparison)
    if built.warning:
        CONSOLE.print(f"\n[yellow]{escape(built.warning)}[/]", highlight=False)
    CONSOLE.print()
    if looks := answer.looks(built.verdicts, built.plan.looks):
        CONSOLE.print(escape(looks), highlight=False)
    for verdict in built.verdicts:
        if verdict.outcome == "inconclusive":
            words = answer.needed(verdict) or verdict.without_n
            CONSOLE.print(f"open: {escape(verdict.text)}: {escape(words)}", highlight=False)
    print_path("report", built.folder.report)


def _print_verdicts(verdicts: "Sequence[Verdict]") -> None:
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right", min_width=15, no_wrap=True)
    table.add_column()
    for verdict in verdicts:
        table.add_row(Text(verdict.outcome, COLORS[verdict.outcome]), Text(verdict.text))
        table.add_row("", Text("; ".join([verdict.numbers, *verdict.notes]), "dim"))
    CONSOLE.print(table)


def _print_comparison(found: "PaperComparison") -> None:

    from resnet_jax.lab.measures import describe

    words = f": {found.paper.words}" if found.paper.words else ""
    CONSOLE.print(
        f"\n[bold]{escape(describe(found.paper.measure).axis_label)}, the paper's and ours[/]\n"
        f"{escape(found.paper.source + words)}",
        highlight=False,
    )
    if found.warning:
        CONSOLE.print(f"[yellow]{escape(found.warning)}[/]", highlight=False)
    print_table(found.table.head, found.table.rows, found.table.numeric)
