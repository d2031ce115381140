"""Claims: statements about cells of the grid, judged from the runs table.

A comparison uses the mean difference between two cells, paired by seed. If the 95% interval of that
mean lies on one side of the margin, the claim is supported or refuted; if it covers the margin, the
claim is inconclusive. Absence of evidence is therefore never taken as refutation. All claims of an
experiment are judged together, with Holm's correction for their number.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import pandas as pd

from resnet_jax.lab import statistics
from resnet_jax.lab.design.protocols import Cell, Claim, Label
from resnet_jax.lab.formatting import count, estimate, with_unit
from resnet_jax.lab.formatting import difference as with_unit_of_difference
from resnet_jax.lab.measures import describe
from resnet_jax.lab.results.records import of_cell, values_by_seed
from resnet_jax.lab.statistics import Summary

__all__ = ["Claim", "Greater", "NotGreater", "NotWorse", "Verdict", "Within", "Worse", "judge"]

FEWEST_PAIRS = 3  # the interval of two differences is 12.7 standard errors wide to each side

Outcome = Literal["supported", "refuted", "inconclusive"]


@dataclass(frozen=True)
class Verdict:
    """The judgement of a claim.

    Attributes:
      text: the claim.
      outcome: supported, refuted or inconclusive.
      measure: the measure that the claim is about.
      estimate: mean paired difference, in the measure's unit of difference; for a claim about a
        single cell, its mean, in the measure's unit.
      low: lower end of the 95% interval of the estimate.
      high: upper end.
      n: number of pairs or of runs.
      rule: the decision rule, in words.
      notes: caveats: diverged runs, incomplete pairs, corrections.
      p: two-sided p-value at the margin, before correction; NaN with fewer than two values.
      counted: what n counts: "pair" or "run".
      published: what theory or the paper reports.
    """

    text: str
    outcome: Outcome
    measure: str
    estimate: float
    low: float
    high: float
    n: int
    rule: str
    notes: tuple[str, ...] = ()
    p: float = math.nan
    counted: str = "pair"
    published: str = ""

    @property
    def numbers(self) -> str:
        """The estimate, its interval and the sample size: `+41 ... (95% interval ..., 4 pairs)`."""
        return self._estimate(count(self.n, self.counted))

    @property
    def without_n(self) -> str:
        """The estimate and its interval, for tables with a column for n."""
        return self._estimate("")

    def _estimate(self, of: str) -> str:
        paired, measure = self.counted == "pair", describe(self.measure)
        if not self.n:
            return "no complete pair of runs yet" if paired else "no finished run yet"
        unit = measure.unit_of_difference if paired else measure.unit
        return estimate(self.estimate, self.low, self.high, unit, of, sign=paired)


@dataclass(frozen=True)
class _Comparison:
    """Compares two cells by their differences, paired by seed.

    Attributes:
      text: the claim, as a sentence.
      measure: the final measure to compare.
      cell: the cell that the claim is about, one value for each axis.
      than: the cell that it is compared with.
      margin: smallest difference that matters, in the measure's unit of difference.
      published: what theory or the paper reports, shown beside the estimate.
    """

    text: str
    measure: str
    cell: Cell
    than: Cell
    margin: float = 0.0
    published: str = ""

    above: ClassVar[Outcome]  # outcome if the difference exceeds the margin
    within: ClassVar[Outcome]  # outcome if it does not

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The two cells."""
        return self.cell, self.than

    def __call__(self, runs: pd.DataFrame, label: Label = str) -> Verdict:
        """Judges the claim by the paired differences `cell` - `than` in the runs table."""
        pair = [of_cell(runs, each) for each in self.cells]
        values = [values_by_seed(runs, each, self.measure) for each in self.cells]
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

    def _outcome(self, difference: Summary) -> Outcome:
        if difference.n >= FEWEST_PAIRS and difference.low > self.margin:
            return self.above
        if difference.n >= FEWEST_PAIRS and difference.high <= self.margin:
            return self.within
        return "inconclusive"

    def _rule(self, label: Label) -> str:
        margin = with_unit_of_difference(self.margin, self.measure)
        sides = {self.above: f"above {margin}", self.within: f"at or below {margin}"}
        return (
            f"difference in {describe(self.measure).words}, "
            f"{_difference(self.cell, self.than, label)}, paired by seed: supported if the 95% "
            f"interval of its mean lies {sides['supported']}, refuted if it lies {sides['refuted']}"
        )

    def _notes(self, runs: pd.DataFrame, difference: Summary) -> Iterator[str]:
        incomplete = runs["seed"].nunique() - difference.n
        if incomplete:
            yield f"{incomplete} of {count(incomplete + difference.n, 'pair')} incomplete"
        diverged = runs[runs["status"] == "diverged"]
        if len(diverged):
            value = with_unit(diverged[self.measure].iloc[0], self.measure)
            yield f"{count(len(diverged), 'run')} diverged, counted as {value}"
        if difference.n >= FEWEST_PAIRS and difference.std == 0:
            yield "all paired differences are equal, so the interval has zero width"


@dataclass(frozen=True)
class Greater(_Comparison):
    """Claims that the measure is greater in `cell` than in `than`, by more than the margin.

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
    """Claims that the measure in `cell` exceeds that in `than` by no more than the margin.

    Support requires an interval that ends at or below the margin; failing to find a difference is
    not enough.
    """

    above = "refuted"
    within = "supported"


Worse, NotWorse = Greater, NotGreater  # names used by earlier experiments


@dataclass(frozen=True)
class Within:
    """Claims that the mean of a measure in one cell lies in a range.

    Attributes:
      text: the claim, as a sentence.
      measure: the final measure.
      cell: the cell, one value for each axis.
      low: lower end of the range, in the measure's unit.
      high: upper end of the range.
      published: what theory or the paper reports, shown beside the estimate.
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
        """Judges the claim: supported if the interval lies in the range, refuted if outside."""
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

    def _outcome(self, mean: Summary) -> Outcome:
        if mean.n < FEWEST_PAIRS:
            return "inconclusive"
        if self.low <= mean.low and mean.high <= self.high:
            return "supported"
        return "refuted" if mean.high < self.low or mean.low > self.high else "inconclusive"

    def _rule(self, label: Label) -> str:
        return (
            f"mean {describe(self.measure).words} ({_words(self.cell, list(self.cell), label)}): "
            f"supported if its 95% interval lies {self._range()}, refuted if it lies outside"
        )

    def _range(self) -> str:
        low, high = (with_unit(end, self.measure) for end in (self.low, self.high))
        if math.isinf(self.high):
            return f"at or above {low}"
        return f"at or below {high}" if math.isinf(self.low) else f"between {low} and {high}"


def worth_more_seeds(verdict: Verdict, looks: Sequence[int]) -> bool:
    """Whether a claim is open and may still be decided by the last look."""
    return verdict.outcome == "inconclusive"


def judge(
    claims: Sequence[Claim], runs: pd.DataFrame, label: Label = str, looks: Sequence[int] = ()
) -> list[Verdict]:
    """Judges the claims of an experiment together.

    A claim that its interval decides becomes inconclusive if its p-value, after Holm's correction
    for the number of claims, is not below 5%.

    Args:
      claims: all claims of one experiment.
      runs: the runs table (`Records.runs`).
      label: returns the words to show for an axis or for a value of one.
      looks: the numbers of seeds at which claims are judged; empty for all seeds at once.

    Returns:
      The verdicts, in the order of the claims.
    """
    verdicts = [claim(runs, label) for claim in claims]
    adjusted = statistics.holm(dict(enumerate(verdict.p for verdict in verdicts)))
    return [_corrected(verdict, adjusted[at], len(claims)) for at, verdict in enumerate(verdicts)]


def _corrected(verdict: Verdict, p: float, claims: int) -> Verdict:
    if verdict.outcome == "inconclusive" or p < 1 - statistics.CONFIDENCE:
        return verdict
    note = f"{verdict.outcome} without, but not with, Holm's correction for {claims} claims"
    return replace(verdict, outcome="inconclusive", notes=(*verdict.notes, note))


def _difference(cell: Cell, than: Cell, label: Label) -> str:
    """`depth 56 minus 20 (plain)`, with what the cells share in parentheses."""
    shared = [axis for axis in cell if than[axis] == cell[axis]]
    differing = [axis for axis in cell if axis not in shared]
    a = _words(cell, differing, label)
    b = label(than[differing[0]]) if len(differing) == 1 else _words(than, differing, label)
    return f"{a} minus {b}" + (f" ({_words(cell, shared, label)})" if shared else "")


def _words(cell: Cell, axes: list[str], label: Label) -> str:
    # A value that is a name needs no axis beside it; a number does.
    return ", ".join(
        label(cell[axis]) if isinstance(cell[axis], str) else f"{label(axis)} {label(cell[axis])}"
        for axis in axes
    )
