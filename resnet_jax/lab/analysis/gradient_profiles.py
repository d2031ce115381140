"""Gradient norms along depth: profiles of runs, derived measures, and findings in sentences."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from resnet_jax.lab.analysis import growth
from resnet_jax.lab.design.protocols import AxisValue, Cell
from resnet_jax.lab.formatting import count, number
from resnet_jax.lab.results.records import Records, of_cell, with_values
from resnet_jax.lab.statistics import Summary

FITS_WELL = 0.9  # R^2 below which a law does not describe a profile
NO_CHANGE = 2.0  # factor up to which a ratio of first to last norm counts as no change

Derive = Callable[[pd.DataFrame], float]

COLUMNS = ["site", "stage", "unit", "depth", "value"]


def profile(
    metrics: pd.DataFrame, step: int = 0, of: str = "unit", quantity: str = "gradient_norm"
) -> pd.DataFrame:
    """Returns what a run recorded along its depth at one step.

    Args:
      metrics: the records of one run.
      step: number of updates before the record.
      of: kind of site: "unit", "activation" or "parameter". In a network without units, its kernels
        take their place.
      quantity: one of `probes.QUANTITIES`.

    Returns:
      One row for each site in network order: `site`, `stage`, `unit`, `depth`, `value`.
    """
    if "of" not in metrics:
        return pd.DataFrame(columns=COLUMNS)
    probed = metrics[(metrics["kind"] == "probe") & (metrics["step"] == step)]
    rows = probed[probed["of"] == of]
    if of == "unit" and rows.empty:
        rows = probed[probed["site"].str.endswith("kernel")]
    return rows.rename(columns={quantity: "value"})[COLUMNS]


def first_to_last(step: int = 0, quantity: str = "gradient_norm") -> Derive:
    """Returns a derived measure: the first unit's norm over the last unit's.

    Args:
      step: number of updates before the record.
      quantity: one of `probes.QUANTITIES`.
    """

    def derive(metrics: pd.DataFrame) -> float:
        return growth.first_to_last(profile(metrics, step, quantity=quantity)["value"].to_numpy())

    return derive


def decades(step: int = 0, quantity: str = "gradient_norm") -> Derive:
    """Returns a derived measure: log10 of `first_to_last`, so that 0 means no change.

    It is minus infinity if the first norm is zero, infinity if the last one is, NaN if both are.

    Args:
      step: number of updates before the record.
      quantity: one of `probes.QUANTITIES`.
    """
    ratio = first_to_last(step, quantity)

    def derive(metrics: pd.DataFrame) -> float:
        with np.errstate(divide="ignore"):
            return float(np.log10(ratio(metrics)))

    return derive


def sentence(network: str, ratio: Summary, undefined: int = 0) -> str:
    """Says how the gradient norm changes from the last unit to the first.

    Args:
      network: the network in words, such as "the plain network of 56 layers".
      ratio: first norm over last norm, over seeds (see `growth.geometric`).
      undefined: number of further runs in which this ratio is zero or not finite.
    """
    runs = count(undefined, "run")
    if not ratio.n:
        state = f"a ratio of zero or not finite in {runs}" if undefined else "no finished run yet"
        return f"{network}: {state}."
    mean, low, high = map(_three_digits, (ratio.mean, ratio.low, ratio.high))
    if ratio.n == 1:
        interval = "; a single seed gives no interval."
    else:
        interval = f" (95% interval {low} to {high}, {ratio.n} seeds): {_trend(ratio)}."
    excluded = f" Excluded: {runs} with a ratio of zero or not finite." if undefined else ""
    return (
        f"In {network}, the weight gradient of the first unit is {mean} times that of the last "
        f"unit{interval}{excluded}"
    )


def _three_digits(value: float) -> str:
    return f"{float(f'{value:.3g}'):,.0f}" if 1000 <= value < 1e6 else f"{value:.3g}"


def _trend(ratio: Summary) -> str:
    if ratio.low > NO_CHANGE:
        verb = "explodes" if ratio.low > NO_CHANGE**3 else "grows"
        return f"the gradient {verb} towards the input"
    if ratio.high < 1 / NO_CHANGE:
        return "the gradient vanishes towards the input"
    if ratio.low > 1 / NO_CHANGE and ratio.high < NO_CHANGE:
        return "the gradient neither vanishes nor explodes"
    return f"it is inconclusive whether the change exceeds a factor of {NO_CHANGE:g}"


def growth_in(records: Records, cell: Cell, step: int = 0) -> growth.GrowthOverSeeds:
    """Fits the growth of the units' gradient norm along depth, in the runs of a cell.

    The fit excludes what `growth.DEFAULT` excludes, so it describes the units that repeat.

    Args:
      records: the experiment's records.
      cell: one value for each axis.
      step: number of updates before the record.
    """
    runs = with_values(of_cell(records.runs, cell))
    profiles = {
        seed: profile(records.metrics[records.metrics["run"] == run], step)
        for run, seed in zip(runs["run"], runs["seed"], strict=True)
    }
    found = {seed: table for seed, table in profiles.items() if len(table)}
    if not found:
        return growth.fit_seeds({})
    first: Any = next(iter(found.values()))
    kept = growth.kept(*(first[column].astype(int).tolist() for column in ("stage", "unit")))
    return growth.fit_seeds(
        {seed: table["value"].to_numpy() for seed, table in found.items()}, kept
    )


def growth_sentence(found: growth.GrowthOverSeeds) -> str:
    """Gives both growth laws in words and compares their fits; empty if too few units remain."""
    if not found.rate.n:
        return ""
    units = int(next(iter(found.by_seed.values())).used.sum())
    # The index rises towards the output, the gradient towards the input.
    rate, low, high = (1 / rate for rate in (found.rate.mean, found.rate.high, found.rate.low))
    better = {
        "exponential": "the exponential fits better",
        "power law": "the power law fits better",
        "cannot tell": "which of them fits better is inconclusive",
    }[found.better]
    if max(found.exponential_r2.mean, found.power_r2.mean) < FITS_WELL:
        better = f"neither law fits well; of the two, {better}"
    return (
        f"Over the {count(units, 'repeated unit')}, the squared norm grows by a factor of "
        f"{rate:.3g} per unit towards the input (95% interval {low:.3g} to {high:.3g}; the norm by "
        f"{rate**0.5:.3g}; R² {number(found.exponential_r2.mean, 2)}), or as a power law of the "
        f"unit index with exponent {number(found.exponent.mean, 2)} "
        f"(R² {number(found.power_r2.mean, 2)}); {better}."
    )


def along(records: Records, axis: str, measure: str, step: int) -> list[str]:
    """Returns a finding for each value of an axis.

    Args:
      records: the experiment's records.
      axis: the axis.
      measure: the measure of the first unit's norm over the last unit's, in decades.
      step: number of updates before the record.
    """
    return [
        _finding(records, cell, records.experiment.label(value), measure, step)[0]
        for value, cell in records.experiment.along(axis)
    ]


def in_words(family: str, depth: str, deepest: AxisValue) -> Callable[[Records], list[str]]:
    """Returns the `findings` of an experiment: a finding for each family of networks at one depth.

    The experiment needs the measure `decades` (see the function).

    Args:
      family: the axis of families.
      depth: the axis of depths.
      deepest: the depth to report.
    """

    def findings(records: Records) -> list[str]:
        sentences = []
        for value, held in records.experiment.along(family):
            network = f"the {records.experiment.label(value)} network of {deepest} layers"
            text, ratio = _finding(records, {**held, depth: deepest}, network, "decades", step=0)
            sentences.append(text)
            if value == "plain" and ratio.low > NO_CHANGE:
                sentences.append(
                    "Many tutorials say that gradients vanish in deep plain networks. At "
                    "initialization they do the opposite here."
                )
        return sentences

    return findings


def _finding(
    records: Records, cell: Cell, network: str, measure: str, step: int
) -> tuple[str, Summary]:
    """The sentences about a cell, and the ratio of first to last norm over its seeds."""
    runs = with_values(of_cell(records.runs, cell))
    done = runs[runs["status"] == "done"][measure].astype(float)
    ratio = growth.geometric(10 ** runs[measure])
    text = sentence(network, ratio, undefined=int((~np.isfinite(done)).sum()))
    return f"{text} {growth_sentence(growth_in(records, cell, step))}".strip(), ratio
