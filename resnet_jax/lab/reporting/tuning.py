"""What tuning chose in each cell, and the verdicts that it changed."""

from collections.abc import Sequence
from dataclasses import dataclass

from resnet_jax.lab.analysis.claims import Verdict
from resnet_jax.lab.analysis.tables import Readable
from resnet_jax.lab.design import ranges
from resnet_jax.lab.design.experiment import Experiment
from resnet_jax.lab.formatting import NOT_KNOWN, count, number
from resnet_jax.lab.results.tuning import TunedCell

PLACES = 1  # decimals of a validation error in percent


@dataclass(frozen=True)
class TuningSection:
    """The part of a report on tuning.

    Attributes:
      table: one row for each cell: the mean validation error of each combination of nuisance
        settings, and the one that was chosen.
      notes: sentences: what the table shows, what was at an edge of its range.
      verdicts: one row for each claim, without and with tuning; None without results to compare.
      flips: sentences: the share of verdicts that differ.
    """

    table: Readable
    notes: list[str]
    verdicts: Readable | None
    flips: list[str]


def tuning_section(
    experiment: Experiment,
    cells: Sequence[TunedCell],
    verdicts: Sequence[Verdict] = (),
    untuned: Sequence[Verdict] = (),
) -> TuningSection | None:
    """Tabulates the tuning of an experiment.

    Args:
      experiment: the experiment.
      cells: what its tuning runs found (`results.tuning.read`).
      verdicts: its verdicts.
      untuned: those of the same question without tuning, compared by their claims; empty if there
        are no such results.

    Returns:
      The section; None if the experiment tunes nothing.
    """
    if not experiment.tune or not cells:
        return None
    pairs = _pairs(verdicts, untuned)
    return TuningSection(
        table=_table(experiment, cells),
        notes=_notes(experiment, cells),
        verdicts=_verdicts(pairs) if pairs else None,
        flips=_flips(pairs) if pairs else [],
    )


def _table(experiment: Experiment, cells: Sequence[TunedCell]) -> Readable:
    axes = [experiment.label(axis) for axis in experiment.axes]
    tried = ranges.labels(experiment.tune)
    rows = [
        [
            *(experiment.label(cell.axes[axis]) for axis in experiment.axes),
            *(number(each.mean, PLACES) for each in cell.candidates),
            _chosen(cell),
            ", ".join(_remarks(cell)),
        ]
        for cell in cells
    ]
    numeric = [False] * len(axes) + [True] * len(tried) + [False] * 2
    return Readable([*axes, *tried, "chosen", "remarks"], rows, numeric)


def _chosen(cell: TunedCell) -> str:
    if not (best := cell.chosen):
        return NOT_KNOWN
    values = [f"{v:g}" if isinstance(v, float) else str(v) for v in best.settings.values()]
    return ", ".join(values)


def _remarks(cell: TunedCell) -> list[str]:
    diverged = sum(each.diverged for each in cell.candidates)
    return [
        *(["at the edge"] if cell.at_edge else []),
        *([f"{count(diverged, 'run')} diverged"] if diverged else []),
        *([f"{count(cell.waiting, 'run')} to do"] if cell.waiting else []),
    ]


def _notes(experiment: Experiment, cells: Sequence[TunedCell]) -> list[str]:
    names = " and ".join(experiment.tune)
    seeds = experiment.tuning_seeds
    notes = [
        f"Under each value of {names}: the mean validation error (%) of {count(len(seeds), 'run')} "
        f"(seed {', '.join(map(str, seeds))}), trained on the training split without its last "
        "tenth and tested on that tenth. A cell's final runs have the value with the lowest mean, "
        "other seeds, the whole training split and the test split."
    ]
    if waiting := sum(cell.waiting for cell in cells):
        notes.append(f"{count(waiting, 'tuning run')} still to do; {NOT_KNOWN}: not chosen yet.")
    if edges := [cell for cell in cells if cell.at_edge]:
        listed = "; ".join(
            f"{_words(experiment, cell)}: {', '.join(cell.at_edge)}" for cell in edges
        )
        notes.append(
            f"The best was at the edge of the range in {len(edges)} of {count(len(cells), 'cell')} "
            f"({listed}): widen it, since a value beyond it may be better."
        )
    return notes


def _words(experiment: Experiment, cell: TunedCell) -> str:
    words = [
        experiment.label(value)
        if isinstance(value, str)
        else f"{experiment.label(axis)} {experiment.label(value)}"
        for axis, value in cell.axes.items()
    ]
    return ", ".join(words) or "the only cell"


Pair = tuple[Verdict, Verdict]  # of one claim: without tuning, with it


def _pairs(verdicts: Sequence[Verdict], untuned: Sequence[Verdict]) -> list[Pair]:
    before = {each.text: each for each in untuned}
    return [(before[each.text], each) for each in verdicts if each.text in before]


def _verdicts(pairs: Sequence[Pair]) -> Readable:
    rows = [
        [
            after.text,
            *(f"{each.outcome}: {each.without_n}" for each in (before, after)),
            "differs" if before.outcome != after.outcome else "",
        ]
        for before, after in pairs
    ]
    return Readable(["claim", "without tuning", "with tuning", ""], rows, [False] * 4)


def _flips(pairs: Sequence[Pair]) -> list[str]:
    """How many verdicts differ; those that were reversed apart from those that were not decided."""
    outcomes = [(before.outcome, after.outcome) for before, after in pairs]
    differ = [each for each in outcomes if each[0] != each[1]]
    opposite = [each for each in differ if "inconclusive" not in each]
    return [
        f"{len(differ)} of {count(len(pairs), 'verdict')} ({len(differ) / len(pairs):.0%}) differ, "
        f"{len(opposite)} of them from supported to refuted or back. Without tuning: the results "
        "at the experiment's own scale."
    ]
