"""The scaling laws of an experiment as a part of its report."""

from collections.abc import Sequence
from dataclasses import dataclass

from resnet_jax.lab.analysis import scaling
from resnet_jax.lab.analysis.scaling import Fit, Scaling
from resnet_jax.lab.analysis.tables import Readable
from resnet_jax.lab.design.experiment import Experiment
from resnet_jax.lab.formatting import count, number
from resnet_jax.lab.measures import describe
from resnet_jax.lab.results.records import Records

R2_DECIMALS = 3


@dataclass(frozen=True)
class ScalingSection:
    """The part of a report on scaling laws.

    Attributes:
      table: one row for each fit.
      notes: what the columns are, and what has no fit, in sentences.
    """

    table: Readable
    notes: list[str]


def scaling_section(records: Records) -> ScalingSection | None:
    """Tabulates the fits of an experiment's measures along its numeric axes.

    Args:
      records: the experiment's records.

    Returns:
      The section; None without a numeric axis of three values, and where nothing has a fit.
    """
    found = scaling.fits(records)
    fitted = [each for each in found if each.scaling]
    if not fitted:
        return None
    others = [each for each in found if not each.scaling]
    experiment = records.experiment
    return ScalingSection(_table(fitted, experiment), _notes(fitted, others, experiment))


def _table(fitted: Sequence[Fit], experiment: Experiment) -> Readable:
    lines = [axis for axis in experiment.axes if any(axis in each.cell for each in fitted)]
    several = ["x"] if len({each.axis for each in fitted}) > 1 else []
    head = ["measure", *several, *(experiment.label(axis) for axis in lines)]
    names = len(head)
    head += ["seeds", "power law: b (95% interval)", "R²"]
    head += ["exponential: b (95% interval)", "R²", "fits better"]
    rows = [
        [
            describe(each.measure).words,
            *(experiment.label(each.axis) for _ in several),
            *(experiment.label(each.cell[axis]) if axis in each.cell else "x" for axis in lines),
            str(each.seeds),
            *_laws(each.scaling),
            each.scaling.better or "cannot tell",
        ]
        for each in fitted
        if each.scaling
    ]
    return Readable(head, rows, [False] * names + [True] * 5 + [False])


def _laws(fitted: Scaling) -> list[str]:
    laws = (fitted.laws["power law"], fitted.laws["exponential"])
    return [words for law in laws for words in (law.told, number(law.r2, R2_DECIMALS))]


def _notes(fitted: Sequence[Fit], others: Sequence[Fit], experiment: Experiment) -> list[str]:
    axes = " or ".join(experiment.label(axis) for axis in {each.axis: None for each in fitted})
    notes = [
        f"Power law: y = a x^b. Exponential: y = a exp(b x). x is {axes}, y the measure. Each seed "
        "gives a least-squares fit to the logarithms of its runs; intervals are Student’s t over "
        "seeds, R² is that of the mean logarithms. A law fits better if the difference of the two "
        "laws’ residuals exceeds the spread of the seeds (t test at 5%). There is no correction "
        "for the number of fits."
    ]
    logarithms = {each.measure: None for each in fitted if scaling.is_logarithm(each.measure)}
    if logarithms:
        names = "; ".join(describe(measure).words for measure in logarithms)
        notes.append(f"Measured as log10, and y is 10 to that power: {names}.")
    if left := sum(each.others for each in fitted):
        notes.append(f"Not fitted: {count(left, 'value')} of seeds without a run at another x.")
    if diverged := sum(each.diverged for each in fitted):
        notes.append(f"Diverged runs count with their declared values ({diverged} in these fits).")
    reasons: dict[str, list[str]] = {}
    for each in others:
        reasons.setdefault(each.reason, []).append(_name(each, experiment))
    if reasons:
        words = [f"{'; '.join(names)} ({reason})" for reason, names in reasons.items()]
        notes.append(f"No fit: {'; '.join(words)}.")
    return notes


def _name(each: Fit, experiment: Experiment) -> str:
    words = [describe(each.measure).words]
    for axis, value in each.cell.items():
        label = experiment.label(value)
        words.append(label if isinstance(value, str) else f"{experiment.label(axis)} {label}")
    return ", ".join(words)
