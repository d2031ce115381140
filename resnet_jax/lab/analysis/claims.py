"""A claim is executable: from the runs table to a verdict with an interval.

A claim compares two cells of the grid, seed by seed, by the mean of the paired differences. Its
95% interval decides: on one side of the margin the claim is supported, on the other it is
refuted, and across it inconclusive. So a claim is never "refuted" merely
because it was not shown. Claims of one experiment are judged together, with Holm's correction.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import pandas as pd

from resnet_jax.lab import formatting, statistics
from resnet_jax.lab.analysis.verdict import Outcome, Verdict
from resnet_jax.lab.design.protocols import Cell, Claim, Label
from resnet_jax.lab.measures import describe
from resnet_jax.lab.results.records import of_cell

FEWEST_PAIRS = 3  # two differences give an interval of 12.7 standard errors: no answer to rely on


@dataclass(frozen=True)
class _Comparison:
    """A claim on how one cell compares with another.

    Attributes:
      text: the claim, as a sentence.
      measure: the final measure compared; lower is better.
      cell: the cell that the claim is about, a value for each axis.
      than: the cell that it is compared with.
      margin: the difference that matters, in the measure's unit of difference.
      published: what theory or a paper says of it, to stand beside what is found here.
    """

    text: str
    measure: str
    cell: Cell
    than: Cell
    margin: float = 0.0
    published: str = ""

    above: ClassVar[Outcome]  # what a difference above the margin makes of the claim
    within: ClassVar[Outcome]  # and one that is not

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The two cells."""
        return self.cell, self.than

    def __call__(self, runs: pd.DataFrame, label: Label = str) -> Verdict:
        """Judges the claim by the paired differences `cell` - `than` of the runs table."""
        pair = [of_cell(runs, each) for each in self.cells]
        values = [dict(zip(each["seed"], each[self.measure], strict=True)) for each in pair]
        difference = statistics.paired_difference(*values)
        return Verdict(
            text=self.text,
            outcome=self._outcome(difference),
            measure=self.measure,
            estimate=difference.mean,
            low=difference.low,
            high=difference.high,
            n=difference.n,
            rule=self._rule(label),
            notes=tuple(self._notes(pd.concat(pair), difference)),
            p=statistics.p_value(difference, self.margin),
            published=self.published,
        )

    def _outcome(self, difference: statistics.Summary) -> Outcome:
        if difference.n >= FEWEST_PAIRS and difference.low > self.margin:
            return self.above
        if difference.n >= FEWEST_PAIRS and difference.high <= self.margin:
            return self.within
        return "inconclusive"

    def _rule(self, label: Label) -> str:
        margin = formatting.difference(self.margin, self.measure)
        sides = {self.above: f"above {margin}", self.within: f"at or below {margin}"}
        difference = _difference(self.cell, self.than, label)
        return (
            f"{describe(self.measure).words}, {difference}, paired by seed: "
            f"supported if its 95% interval lies {sides['supported']}, "
            f"refuted if it lies {sides['refuted']}"
        )

    def _notes(self, runs: pd.DataFrame, difference: statistics.Summary) -> Iterator[str]:
        lacking = runs["seed"].nunique() - difference.n
        if lacking:
            yield f"{lacking} of {formatting.count(lacking + difference.n, 'pair')} incomplete"
        diverged = runs[runs["status"] == "diverged"]
        if len(diverged):
            value = formatting.with_unit(diverged[self.measure].iloc[0], self.measure)
            yield f"{formatting.count(len(diverged), 'run')} diverged, counted as {value}"
        if difference.n >= FEWEST_PAIRS and difference.std == 0:
            yield "all pairs differ alike, so the interval has no width; other seeds may vary"


@dataclass(frozen=True)
class Greater(_Comparison):
    """`cell` is worse than `than` by more than the margin.

    Example:
      >>> claim = Greater("56 layers train worse than 20", "train_error",
      ...               cell={"depth": 56}, than={"depth": 20}, margin=1.0)
      >>> runs = pd.DataFrame({"depth": [20, 20, 20, 56, 56, 56], "seed": [0, 1, 2, 0, 1, 2],
      ...                      "status": "done", "train_error": [1, 2, 3, 21, 23, 22]})
      >>> claim(runs).outcome
      'supported'
    """

    above = "supported"
    within = "refuted"


@dataclass(frozen=True)
class NotGreater(_Comparison):
    """`cell` is no worse than `than`, or worse by no more than the margin.

    To support it takes an interval that ends below the margin: that no difference was found is
    not enough.
    """

    above = "refuted"
    within = "supported"


Worse, NotWorse = Greater, NotGreater  # their names in experiments of before


@dataclass(frozen=True)
class Within:
    """The mean of a measure in one cell lies in a range, such as that about a theory's value.

    Attributes:
      text: the claim, as a sentence.
      measure: the measure.
      cell: a value for each axis.
      low: the lower end of the range, in the measure's unit.
      high: the upper end.
      published: what theory or a paper says of it, to stand beside what is found here.
    """

    text: str
    measure: str
    cell: Cell
    low: float = -math.inf
    high: float = math.inf
    published: str = ""

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The one cell."""
        return (self.cell,)

    def __call__(self, runs: pd.DataFrame, label: Label = str) -> Verdict:
        """Supported if the whole interval of the mean is in the range, refuted if none of it is."""
        mean = statistics.summarize(of_cell(runs, self.cell)[self.measure])
        nearest = min((self.low, self.high), key=lambda end: abs(end - mean.mean))
        return Verdict(
            text=self.text,
            outcome=self._outcome(mean),
            measure=self.measure,
            estimate=mean.mean,
            low=mean.low,
            high=mean.high,
            n=mean.n,
            rule=self._rule(label),
            p=statistics.p_value(mean, nearest),
            counted="run",
            published=self.published,
        )

    def _rule(self, label: Label) -> str:
        where = _words(self.cell, list(self.cell), label)
        return (
            f"mean {describe(self.measure).words} of {where}: supported if its 95% interval lies "
            f"{self._range()}, refuted if it lies outside"
        )

    def _range(self) -> str:
        low, high = (formatting.with_unit(end, self.measure) for end in (self.low, self.high))
        if math.isinf(self.high):
            return f"at or above {low}"
        return f"at or below {high}" if math.isinf(self.low) else f"from {low} to {high}"

    def _outcome(self, mean: statistics.Summary) -> Outcome:
        if mean.n < FEWEST_PAIRS:
            return "inconclusive"
        if self.low <= mean.low and mean.high <= self.high:
            return "supported"
        return "refuted" if mean.high < self.low or mean.low > self.high else "inconclusive"


def judge(claims: Sequence[Claim], runs: pd.DataFrame, label: Label = str) -> list[Verdict]:
    """Judges the claims of an experiment together, so that their number is accounted for.

    A claim that its interval alone would decide stays open if its p-value, with Holm's correction
    for all the claims, is not below 5%.

    Args:
      claims: all the claims of one experiment.
      runs: the runs table (see `records.Records`).
      label: what to call an axis or a value of one.

    Returns:
      The verdicts, in the claims' order.
    """
    verdicts = [claim(runs, label) for claim in claims]
    adjusted = statistics.holm(dict(enumerate(verdict.p for verdict in verdicts)))
    return [_corrected(verdict, adjusted[at], len(claims)) for at, verdict in enumerate(verdicts)]


def _corrected(verdict: Verdict, p: float, claims: int) -> Verdict:
    if verdict.outcome == "inconclusive" or p < 1 - statistics.CONFIDENCE:
        return verdict
    note = f"{verdict.outcome} by itself, but not with Holm's correction for {claims} claims"
    return replace(verdict, outcome="inconclusive", notes=(*verdict.notes, note))


def _difference(cell: Cell, than: Cell, label: Label) -> str:
    """`depth 56 minus 20 (plain)`: what the cells share stands in brackets."""
    alike = [axis for axis in cell if than[axis] == cell[axis]]
    unlike = [axis for axis in cell if axis not in alike]
    a = _words(cell, unlike, label)
    b = label(than[unlike[0]]) if len(unlike) == 1 else _words(than, unlike, label)
    return f"{a} minus {b}" + (f" ({_words(cell, alike, label)})" if alike else "")


def _words(cell: Cell, axes: list[str], label: Label) -> str:
    # A name says of itself which axis it is of; a number does not.
    return ", ".join(
        label(cell[axis]) if isinstance(cell[axis], str) else f"{label(axis)} {label(cell[axis])}"
        for axis in axes
    )
