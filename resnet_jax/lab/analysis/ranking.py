"""Ranks the values of an axis by their effect on a measure, against a baseline value."""

from collections.abc import Sequence
from dataclasses import dataclass

from resnet_jax.lab import inference
from resnet_jax.lab.design.protocols import AxisValue, Cell
from resnet_jax.lab.formatting import number
from resnet_jax.lab.measures import describe
from resnet_jax.lab.results.records import Records, examples, of_cell, values_by_seed
from resnet_jax.lab.statistics import Summary


@dataclass(frozen=True)
class Effect:
    """The effect of one value of an axis.

    Attributes:
      value: the value.
      mean: mean of the measure with it, in the measure's unit.
      difference: the measure with it minus the measure with the baseline, paired by seed.
    """

    value: AxisValue
    mean: float
    difference: Summary


def rank(
    records: Records, axis: str, than: AxisValue, measure: str, where: Cell | None = None
) -> list[Effect]:
    """Ranks the values of an axis that the grid contains.

    Args:
      records: the experiment's records.
      axis: the axis.
      than: the baseline value.
      measure: the measure; lower is better.
      where: values of the other axes.

    Returns:
      An effect for each value but the baseline, from the largest decrease to the largest increase;
      values without a complete pair come last.
    """

    def cell(value: AxisValue) -> Cell:
        return {**(where or {}), axis: value}

    def by_seed(value: AxisValue) -> dict[int, float]:
        return values_by_seed(records.runs, cell(value), measure)

    baseline, described = by_seed(than), describe(measure)
    of_examples = examples(of_cell(records.runs, where or {}), described)
    effects = [
        Effect(
            value,
            records.summary(measure, cell(value)).mean,
            inference.difference(values, baseline, described, of_examples).summary,
        )
        for value in records.experiment.axes[axis]
        if value != than and (values := by_seed(value))
    ]
    return sorted(effects, key=lambda each: (each.difference.n == 0, each.difference.mean))


def sentences(effects: Sequence[Effect], measure: str, label: str) -> list[str]:
    """Lists the effects by what their 95% intervals decide.

    The intervals are not corrected for the number of comparisons, and the sentences say so.

    Args:
      effects: as returned by `rank`.
      measure: the measure; lower is better.
      label: the baseline network in words, such as "the plain network".
    """

    def with_means(chosen: Sequence[Effect]) -> list[str]:
        return [f"{each.value} ({number(each.difference.mean, 1, sign=True)})" for each in chosen]

    unit = describe(measure).unit_of_difference
    paired = [each for each in effects if each.difference.n > 1]
    better = [each for each in paired if each.difference.high < 0]
    worse = [each for each in paired if each.difference.low > 0]
    undecided = [str(each.value) for each in paired if each not in (*better, *worse)]
    too_few = [str(each.value) for each in effects if each not in paired]
    groups = {
        f"Better for {label}, in {unit}": with_means(better),
        f"Worse for {label}, in {unit}": with_means(worse[::-1]),
        f"Undecided for {label}": undecided,
        f"Too few runs for {label}": too_few,
    }
    caveat = f"by 95% intervals, not corrected for {len(effects)} comparisons"
    return [f"{head} ({caveat}): {', '.join(values)}." for head, values in groups.items() if values]
