"""Claims: statements about cells of the grid, judged from the runs table.

A comparison uses the mean difference between two cells, paired by seed. If the 95% interval of that
mean lies on one side of the margin, the claim is supported or refuted; if it covers the margin, the
claim is inconclusive. Absence of evidence is therefore never taken as refutation. All claims of an
experiment are judged together (`judge`), with corrections for their number and for several looks.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from resnet_jax.lab import inference
from resnet_jax.lab.analysis.judging import judge, seeds_needed, worth_more_seeds
from resnet_jax.lab.analysis.verdicts import FEWEST_PAIRS, Outcome, Verdict
from resnet_jax.lab.design.protocols import Cell, Claim, Label
from resnet_jax.lab.formatting import count, number, with_unit
from resnet_jax.lab.formatting import difference as with_unit_of_difference
from resnet_jax.lab.inference import Sample
from resnet_jax.lab.measures import describe
from resnet_jax.lab.results.records import examples, of_cell, values_by_seed
from resnet_jax.lab.statistics import CONFIDENCE

__all__ = [
    "Claim",
    "Greater",
    "NotGreater",
    "NotWorse",
    "Verdict",
    "Within",
    "Worse",
    "judge",
    "seeds_needed",
    "worth_more_seeds",
]

WITHOUT_VALUE = {
    "missing": "missing",
    "failed": "failed",
    "diverged": "diverged, with no value for that",
    "done": "done, with a value that is not finite",
}


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
        pair = pd.concat(of_cell(runs, each) for each in self.cells)
        a, b = (values_by_seed(runs, each, self.measure) for each in self.cells)
        measure = describe(self.measure)
        sample = inference.difference(a, b, measure, examples(pair, measure))
        above, below = sample.p_above(self.margin), sample.p_below(self.margin)
        outcome = _outcome(sample, {self.above: above, self.within: below})
        values = _differences(a, b)
        worst = min if self.above == "supported" else max
        low, high = sample.interval()
        return Verdict(
            text=self.text,
            outcome=outcome,
            measure=self.measure,
            estimate=sample.mean,
            low=low,
            high=high,
            n=sample.n,
            rule=self._rule(label),
            notes=_notes(pair, self.measure, sample, "pair"),
            p=_two_sided(sample, above, below),
            published=self.published,
            margins=(self.margin,),
            worst=worst(sample.values, default=math.nan),
            values=values,
            proves=self._proved(sample) if self.within == "supported" and sample.n else "",
            sample=sample,
        )

    def _rule(self, label: Label) -> str:
        margin = with_unit_of_difference(self.margin, self.measure)
        sides = {self.above: f"above {margin}", self.within: f"at or below {margin}"}
        return (
            f"difference in {describe(self.measure).words}, "
            f"{_difference(self.cell, self.than, label)}, paired by seed: supported if the 95% "
            f"interval of its mean lies {sides['supported']}, refuted if it lies {sides['refuted']}"
        )

    def _proved(self, sample: Sample) -> str:
        """What the seeds prove about single seeds: no mean excludes that a few fail."""
        beyond = sum(value > self.margin for value in sample.values)
        share = inference.share_at_most(beyond, sample.n)
        margin = with_unit_of_difference(self.margin, self.measure)
        largest = number(max(sample.values), 2, sign=True)
        return (
            f"above {margin} in {beyond or 'none'} of {sample.n} seeds (largest {largest}): in "
            f"fewer than {share:.0%} of all, at 95% confidence"
        )


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
        of_range = of_cell(runs, self.cell)
        by_seed = values_by_seed(runs, self.cell, self.measure)
        measure = describe(self.measure)
        sample = inference.sample(by_seed.values(), measure, examples(of_range, measure))
        inside = max(sample.p_above(self.low), sample.p_below(self.high))
        outside = min(sample.p_below(self.low), sample.p_above(self.high))
        low, high = sample.interval()
        return Verdict(
            text=self.text,
            outcome=_outcome(sample, {"supported": inside, "refuted": outside}),
            measure=self.measure,
            estimate=sample.mean,
            low=low,
            high=high,
            n=sample.n,
            rule=self._rule(label),
            notes=_notes(of_range, self.measure, sample, "run"),
            p=_two_sided(sample, inside, outside),
            counted="run",
            published=self.published,
            margins=tuple(end for end in (self.low, self.high) if math.isfinite(end)),
            worst=min(
                sample.values,
                key=lambda value: min(value - self.low, self.high - value),
                default=math.nan,
            ),
            values={seed: value for seed, value in by_seed.items() if math.isfinite(value)},
            sample=sample,
        )

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


def _outcome(sample: Sample, p_values: dict[Outcome, float]) -> Outcome:
    """The outcome whose one-sided p-value is below 2.5%."""
    level = (1 - CONFIDENCE) / 2
    decided = [outcome for outcome, p in p_values.items() if p < level]
    return decided[0] if decided and sample.n >= FEWEST_PAIRS else "inconclusive"


def _two_sided(sample: Sample, *p_values: float) -> float:
    """The two-sided p-value; 1 where there are too few values to decide anything."""
    return min(1.0, 2 * min(p_values)) if sample.n >= FEWEST_PAIRS else 1.0


def _differences(a: dict[int, float], b: dict[int, float]) -> dict[int, float]:
    found = {seed: a[seed] - b[seed] for seed in sorted(set(a) & set(b))}
    return {seed: value for seed, value in found.items() if math.isfinite(value)}


def _notes(runs: pd.DataFrame, measure: str, sample: Sample, counted: str) -> tuple[str, ...]:
    """Which runs are left out and why, how diverged ones count, and where a spread is assumed."""
    has_value = runs[measure].astype(float).map(math.isfinite)
    left_out = runs["status"][~has_value].value_counts()
    reasons = [f"{n} {WITHOUT_VALUE[str(status)]}" for status, n in left_out.items()]
    planned, notes = runs["seed"].nunique(), list[str]()
    if planned > sample.n:
        incomplete = "incomplete" if counted == "pair" else "without a value"
        why = f": {count(int(left_out.sum()), 'run')} left out ({', '.join(reasons)})"
        of = f"{planned - sample.n} of {count(planned, counted)}"
        notes.append(f"{of} {incomplete}{why if reasons else ''}")
    diverged = runs[(runs["status"] == "diverged") & has_value]
    if len(diverged):
        value = with_unit(diverged[measure].iloc[0], measure)
        notes.append(f"{count(len(diverged), 'run')} diverged, counted as {value}")
    if sample.n >= FEWEST_PAIRS and not sample.spread:
        notes.append("all values are equal: without any spread there is no interval")
    elif sample.n > 1 and sample.std < sample.floor:
        notes.append(f"standard deviation taken as one example, {sample.floor:.2g} points")
    return tuple(notes)


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
