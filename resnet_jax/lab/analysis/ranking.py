"""Which value of an axis does most to a measure, against one of them: paired by seed, in order."""

from dataclasses import dataclass

from resnet_jax.lab import statistics
from resnet_jax.lab.design.protocols import AxisValue, Cell
from resnet_jax.lab.formatting import number
from resnet_jax.lab.measures import describe
from resnet_jax.lab.results.records import Records, of_cell
from resnet_jax.lab.statistics import Summary


@dataclass(frozen=True)
class Effect:
    """What a value does to a measure.

    Attributes:
      value: the axis's value.
      mean: the measure's mean with it, in the measure's unit.
      difference: of the measure with it and with the value compared with, paired by seed.
    """

    value: AxisValue
    mean: float
    difference: Summary


def rank(
    records: Records, axis: str, than: AxisValue, measure: str, where: Cell | None = None
) -> list[Effect]:
    """The effects of an axis's other values, the largest fall first, those without runs last.

    Values that the grid leaves out are left out here too.

    Args:
      records: what the runs left behind.
      axis: whose values are ranked.
      than: the value that they are compared with.
      measure: the measure.
      where: a value for each further axis.
    """

    def runs(value: AxisValue) -> dict[int, float]:
        cell = of_cell(records.runs, {**(where or {}), axis: value})
        return dict(zip(cell["seed"], cell[measure], strict=True))

    others = [each for each in records.experiment.axes[axis] if each != than and runs(each)]

    effects = [
        Effect(
            value,
            records.summary(measure, {**(where or {}), axis: value}).mean,
            statistics.paired_difference(runs(value), runs(than)),
        )
        for value in others
    ]
    return sorted(effects, key=lambda each: (each.difference.n == 0, each.difference.mean))


def sentences(effects: list[Effect], measure: str, label: str) -> list[str]:
    """What is better, what is worse, and what these runs cannot tell, by 95% intervals.

    Each interval is taken by itself: of so many, some lie on one side of zero by chance.

    Args:
      effects: as `rank` gives them.
      measure: the measure; lower is better.
      label: what the effects are on, such as "the plain network".
    """

    def listed(chosen: list[Effect]) -> str:
        return ", ".join(
            f"{each.value} ({number(each.difference.mean, 1, sign=True)})" for each in chosen
        )

    unit = describe(measure).unit_of_difference
    known = [each for each in effects if each.difference.n > 1]
    better = [each for each in known if each.difference.high < 0]
    worse = [each for each in known if each.difference.low > 0]
    open_ = [str(each.value) for each in known if each not in (*better, *worse)]
    few = [str(each.value) for each in effects if each not in known]
    told = {
        f"Better for {label}, in {unit}": listed(better),
        f"Worse for {label}": listed(worse[::-1]),
        f"Undecided for {label}": ", ".join(open_),
        f"Too few runs for {label}": ", ".join(few),
    }
    alone = f"95% intervals by themselves, without correction for {len(effects)} comparisons"
    return [f"{head} ({alone}): {words}." for head, words in told.items() if words]
