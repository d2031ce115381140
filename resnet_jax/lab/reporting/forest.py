"""The forest plot of an experiment's claims: what is where, in percent of the plot's width.

Claims are grouped by their measure, and within it by the size of their effects: on one axis a claim
about one point would be a dot beside one about sixty. Each group has an axis of its own.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from matplotlib.ticker import MaxNLocator

from resnet_jax.lab.analysis import claims
from resnet_jax.lab.analysis.claims import Verdict
from resnet_jax.lab.design.experiment import Experiment
from resnet_jax.lab.design.paper import FAIL
from resnet_jax.lab.design.protocols import Claim
from resnet_jax.lab.formatting import capitalized, decimals, number
from resnet_jax.lab.measures import describe

ZOOM = 25.0  # effects that differ by more than this factor are not on the same axis
PAD = 0.05  # of the axis, beyond what it shows
MOST_TICKS = 6


@dataclass(frozen=True)
class Bar:
    """An interval: its ends in percent of the width, and which of them are beyond the axis."""

    low: float
    high: float
    below: bool
    above: bool


@dataclass(frozen=True)
class Mark:
    """A row of the plot; places are in percent of its width.

    Attributes:
      number: the claim's number, from 1.
      verdict: the judgement.
      at: the estimate; None without one.
      interval: the 95% interval; None without one.
      deciding: the interval that decides; None without one.
      margins: the margins that are on the axis.
      holds: the part of the axis on which the claim holds; None if it is not known.
      seeds: the value of each seed that is on the axis, and its words.
      by_seed: the values of all seeds, in words.
      worst: the one that speaks most against the claim, in words; empty without one.
      zero: where a difference is zero; None if that is not on the axis or is no difference.
      paper: the paper's value; None without one, or beyond the axis.
      paper_words: the paper's value; empty without one.
    """

    number: int
    verdict: Verdict
    at: float | None = None
    interval: Bar | None = None
    deciding: Bar | None = None
    margins: list[float] = field(default_factory=list)
    holds: Bar | None = None
    seeds: list[tuple[float, str]] = field(default_factory=list)
    by_seed: str = ""
    worst: str = ""
    zero: float | None = None
    paper: float | None = None
    paper_words: str = ""


@dataclass(frozen=True)
class Group:
    """Claims on the same axis.

    Attributes:
      title: what the axis shows, with its unit.
      marks: the rows.
      ticks: places of the axis' numbers, in percent, and the numbers.
    """

    title: str
    marks: list[Mark]
    ticks: list[tuple[float, str]]


@dataclass(frozen=True)
class _Row:
    number: int
    verdict: Verdict
    claim: Claim
    paper: float  # NaN if the paper has no number

    @property
    def paired(self) -> bool:
        return self.verdict.counted == "pair"

    @property
    def core(self) -> list[float]:
        """What the axis has to show: the estimate and the margins."""
        return _finite([self.verdict.estimate, *self.verdict.margins])

    @property
    def ends(self) -> list[float]:
        """What the axis shows unless it is far from the rest."""
        verdict = self.verdict
        return _finite([verdict.low, verdict.high, *verdict.deciding, self.paper])

    @property
    def size(self) -> float:
        """The farthest from the nearest margin that the estimate and its interval lie."""
        verdict = self.verdict
        margins = _finite(verdict.margins) or [0.0]
        ends = _finite([verdict.estimate, verdict.low, verdict.high])
        return max((min(abs(end - margin) for margin in margins) for end in ends), default=0.0)


def forest(experiment: Experiment, verdicts: Sequence[Verdict]) -> list[Group]:
    """Arranges the verdicts of an experiment.

    Args:
      experiment: gives the claims and the paper's numbers.
      verdicts: one for each of its claims, in order.

    Returns:
      The groups; the claims of each are in order, and so are the groups by their first claims.
    """
    rows = [
        _Row(number, verdict, claim, _paper_value(experiment, claim, verdict))
        for number, (claim, verdict) in enumerate(
            zip(experiment.claims, verdicts, strict=True), start=1
        )
    ]
    groups = sorted(_grouped(rows), key=lambda group: group[0].number)
    largest = {_title(group[0]): max(row.size for row in group) for group in groups[::-1]}
    return [_group(group, largest[_title(group[0])]) for group in groups]


def _grouped(rows: Sequence[_Row]) -> Iterator[list[_Row]]:
    kinds: dict[tuple[str, bool], list[_Row]] = {}
    for row in rows:
        kinds.setdefault((row.verdict.measure, row.paired), []).append(row)
    for alike in kinds.values():
        group: list[_Row] = []
        for row in sorted(alike, key=lambda row: row.size, reverse=True):
            if group and row.size and row.size * ZOOM < group[0].size:
                yield sorted(group, key=lambda row: row.number)
                group = []
            group.append(row)
        yield sorted(group, key=lambda row: row.number)


@dataclass(frozen=True)
class _Axis:
    low: float
    high: float

    def place(self, value: float) -> float:
        """Where a value is, in percent of the width."""
        return round(100 * (value - self.low) / (self.high - self.low), 2)

    def shown(self, values: Iterable[float]) -> list[float]:
        """The places of the values that are on the axis."""
        return [self.place(value) for value in values if self.low <= value <= self.high]

    def one(self, value: float) -> float | None:
        """The place of a value; None if it is not on the axis."""
        return next(iter(self.shown([value])), None)

    def bar(self, low: float, high: float) -> Bar | None:
        """The part of an interval that is on the axis."""
        if math.isnan(low) or math.isnan(high):
            return None
        first, last = (self.place(min(max(end, self.low), self.high)) for end in (low, high))
        return Bar(first, last, low < self.low, high > self.high)

    def ticks(self, sign: bool) -> list[tuple[float, str]]:
        """Places of the numbers at the axis, and the numbers."""
        steps = MaxNLocator(MOST_TICKS, steps=[1, 2, 2.5, 5, 10]).tick_values(self.low, self.high)
        places = next(d for d in range(10) if np.allclose(np.round(steps, d), steps, rtol=1e-6))
        return [
            (
                self.place(float(value)),
                number(float(value), places, sign=sign and abs(value) > 1e-9),
            )
            for value in steps
            if self.low <= value <= self.high
        ]


def _group(rows: list[_Row], first: float) -> Group:
    """Arranges the rows of a group; the first of the same title has effects of size `first`."""
    axis = _axis(rows)
    marks = [
        Mark(
            number=row.number,
            verdict=row.verdict,
            at=axis.one(row.verdict.estimate),
            interval=axis.bar(row.verdict.low, row.verdict.high),
            deciding=axis.bar(*row.verdict.deciding),
            margins=axis.shown(row.verdict.margins),
            holds=axis.bar(*holds) if (holds := _holds(row.claim)) else None,
            seeds=[
                (axis.place(value), f"seed {seed}: {words}")
                for seed, (value, words) in _by_seed(row).items()
                if axis.low <= value <= axis.high
            ],
            worst=_words(row, row.verdict.worst),
            by_seed=", ".join(f"{seed}: {words}" for seed, (_, words) in _by_seed(row).items()),
            zero=axis.one(0.0) if row.paired else None,
            paper=axis.one(row.paper),
            paper_words=_paper_words(row),
        )
        for row in rows
    ]
    size = max(row.size for row in rows)
    scale = "" if size == first else f", on a {'finer' if size < first else 'coarser'} scale"
    return Group(_title(rows[0]) + scale, marks, axis.ticks(rows[0].paired))


def _axis(rows: list[_Row]) -> _Axis:
    """Shows all estimates and margins, and of the intervals as much again to both sides."""
    core = [value for row in rows for value in row.core]
    core += [0.0] if rows[0].paired or not core else []
    ends = [end for row in rows for end in row.ends]
    reach = (max(core) - min(core)) or max((abs(end - core[0]) for end in ends), default=0.0) or 1.0
    low = max(min([*core, *ends]), min(core) - reach)
    high = min(max([*core, *ends]), max(core) + reach)
    pad = PAD * (high - low) or 1.0
    return _Axis(low - pad, high + pad)


def _holds(claim: Claim) -> tuple[float, float] | None:
    """The values with which a claim holds; None if it is not known."""
    if isinstance(claim, claims.Greater):
        return claim.margin, math.inf
    if isinstance(claim, claims.NotGreater):
        return -math.inf, claim.margin
    return (claim.low, claim.high) if isinstance(claim, claims.Within) else None


def _title(row: _Row) -> str:
    """`Difference in training error (percentage points)`, `Mean training error (%)`."""
    measure = describe(row.verdict.measure)
    what = "difference in" if row.paired else "mean"
    unit = measure.unit_of_difference if row.paired else measure.unit
    return capitalized(f"{what} {measure.words}") + (f" ({unit})" if unit else "")


def _paper_value(experiment: Experiment, claim: Claim, verdict: Verdict) -> float:
    """The paper's number for what the claim is about; NaN if it has none."""
    paper = experiment.paper
    if paper is None or paper.measure != verdict.measure or not 1 <= len(claim.cells) <= 2:
        return math.nan
    figures = [paper.figure(cell) for cell in claim.cells]
    if any(figure is None or figure == FAIL for figure in figures):
        return math.nan
    first, *others = (float(figure or 0) for figure in figures)
    return first - others[0] if others else first


def _paper_words(row: _Row) -> str:
    if math.isnan(row.paper):
        return ""
    measure = describe(row.verdict.measure)
    return number(row.paper, 2 if measure.decimals is None else measure.decimals, sign=row.paired)


def _by_seed(row: _Row) -> dict[int, tuple[float, str]]:
    return {seed: (value, _words(row, value)) for seed, value in sorted(row.verdict.values.items())}


def _words(row: _Row, value: float) -> str:
    places = decimals([row.verdict.high - row.verdict.low])
    return number(value, places, sign=row.paired) if math.isfinite(value) else ""


def _finite(values: Iterable[float]) -> list[float]:
    return [value for value in values if math.isfinite(value)]
