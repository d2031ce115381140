"""`resnet-jax run`: runs what is missing of an experiment and reports on all of it."""

import argparse
import math
import shlex
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from resnet_jax.cli import executor as executors
from resnet_jax.cli.arguments import Subparsers, add_results, count, seconds
from resnet_jax.cli.report import print_report
from resnet_jax.cli.terminal import CONSOLE, print_table

if TYPE_CHECKING:
    from resnet_jax.lab.design.experiment import Experiment
    from resnet_jax.lab.running.forecast import Forecast


def add_parser(commands: Subparsers) -> None:
    """Adds the command."""
    command = commands.add_parser("run", help="run an experiment and report on it")
    command.add_argument("experiment", type=Path, help="a file such as experiments/degradation.py")
    add_results(command)
    command.add_argument(
        "--scale", default="", metavar="NAME", help="one of the experiment's scales, such as paper"
    )
    command.add_argument(
        "--seeds", type=count, metavar="N", help="run seeds 0 to N-1 instead of the experiment's"
    )
    command.add_argument(
        "--until-decided",
        action="store_true",
        help="add seeds to the cells of open claims, at declared looks, until they are decided",
    )
    command.add_argument(
        "--budget",
        type=seconds,
        default=math.inf,
        metavar="TIME",
        help="begin no look that would end later, such as 30m or 2h",
    )
    command.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="AXIS=VALUE[,VALUE]",
        help="run only this part of the grid; the report shows the rest as missing",
    )
    command.add_argument(
        "--dry-run",
        action="store_true",
        help="print the size and the cost of the grid, run nothing",
    )
    executors.add_arguments(command)
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Runs what is missing, builds the report and prints it; 1 if a run failed."""
    import jax

    from resnet_jax import lab
    from resnet_jax.cli.progress import WorkerLines, display
    from resnet_jax.lab.design import grid_filter
    from resnet_jax.lab.design.looks import Until, until
    from resnet_jax.lab.reporting import report
    from resnet_jax.lab.running import engine, forecast
    from resnet_jax.training.run.compilation import use_cache

    use_cache()
    experiment = lab.load(options.experiment)
    experiment = experiment.at_scale(options.scale or experiment.scale)
    if options.seeds:
        experiment = replace(experiment, seeds=tuple(range(options.seeds)))
    if options.until_decided and not isinstance(experiment.seeds, Until):
        experiment = replace(experiment, seeds=until(experiment.seeds))
    only = grid_filter.parse(experiment, options.only)
    if options.dry_run:
        _print_forecast(experiment, forecast.forecast(experiment, options.results, only))
        _print_power(experiment, options.results)
        return 0
    executor = executors.executor(options, experiment)
    if not executor.here:  # leave the accelerators' memory to the workers
        jax.config.update("jax_platforms", "cpu")
    command = shlex.join(["resnet-jax", *without_only(sys.argv[1:])])
    with display(CONSOLE) if executor.here else WorkerLines(CONSOLE) as observer:
        folder = engine.run(
            experiment,
            options.results,
            command,
            observer,
            only,
            executor,
            options.budget,
            tell=lambda line: CONSOLE.print(line, highlight=False, markup=False),
        )
    built = report.build(folder.path)
    print_report(built)
    return 0 if built.ended(only) else 1


def without_only(arguments: Sequence[str]) -> list[str]:
    """The command line without `--only`: a report quotes the command that runs the whole grid.

    Example:
      >>> without_only(["run", "a.py", "--only", "depth=20", "--seeds", "5", "--only=family=plain"])
      ['run', 'a.py', '--seeds', '5']
    """
    kept = []
    rest = iter(arguments)
    for each in rest:
        if each == "--only":
            next(rest, None)
        elif not each.startswith("--only="):
            kept.append(each)
    return kept


def _print_forecast(experiment: "Experiment", found: "Forecast") -> None:
    """Prints how large a grid is and what it would cost."""
    from resnet_jax.lab.formatting import count

    axes = [f"{len(values)} {experiment.label(axis)}" for axis, values in experiment.axes.items()]
    absent = math.prod(map(len, experiment.axes.values())) - found.cells
    left_out = f", {absent} left out" if absent else ""
    tuning = f" after {count(found.tuning, 'tuning run')}" if found.tuning else ""
    CONSOLE.print(
        f"{experiment.results_name}, scale {experiment.scale}: {count(found.cells, 'cell')} "
        f"({' x '.join(axes) or 'no axes'}{left_out}) x {count(found.seeds, 'seed')} = "
        f"{count(found.runs, 'run')}{tuning}; {found.chosen} asked for, {found.done} of them done",
        highlight=False,
    )
    if (last := experiment.looks[-1]) > found.seeds:
        CONSOLE.print(f"cells of open claims get up to {last} seeds", highlight=False)
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
    print_table(head, rows, [False] + [True] * 6)
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
        f"{_hours(found.hours(waiting=False))} in all, for the training steps alone. "
        f"Measured on {timed.device}: a step of {count(timed.images, 'image')} of "
        f"{timed.network} takes {1000 * timed.step:,.0f} ms (after {timed.compile:.1f} s to "
        "compile); the cost of other networks is scaled by their multiply-adds.",
        highlight=False,
    )


def _print_power(experiment: "Experiment", results: Path) -> None:
    """Prints how many seeds each claim takes, from the spread of runs that are there already."""
    from resnet_jax.lab.analysis import claims
    from resnet_jax.lab.formatting import count
    from resnet_jax.lab.inference import MOST_SEEDS
    from resnet_jax.lab.results import records
    from resnet_jax.lab.results.folder import Folder

    folder = Folder(results / experiment.results_name)
    if not experiment.claims or not folder.plan.is_file():
        return
    earlier = records.read(folder).runs
    if not {*experiment.axes, *experiment.measures} <= set(earlier):
        return  # the runs are of an earlier version of the experiment
    needed = claims.seeds_needed(experiment.claims, earlier, experiment.looks)
    CONSOLE.print("seeds that decide a claim with a chance of 80%, from the runs so far:")
    for claim, n in zip(experiment.claims, needed, strict=True):
        seeds = "unknown" if not n else f"{n} or more" if n >= MOST_SEEDS else count(n, "seed")
        CONSOLE.print(f"  {claim.text}: {seeds}", highlight=False, markup=False)


def _hours(hours: float) -> str:
    """A number of hours with two digits: an estimate has no more."""
    return f"{float(f'{hours:.2g}'):,.0f}" if hours >= 10 else f"{hours:.2g}"
