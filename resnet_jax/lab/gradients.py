"""Gradient norms across depths: the profile of a run, its measures, and the answer in words."""

import hashlib
import math
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
from ml_collections import ConfigDict

from resnet_jax.lab import growth, selection
from resnet_jax.lab.experiment import AxisValue, Experiment
from resnet_jax.lab.figures import Profile
from resnet_jax.lab.records import Records, of_cell, with_values
from resnet_jax.lab.statistics import Summary
from resnet_jax.lab.study import Findings, Study
from resnet_jax.training import config as configs
from resnet_jax.training import probing

MUCH = 2.0  # a gradient that is this many times larger or smaller at one end counts as such
MEASURES = ("first_to_last", "growth_rate", "gradient_norm", "loss")

Derive = Callable[[pd.DataFrame], float]


def at_start(config: ConfigDict, folder: Path) -> Findings:
    """A study: the sites of an untrained network, on the first batch (see `probing.at_start`)."""
    final, records = probing.at_start(config)
    return Findings(final, records)


AT_START = Study(at_start)


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


def first_to_last(step: int = 0, quantity: str = "gradient_norm") -> Derive:
    """A measure: the first unit's norm over the last unit's, after so many updates."""

    def derive(metrics: pd.DataFrame) -> float:
        return growth.first_to_last(profile(metrics, step, quantity=quantity)["value"].to_numpy())

    return derive


def decades(step: int = 0, quantity: str = "gradient_norm") -> Derive:
    """The same ratio as its decimal logarithm, in decades: 0 is no change, 1 ten times as much."""
    ratio = first_to_last(step, quantity)
    return lambda metrics: math.log10(ratio(metrics))


def growth_rate(step: int = 0) -> Derive:
    """A measure: the factor of the squared norm from one unit to the next, towards the input.

    Fitted to the units that `selection.DEFAULT` keeps; NaN where these are fewer than three.
    """

    def derive(metrics: pd.DataFrame) -> float:
        units = profile(metrics, step)
        stages, numbers = (units[column].astype(int).tolist() for column in ("stage", "unit"))
        kept = selection.kept(stages, numbers)
        return 1 / growth.analyse(units["value"].to_numpy(), kept).rate

    return derive


def sentence(network: str, ratio: Summary) -> str:
    """What became of the gradient between the last unit and the first, in words.

    Args:
      network: what to call it.
      ratio: first norm over last, over seeds, with its 95% interval (see `growth.geometric`).
    """
    if not ratio.n:
        return f"{network}: no run has ended."
    told = f"the first unit's weight gradient is {ratio.mean:.3g} times the last unit's"
    if ratio.n == 1:
        return f"In {network} {told}; one seed says nothing of how this varies."
    interval = f"95% interval {ratio.low:.3g} to {ratio.high:.3g}, {ratio.n} seeds"
    return f"In {network} {told} ({interval}): {_word(ratio)}."


def _word(ratio: Summary) -> str:
    if ratio.low > MUCH:
        return "it explodes towards the input" if ratio.low > MUCH**3 else "it grows to the input"
    if ratio.high < 1 / MUCH:
        return "it vanishes towards the input"
    if ratio.low > 1 / MUCH and ratio.high < MUCH:
        return "it neither vanishes nor explodes"
    return "too close to call"


def ratios(records: Records, axis: str = "network", measure: str = "first_to_last") -> list[str]:
    """A sentence for each value of an axis."""
    sentences = []
    for value, cell in records.experiment.along(axis):
        runs = with_values(of_cell(records.runs, cell))
        ratio = growth.geometric(runs[measure])
        sentences.append(sentence(records.experiment.label(value), ratio))
    return sentences


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
            runs = with_values(of_cell(records.runs, {**held, depth: deepest}))
            name = f"the {label(value)} network of {deepest} layers"
            sentences.append(sentence(name, growth.geometric(10 ** runs["decades"])))
        return sentences

    return findings


def write(
    results: Path, networks: Sequence[str], seeds: int, data: str, steps: Sequence[int]
) -> Path:
    """Writes the experiment of `compare` as a file of its own, in the folder of its results.

    Returns:
      The file, which says in full what is asked.
    """
    asked = f"{tuple(networks)!r}, seeds={seeds}, data={data!r}, steps={tuple(steps)!r}"
    words = re.sub(r"[^\w]+", "-", "-".join(networks))[:60]
    name = f"gradients-{words}-{hashlib.sha256(asked.encode()).hexdigest()[:6]}"
    file = results / name / "experiment.py"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(
        "from dataclasses import replace\n\nfrom resnet_jax.lab.gradients import compare\n\n"
        f"experiment = replace(compare({asked}), name={name!r})\n"
    )
    return file


def compare(
    networks: Sequence[str], seeds: int = 5, data: str = "digits", steps: Sequence[int] = (0,)
) -> Experiment:
    """The experiment behind `resnet-jax gradients`: networks side by side.

    Args:
      networks: names of the zoo, or `FILE.py:VARIABLE` for Linen modules of one's own.
      seeds: how many.
      data: name of a data set.
      steps: after how many updates to measure; training is by the settings of `configs.base()`
        with a learning rate of 0.01, and none is done for the start alone.

    Returns:
      The experiment, to be run by the engine.
    """
    base = configs.override(
        configs.base(),
        {
            "data.name": data,
            "optimizer.learning_rate": 0.01,
            "probe.steps": tuple(steps),
            "probe.sites": ("*",),
            "train.steps": max(steps) + 1,
            "train.batch_size": 128,
        },
    )
    trains = max(steps) > 0
    measures = {f"first_to_last_{step}": step for step in steps}

    def findings(records: Records) -> list[str]:
        told = []
        for measure, step in measures.items():
            told.append(f"After {step} updates:" if step else "At initialisation:")
            told.extend(ratios(records, "network", measure))
        return told

    return Experiment(
        question=f"Do gradients vanish in {_listed(networks)}?",
        base=base,
        study=None if trains else AT_START,
        axes={"network": tuple(networks)},
        configure=lambda network: {"model.name": network},
        labels={network: network for network in networks},
        seeds=tuple(range(seeds)),
        measures=tuple(measures),
        derive={measure: first_to_last(step) for measure, step in measures.items()},
        diverged=dict.fromkeys(measures, math.nan),
        figures=tuple(
            Profile(
                name=f"profile_{step}",
                lines="network",
                step=step,
                says=f"Norm of the gradient of each unit's kernels, after {step} updates.",
            )
            for step in steps
        ),
        findings=findings,
    )


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
