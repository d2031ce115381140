"""What the command prints: tables and sentences, made of what the library returns."""

from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from resnet_jax.cli.progress import ending
from resnet_jax.lab.benchmarks import LoopCost, Timing
from resnet_jax.lab.report import Report
from resnet_jax.lab.tables import Readable, for_reading
from resnet_jax.models.published import Published
from resnet_jax.models.summary import Summary
from resnet_jax.training.replay import Replay
from resnet_jax.training.run_folder import Result

CONSOLE = Console()
SITES_SHOWN = 5
LOG_WIDTH = 120  # rich would take a log for 80 columns wide, and wrap the tables

if not CONSOLE.is_terminal:
    CONSOLE.width = LOG_WIDTH

MARKS = {"supported": "green", "refuted": "red", "not enough runs": "yellow"}


def report(built: Report) -> None:
    """Prints the table and the verdicts of an experiment, and where its report is."""
    experiment = built.records.experiment
    CONSOLE.print()
    CONSOLE.print(_table(for_reading(built.table, experiment)))
    CONSOLE.print(f"\n[bold]{escape(experiment.question)}[/]")
    for finding in built.findings:
        CONSOLE.print(escape(finding), highlight=False)
    for verdict in built.verdicts:
        CONSOLE.print(
            f"[{MARKS[verdict.outcome]}]{verdict.outcome:>15}[/]  {escape(verdict.text)}",
            highlight=False,
        )
        remarks = "; ".join([verdict.numbers, *verdict.notes])
        CONSOLE.print(f"{'':>15}  [dim]{escape(remarks)}[/]", highlight=False)
    CONSOLE.print()
    place("report", built.folder.report)


def result(workdir: Path, ended: Result) -> None:
    """Prints how a run ended that had ended before."""
    CONSOLE.print(f"ended before: {ending(workdir.name, ended)}", highlight=False, markup=False)


def evaluation(split: str, found: dict[str, float], unit: str) -> None:
    """Prints an evaluation, its loss with a unit if that has one."""
    CONSOLE.print(
        f"step {found['step']}, {split} split, {found['examples']} examples: "
        f"error {found['error']:.2f}%, loss {found['loss']:.4f} {unit}".rstrip(),
        highlight=False,
    )


def network(name: str, summary: Summary) -> None:
    """Prints what a network is made of, and what is published of it."""
    rows = [
        [row.stage, row.unit, _shape(row.output), f"{row.params:,}", f"{row.multiply_adds:,}"]
        for row in summary.rows
    ]
    total = ["total", "", "", f"{summary.params:,}", f"{summary.multiply_adds:,}"]
    head = ["stage", "unit", "output", "parameters", "multiply-adds"]
    CONSOLE.print(_table(Readable(head, [*rows, total], [False, False, False, True, True])))
    CONSOLE.print(
        f"\n{name}: {summary.weighted_layers} weighted layers, {summary.params:,} parameters, "
        f"{summary.multiply_adds:.3g} multiply-adds for an image of {_shape(summary.image_shape)}",
        highlight=False,
    )
    if summary.published:
        _print_published(summary.published)


def replay(found: Replay) -> None:
    """Prints what was found in a step that was taken again."""
    CONSOLE.print(
        f"step {found.step}, replayed from step {found.start}: "
        f"{f'loss {found.loss:.4g} {found.unit}'.rstrip()}, "
        f"gradient norm {found.gradient_norm:.4g}",
        highlight=False,
    )
    shown = ", ".join(found.not_finite[:SITES_SHOWN])
    more = len(found.not_finite) - SITES_SHOWN
    further = f" and {more} more" if more > 0 else ""
    sites = f"not finite: {shown}{further}" if found.not_finite else "every site is finite"
    CONSOLE.print(sites, highlight=False, markup=False)
    place("all sites, and the batch's examples", found.file)


def datasets(known: Mapping[str, str]) -> None:
    """Prints the data sets known by name."""
    CONSOLE.print(
        _table(Readable(["name", "what it is"], list(map(list, known.items())), [False] * 2))
    )


def probe_cost(plain: Timing, probed: Timing) -> None:
    """Prints what probes cost."""
    rows = [
        [
            each.name,
            f"{1000 * each.median:.1f}",
            f"{1000 * min(each.turns):.1f} to {1000 * max(each.turns):.1f}",
            str(len(each.turns)),
            f"{each.first:.1f}",
        ]
        for each in (plain, probed)
    ]
    head = ["", "median (ms)", "range (ms)", "turns", "first call (s)"]
    CONSOLE.print(_table(Readable(head, rows, [False, True, True, True, True])))
    more = probed.median / plain.median - 1
    CONSOLE.print(
        f"A step with probes takes {1 + more:.2f} times as long as one without. Probing costs "
        f"{more / 50:.2%} of a run at every 50 steps, and {probed.first - plain.first:.1f} s more "
        "to compile, once.",
        highlight=False,
    )


def loop_cost(cost: LoopCost) -> None:
    """Prints what a loop costs beside its steps."""
    rows = [
        [
            name,
            f"{1000 * seconds:.1f}",
            str(cost.every[name]) if cost.every[name] else "the end",
            f"{cost.share(name):.2%}",
        ]
        for name, seconds in cost.seconds.items()
    ]
    head = ["", "time (ms)", "every (steps)", "of the steps' time"]
    CONSOLE.print(_table(Readable(head, rows, [False, True, True, True])))
    whole = sum(map(cost.share, cost.seconds))
    CONSOLE.print(
        f"A step takes {1000 * cost.step:.1f} ms; all three add {whole:.2%} to it.",
        highlight=False,
    )


def place(what: str, path: Path) -> None:
    """Prints where something is, on a line that is never wrapped."""
    CONSOLE.print(f"{what}: {path}", highlight=False, soft_wrap=True, markup=False)


def _print_published(published: Published) -> None:
    facts = {
        "parameters": published.params_printed or (published.params and f"{published.params:,}"),
        "multiply-adds": published.multiply_adds and f"{published.multiply_adds:.2g}",
        **{f"error, {what}": f"{error}%" for what, error in published.errors.items()},
    }
    given = [f"{what} {fact}" for what, fact in facts.items() if fact]
    CONSOLE.print(f"published: {'; '.join(given)}", highlight=False)
    for source in published.sources:
        CONSOLE.print(f"  [dim]{escape(source)}[/]", highlight=False)


def _shape(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))


def _table(readable: Readable) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for head, numeric in zip(readable.head, readable.numeric, strict=True):
        table.add_column(escape(head), justify="right" if numeric else "left", no_wrap=True)
    for row in readable.rows:
        table.add_row(*map(escape, row))
    return table
