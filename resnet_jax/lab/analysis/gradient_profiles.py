"""Do gradients vanish? The answer in words, from what the runs recorded along their depth."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from resnet_jax.lab.analysis import growth, selection
from resnet_jax.lab.design.protocols import AxisValue, Cell
from resnet_jax.lab.formatting import count, number
from resnet_jax.lab.results.records import Records, of_cell, with_values
from resnet_jax.lab.statistics import Summary

FITS_WELL = 0.9  # R^2 below which a law does not describe a profile
MUCH = 2.0  # a gradient that is this many times larger or smaller at one end counts as such


def profile(
    metrics: pd.DataFrame, step: int = 0, of: str = "unit", quantity: str = "gradient_norm"
) -> pd.DataFrame:
    """What a run measured along its depth at one step.

    Args:
      metrics: the records of one run.
      step: updates made before it.
      of: kind of site: `unit`, `activation` or `parameter`. In a network without units, its
        kernels stand for them.
      quantity: one of `probes.QUANTITIES`.

    Returns:
      One row for each site in network order: `site`, `stage`, `unit`, `depth`, `value`.
    """
    if "of" not in metrics:
        return pd.DataFrame(columns=["site", "stage", "unit", "depth", "value"])
    probed = metrics[(metrics["kind"] == "probe") & (metrics["step"] == step)]
    rows = probed[probed["of"] == of]
    if of == "unit" and rows.empty:
        rows = probed[probed["site"].str.endswith("kernel")]
    columns = {quantity: "value"}
    return rows.rename(columns=columns)[["site", "stage", "unit", "depth", "value"]]


def sentence(network: str, ratio: Summary, left_out: int = 0) -> str:
    """What became of the gradient between the last unit and the first, in words.

    Args:
      network: what to call it.
      ratio: first norm over last, over seeds, with its 95% interval (see `growth.geometric`).
      left_out: further runs, of which the ratio is zero or not finite.
    """
    if left_out:
        runs = count(left_out, "run")
        lost = f"in {runs} of {network} a norm is zero or not finite, which leaves no ratio"
        return f"{sentence(network, ratio)} Left out: {lost}." if ratio.n else f"No answer: {lost}."
    if not ratio.n:
        return f"{network}: no run has ended."
    mean, low, high = map(_three_digits, (ratio.mean, ratio.low, ratio.high))
    told = f"the first unit's weight gradient is {mean} times the last unit's"
    if ratio.n == 1:
        return f"In {network} {told}; one seed says nothing of how this varies."
    interval = f"95% interval {low} to {high}, {ratio.n} seeds"
    return f"In {network} {told} ({interval}): {_word(ratio)}."


def _three_digits(value: float) -> str:
    return f"{float(f'{value:.3g}'):,.0f}" if 1000 <= value < 1e6 else f"{value:.3g}"


def _word(ratio: Summary) -> str:
    if ratio.low > MUCH:
        return "it explodes towards the input" if ratio.low > MUCH**3 else "it grows to the input"
    if ratio.high < 1 / MUCH:
        return "it vanishes towards the input"
    if ratio.low > 1 / MUCH and ratio.high < MUCH:
        return "it neither vanishes nor explodes"
    return "whether that is more than a factor of two, these runs cannot tell"


def growth_in(records: Records, cell: Cell, step: int = 0) -> growth.GrowthOverSeeds:
    """How the norm of the units' gradients grows along depth, in the runs of a cell.

    Fitted to the units that `selection.DEFAULT` keeps: those of a plain or residual network that
    repeat one another.

    Args:
      records: what the runs left behind.
      cell: a value for each axis.
      step: updates made before it.
    """
    runs = with_values(of_cell(records.runs, cell))
    units = {
        seed: profile(records.metrics[records.metrics["run"] == run], step)
        for run, seed in zip(runs["run"], runs["seed"], strict=True)
    }
    found = {seed: table for seed, table in units.items() if len(table)}
    if not found:
        return growth.over_seeds({})
    first: Any = next(iter(found.values()))
    kept = selection.kept(*(first[column].astype(int).tolist() for column in ("stage", "unit")))
    return growth.over_seeds(
        {seed: table["value"].to_numpy() for seed, table in found.items()}, kept
    )


def growth_sentence(found: growth.GrowthOverSeeds) -> str:
    """Both laws of growth in words, and which of them fits; empty where too few units are left."""
    if not found.rate.n:
        return ""
    units = int(next(iter(found.by_seed.values())).used.sum())
    # The index rises towards the output, the gradient towards the input.
    rate, low, high = (1 / rate for rate in (found.rate.mean, found.rate.high, found.rate.low))
    which = {
        "exponential": "the exponential fits better",
        "power law": "the power law fits better",
        "cannot tell": "which fits better, these runs cannot tell",
    }[found.better]
    if max(found.exponential_r2.mean, found.power_r2.mean) < FITS_WELL:
        which = f"neither fits well, {which}"
    return (
        f"Over its {count(units, 'unit')} that repeat one another, the squared norm grows by a "
        f"factor of {rate:.3g} ({low:.3g} to {high:.3g}; the norm by {rate**0.5:.3g}) for each "
        "unit towards the input (R² "
        f"{number(found.exponential_r2.mean, 2)}), or as the power "
        f"{number(found.exponent.mean, 2)} of the unit's number (R² "
        f"{number(found.power_r2.mean, 2)}); {which}."
    )


def along(records: Records, axis: str, measure: str, step: int) -> list[str]:
    """A sentence for each value of an axis.

    Args:
      records: what the runs left behind.
      axis: the axis.
      measure: the first unit's norm over the last unit's, in decades.
      step: updates made before it.
    """
    sentences = []
    for value, cell in records.experiment.along(axis):
        told = sentence(records.experiment.label(value), *_ratio(records, cell, measure))
        sentences.append(f"{told} {growth_sentence(growth_in(records, cell, step))}".strip())
    return sentences


def _ratio(records: Records, cell: Cell, measure: str) -> tuple[Summary, int]:
    """The ratio over a cell's seeds, of its decades, and how many runs that are done have none."""
    runs = with_values(of_cell(records.runs, cell))
    done = runs[runs["status"] == "done"][measure].astype(float)
    return growth.geometric(10 ** runs[measure]), int((~np.isfinite(done)).sum())


def in_words(family: str, depth: str, deepest: AxisValue) -> Callable[[Records], list[str]]:
    """Findings: a sentence on each family of networks at one depth, from the measure `decades`.

    Args:
      family: the axis of families.
      depth: the axis of depths.
      deepest: the depth to speak of.
    """

    def findings(records: Records) -> list[str]:
        label, sentences = records.experiment.label, []
        for value, held in records.experiment.along(family):
            cell = {**held, depth: deepest}
            ratio, left_out = _ratio(records, cell, "decades")
            told = sentence(f"the {label(value)} network of {deepest} layers", ratio, left_out)
            sentences.append(f"{told} {growth_sentence(growth_in(records, cell))}".strip())
            if value == "plain" and ratio.low > MUCH:
                sentences.append(
                    "Many tutorials say that the gradient vanishes in a deep plain network. Before "
                    "the first step it does the opposite here."
                )
        return sentences

    return findings
