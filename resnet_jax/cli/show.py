"""What the command prints: tables and sentences, made of what the library returns."""

import math
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from resnet_jax.cli.progress import ending
from resnet_jax.lab.analysis.tables import Readable, for_reading
from resnet_jax.lab.design.experiment import Experiment
from resnet_jax.lab.formatting import count
from resnet_jax.lab.measures import describe
from resnet_jax.lab.reporting.compare import Comparison
from resnet_jax.lab.reporting.index import Gallery
from resnet_jax.lab.reporting.paper import Beside
from resnet_jax.lab.reporting.report import Report
from resnet_jax.lab.running.benchmarks import LoopCost, Timing
from resnet_jax.lab.running.forecast import Forecast
from resnet_jax.models.zoo.published import Published
from resnet_jax.models.zoo.summary import Summary
from resnet_jax.training.run.replay import Replay
from resnet_jax.training.run.run_folder import Result

CONSOLE = Console()
SITES_SHOWN = 5
LOG_WIDTH = 120  # rich would take a log for 80 columns wide, and wrap the tables

if not CONSOLE.is_terminal:
    CONSOLE.width = LOG_WIDTH

MARKS = {"supported": "green", "refuted": "red", "inconclusive": "yellow"}


def report(built: Report) -> None:
    """Prints the table and the verdicts of an experiment, and where its report is."""
    experiment = built.records.experiment
    CONSOLE.print()
    CONSOLE.print(_table(for_reading(built.table, experiment)))
    if built.beside:
        _print_beside(built.beside)
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
    if built.warning:
        CONSOLE.print(f"\n[yellow]{escape(built.warning)}[/]", highlight=False)
    CONSOLE.print()
    place("report", built.folder.report)


def forecast(experiment: Experiment, found: Forecast) -> None:
    """Prints what a grid would take."""
    axes = [f"{len(values)} {experiment.label(axis)}" for axis, values in experiment.axes.items()]
    absent = math.prod(map(len, experiment.axes.values())) - found.cells
    left_out = f", {absent} left out" if absent else ""
    CONSOLE.print(
        f"{experiment.results_name}, scale {experiment.scale}: {count(found.cells, 'cell')} "
        f"({' x '.join(axes) or 'no axes'}{left_out}) x {count(found.seeds, 'seed')} = "
        f"{count(found.runs, 'run')}; {found.chosen} asked for, {found.done} of them done",
        highlight=False,
    )
    if not found.costs:
        CONSOLE.print(f"no estimate: {found.why_not}", highlight=False)
        return
    rows = [
        [
            cost.network,
            *(f"{n:,}" if n else "–" for n in (cost.params, cost.multiply_adds)),
            f"{cost.steps:,}",
            f"{cost.batch_size:,}",
            str(cost.runs),
            str(cost.waiting),
        ]
        for cost in found.costs
    ]
    head = ["network", "parameters", "multiply-adds", "steps", "batch", "runs", "to do"]
    CONSOLE.print(_table(Readable(head, rows, [False] + [True] * 6)))
    CONSOLE.print(
        f"training images: {found.images():,} to do, {found.images(waiting=False):,} in all",
        highlight=False,
    )
    if not found.measured:
        CONSOLE.print(f"no estimate of hours: {found.why_not}", highlight=False)
        return
    timed = found.measured
    CONSOLE.print(
        f"estimate: {_hours(found.hours())} device hours to do, "
        f"{_hours(found.hours(waiting=False))} in all, of training steps alone. "
        f"Measured on {timed.device}: a step of {count(timed.images, 'image')} of "
        f"{timed.network} takes {1000 * timed.step:,.0f} ms (compiling apart, "
        f"{timed.compile:.1f} s); other networks are taken to cost more as they have more "
        "multiply-adds.",
        highlight=False,
    )


def gallery(built: Gallery) -> None:
    """Prints what became of each experiment of a folder, and where the page of all is."""
    for card in built.cards:
        state = f"[red]damaged[/]: {escape(card.damage)}" if card.damage else escape(card.state)
        CONSOLE.print(f"{escape(card.title)}: {state}", highlight=False, soft_wrap=True)
    place("page", built.page)


def comparison(a: Path, b: Path, found: Comparison) -> None:
    """Prints two experiments or two runs side by side."""
    place("A", a)
    place("B", b)
    CONSOLE.print("\n[bold]settings that differ, A -> B[/]", highlight=False)
    for line in found.settings or ["none"]:
        CONSOLE.print(line, highlight=False, markup=False, soft_wrap=True)
    CONSOLE.print()
    CONSOLE.print(_table(found.table))
    for note in found.notes:
        CONSOLE.print(note, highlight=False, markup=False, soft_wrap=True)


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
        f"\n{name}: {summary.weighted_layers} weighted layers without projections, "
        f"{summary.params:,} parameters, "
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


def _print_beside(found: Beside) -> None:
    words = f": {found.paper.words}" if found.paper.words else ""
    CONSOLE.print(
        f"\n[bold]{escape(describe(found.paper.measure).axis_label)}, the paper's and ours[/]\n"
        f"{escape(found.paper.source + words)}",
        highlight=False,
    )
    if found.warning:
        CONSOLE.print(f"[yellow]{escape(found.warning)}[/]", highlight=False)
    CONSOLE.print(_table(found.table))


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


def _hours(hours: float) -> str:
    """Two digits: an estimate has no more."""
    return f"{float(f'{hours:.2g}'):,.0f}" if hours >= 10 else f"{hours:.2g}"


def _shape(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))


def _table(readable: Readable) -> Table:
    """Where it is too wide, words go on in the next line: a number that is cut is another one."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for head, numeric in zip(readable.head, readable.numeric, strict=True):
        table.add_column(escape(head), justify="right" if numeric else "left", no_wrap=numeric)
    for row in readable.rows:
        table.add_row(*map(escape, row))
    return table
