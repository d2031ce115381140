"""The numbers that a paper reports beside ours, cell by cell."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from resnet_jax.errors import UserError
from resnet_jax.lab import inference
from resnet_jax.lab.analysis.tables import Readable
from resnet_jax.lab.design.paper import FAIL, Paper, PaperValue
from resnet_jax.lab.design.protocols import Cell
from resnet_jax.lab.formatting import NOT_KNOWN, listed, number
from resnet_jax.lab.measures import describe
from resnet_jax.lab.results.records import Records, examples, of_cell
from resnet_jax.training.run.run_folder import RunFolder

NAMES_SHOWN = 6  # data sets, networks or lengths of training in the description of a set-up


@dataclass(frozen=True)
class PaperComparison:
    """A paper's numbers and ours.

    Attributes:
      paper: the paper.
      warning: how our scale differs from the paper's; empty if it does not.
      table: one row for each cell for which the paper reports a number.
    """

    paper: Paper
    warning: str
    table: Readable


def compare_with_paper(records: Records, folders: Iterable[Path]) -> PaperComparison | None:
    """Tabulates an experiment's results beside the numbers of its paper.

    Args:
      records: the experiment's records.
      folders: folders of the runs; their configs describe our set-up.

    Returns:
      The comparison; None if the experiment has no paper, or the paper has no number for any cell.
    """
    experiment = records.experiment
    paper = experiment.paper
    if paper is None:
        return None
    axes = list(experiment.axes)
    found = records.runs[axes].drop_duplicates().to_dict("records") if axes else [{}]
    cells: list[Cell] = [{str(axis): value for axis, value in cell.items()} for cell in found]
    names_networks = paper.networks and experiment.scale != paper.scale
    rows = [
        [
            *(experiment.label(cell[axis]) for axis in axes),
            *([paper.network(cell)] if names_networks else []),
            *_row(records, paper, cell, theirs),
        ]
        for cell in cells
        if (theirs := paper.figure(cell)) is not None
    ]
    if not rows:
        return None
    labels = [experiment.label(axis) for axis in axes]
    if names_networks:
        labels.append("the paper's network")
    head = [*labels, "paper", "ours, mean", "95% interval", "fail", "n"]
    table = Readable(head, rows, [False] * len(labels) + [True] * 5)
    warning = "" if experiment.scale == paper.scale else _warning(records, paper, folders)
    return PaperComparison(paper, warning, table)


def _row(records: Records, paper: Paper, cell: Any, theirs: PaperValue) -> list[str]:
    measure = paper.measure
    places = describe(measure).decimals or 2
    seeds = of_cell(records.runs, cell)
    found = inference.sample(seeds[measure], describe(measure), examples(seeds, describe(measure)))
    low, high = (number(end, places) for end in found.interval())
    fails = seeds[measure] > paper.fails_above
    return [
        FAIL if theirs == FAIL else number(float(theirs or 0), places),
        number(found.mean, places),
        low if low == NOT_KNOWN else f"{low} to {high}",
        f"{int(fails.sum())} of {found.n}" if found.n else NOT_KNOWN,
        str(found.n),
    ]


def _warning(records: Records, paper: Paper, folders: Iterable[Path]) -> str:
    theirs = f" The paper’s set-up: {paper.words}." if paper.words else ""
    ours = setup(folders)
    return (
        f"Our runs are at the scale “{records.experiment.scale}”, not at the paper’s"
        f"{f': {ours}' if ours else ''}.{theirs} Compare the order of the cells only, not the "
        "values."
    )


def setup(folders: Iterable[Path]) -> str:
    """Describes data, networks and length of training of runs, from their configs.

    Returns:
      `data digits; networks plain20, plain56; 300 steps, batch size 32`; empty if no run has
      started.
    """
    parts: list[dict[str, None]] = [{}, {}, {}]
    for folder in folders:
        try:
            config = RunFolder(folder).settings()
            words = (config["data"]["name"], config["model"]["name"], _length(config["train"]))
        except (UserError, KeyError, TypeError):  # not started, or a study without training
            continue
        for part, word in zip(parts, words, strict=True):
            part[word] = None
    heads = ("data ", "networks ", "")
    return "; ".join(
        head + listed(list(part), NAMES_SHOWN)
        for head, part in zip(heads, parts, strict=True)
        if part
    )


def _length(train: dict[str, Any]) -> str:
    length = f"{train['steps']:,} steps" if train["steps"] else f"{train['epochs']:g} epochs"
    return f"{length}, batch size {train['batch_size']}"
