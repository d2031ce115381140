"""A paper's figures beside ours, cell by cell, and what has to be said before they are compared."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from resnet_jax.errors import UserError
from resnet_jax.lab.analysis.tables import Readable
from resnet_jax.lab.design.paper import FAIL, Paper, PaperValue
from resnet_jax.lab.design.protocols import Cell
from resnet_jax.lab.formatting import NOT_KNOWN, listed, number
from resnet_jax.lab.measures import describe
from resnet_jax.lab.results.records import Records
from resnet_jax.training.run.run_folder import RunFolder

NAMES_SHOWN = 6  # networks in the sentence on our set-up


@dataclass(frozen=True)
class Beside:
    """The paper's figures and ours.

    Attributes:
      paper: the paper.
      warning: that ours are at another scale, and at which; empty if they are at the paper's.
      table: a row for each cell that the paper has a figure for.
    """

    paper: Paper
    warning: str
    table: Readable


def beside(records: Records, folders: Iterable[Path]) -> Beside | None:
    """Puts an experiment's results beside its paper's figures.

    Args:
      records: what the runs left behind.
      folders: of the runs, whose configs say at what set-up they were.

    Returns:
      The table; None if the experiment has no paper, or the paper no figure for it.
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
            *_row(records, paper, cell, figure),
        ]
        for cell in cells
        if (figure := paper.figure(cell)) is not None
    ]
    if not rows:
        return None
    labels = [experiment.label(axis) for axis in axes]
    if names_networks:
        labels.append("the paper's network")
    head = [*labels, "paper", "ours, mean", "95% interval", "fail", "n"]
    table = Readable(head, rows, [False] * len(labels) + [True] * 5)
    warning = "" if experiment.scale == paper.scale else _warning(records, paper, folders)
    return Beside(paper, warning, table)


def _row(records: Records, paper: Paper, cell: Any, figure: PaperValue) -> list[str]:
    measure = paper.measure
    places = describe(measure).decimals or 2
    found = records.summary(measure, cell)
    low, high = number(found.low, places), number(found.high, places)
    fails = records.values(measure, cell) > paper.fails_above
    return [
        FAIL if figure == FAIL else number(float(figure or 0), places),
        number(found.mean, places),
        low if low == NOT_KNOWN else f"{low} to {high}",
        f"{int(fails.sum())} of {found.n}" if found.n else NOT_KNOWN,
        str(found.n),
    ]


def _warning(records: Records, paper: Paper, folders: Iterable[Path]) -> str:
    theirs = f" The paper’s: {paper.words}." if paper.words else ""
    ours = setup(folders)
    return (
        f"Ours are at the scale “{records.experiment.scale}”, which is not the paper’s"
        f"{f': {ours}' if ours else ''}.{theirs} The numbers of the two columns are not of one "
        "thing; what may be compared is their order."
    )


def setup(folders: Iterable[Path]) -> str:
    """The data, networks and lengths of runs in words, from their configs.

    Returns:
      `data digits; networks plain20, plain56; 300 steps, 32 images a step`; empty if none
      of them has begun.
    """
    parts: list[dict[str, None]] = [{}, {}, {}]
    for folder in folders:
        try:
            config = RunFolder(folder).settings()
            words = (config["data"]["name"], config["model"]["name"], _length(config["train"]))
        except (UserError, KeyError, TypeError):  # not begun, or no training
            continue
        for part, word in zip(parts, words, strict=True):
            part[word] = None
    heads = ("data ", "networks ", "")
    told = zip(heads, parts, strict=True)
    return "; ".join(head + listed(list(part), NAMES_SHOWN) for head, part in told if part)


def _length(train: dict[str, Any]) -> str:
    length = f"{train['steps']:,} steps" if train["steps"] else f"{train['epochs']:g} epochs"
    return f"{length}, {train['batch_size']} images a step"
