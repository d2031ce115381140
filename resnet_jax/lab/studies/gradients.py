"""Gradient norms across depths: what to measure, and the experiment that compares networks."""

import hashlib
import math
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.figure import Figure
from ml_collections import ConfigDict

from resnet_jax.errors import UserError
from resnet_jax.lab.analysis import gradient_profiles as answers
from resnet_jax.lab.analysis import growth
from resnet_jax.lab.analysis.gradient_profiles import profile
from resnet_jax.lab.design.experiment import Experiment
from resnet_jax.lab.design.study import Findings, Study
from resnet_jax.lab.figures import Profile
from resnet_jax.lab.figures.style import STYLE
from resnet_jax.lab.results.records import Records
from resnet_jax.training import config as configs
from resnet_jax.training.config import own_model
from resnet_jax.training.run import probing
from resnet_jax.training.step.state import build_model

Derive = Callable[[pd.DataFrame], float]


def at_start(config: ConfigDict, folder: Path) -> Findings:
    """A study: the sites of an untrained network, on the first batch (see `probing.at_start`)."""
    final, records = probing.at_start(config)
    return Findings(final, records)


AT_START = Study(at_start)


def first_to_last(step: int = 0, quantity: str = "gradient_norm") -> Derive:
    """A measure: the first unit's norm over the last unit's, after so many updates."""

    def derive(metrics: pd.DataFrame) -> float:
        return growth.first_to_last(profile(metrics, step, quantity=quantity)["value"].to_numpy())

    return derive


def decades(step: int = 0, quantity: str = "gradient_norm") -> Derive:
    """The same ratio as its decimal logarithm, in decades: 0 is no change, 1 ten times as much.

    Minus infinity where the first norm is zero, and infinity where the last one is.
    """
    ratio = first_to_last(step, quantity)

    def derive(metrics: pd.DataFrame) -> float:
        with np.errstate(divide="ignore"):
            return float(np.log10(ratio(metrics)))

    return derive


def draw(
    tables: Mapping[str, pd.DataFrame | Sequence[pd.DataFrame]],
    quantity: str = "gradient_norm",
    of: str = "unit",
    sites: str | tuple[str, ...] = "*",
) -> Figure:
    """Draws what probes measured against depth: a line for each network, a band over its seeds.

    Args:
      tables: by the name of each network, the table of its measurement
        (`probes.measure(...).table()`), or those of several seeds.
      quantity: what to draw: a column of the tables.
      of: the kind of site: "unit", "parameter" or "activation".
      sites: patterns of the sites' paths.

    Returns:
      The figure; `figure.savefig("norms.png")` keeps it.

    Raises:
      UserError: no network is given, the kind of site does not have the quantity, or two of the
        sites chosen have one depth.
    """
    rows, metrics = [], []
    for network, of_seeds in tables.items():
        seeds = [of_seeds] if isinstance(of_seeds, pd.DataFrame) else of_seeds
        for seed, table in enumerate(seeds):
            run = f"{network} {seed}"
            rows.append({"run": run, "network": network, "seed": seed, "status": "done"})
            of_run = table.rename(columns={"kind": "of"})
            metrics.append(of_run.assign(run=run, kind="probe", step=0))
    if not rows:
        raise UserError("there is nothing to draw: give the table of at least one network")
    experiment = Experiment(
        question="", axes={"network": tuple(tables)}, labels={name: name for name in tables}
    )
    profile = Profile(quantity=quantity, of=of, sites=sites, lines="network")
    records = Records(experiment, pd.DataFrame(rows), pd.concat(metrics), {}, 0)
    with rc_context(STYLE):
        return profile.draw(records)


def write(
    results: Path, networks: Sequence[str], seeds: int, data: str, steps: Sequence[int]
) -> Path:
    """Writes the experiment of `compare` as a file of its own, in the folder of its results.

    Returns:
      The file, which says in full what is asked.

    Raises:
      UserError: a network does not exist, or there are no seeds.
    """
    compare(networks, seeds, data, steps)  # what cannot be asked leaves no folder behind
    for name in networks:
        build_model(_named(name), num_classes=10)
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
    if seeds < 1:
        raise UserError(f"--seeds {seeds}: ask for one or more")
    measures = {f"decades_{step}": step for step in steps}

    def findings(records: Records) -> list[str]:
        told = []
        for measure, step in measures.items():
            told.append(f"After {step} updates:" if step else "At initialisation:")
            told.extend(answers.along(records, "network", measure, step))
        return told

    return Experiment(
        question=f"Do gradients vanish in {_listed(networks)}?",
        setup=(
            f"Data {data!r}, batches of 128, batch statistics. The norm of a unit is that of the "
            "gradient of all its kernels, stem and head left out; in a network without units each "
            "kernel stands for one. "
            + (
                "Trained with a learning rate of 0.01, momentum 0.9."
                if trains
                else "Untrained networks, on their first batch."
            )
            + _drawn(networks, trains)
        ),
        base=base,
        scale=data,
        study=None if trains else AT_START,
        axes={"network": tuple(networks)},
        configure=lambda network: {"model.name": network},
        labels={network: network for network in networks},
        seeds=tuple(range(seeds)),
        measures=tuple(measures),
        derive={measure: decades(step) for measure, step in measures.items()},
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


def _drawn(networks: Sequence[str], trains: bool) -> str:
    """What is done about branches that a network draws, if one does."""
    zoo = [build_model(_named(name), 10) for name in networks if not own_model.is_own(name)]
    if all(probing.whole(model) is model for model in zoo):
        return ""
    if trains:
        return (
            " A network of stochastic depth is measured in the steps that train it, with the "
            "branches that a step draws: those of the others have no gradient."
        )
    return " A network of stochastic depth is measured with all its branches."


def _named(network: str) -> ConfigDict:
    return configs.override(configs.base(), {"model.name": network})


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
