"""Gradient norms along depth: at initialization, drawn, and compared between networks."""

import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
from matplotlib import rc_context
from matplotlib.figure import Figure
from ml_collections import ConfigDict

from resnet_jax.errors import UserError
from resnet_jax.lab.analysis.gradient_profiles import along, decades, first_to_last, profile
from resnet_jax.lab.design.experiment import Experiment
from resnet_jax.lab.design.study import Findings, Study
from resnet_jax.lab.figures import Profile
from resnet_jax.lab.figures.style import STYLE
from resnet_jax.lab.results.records import Records
from resnet_jax.training import config as configs
from resnet_jax.training.config.network import build_model, is_own
from resnet_jax.training.run import probing

__all__ = ["AT_START", "compare", "decades", "draw", "first_to_last", "profile", "write"]


def at_start(config: ConfigDict, folder: Path) -> Findings:
    """A study: probes an untrained network on its first batch (see `probing.at_start`)."""
    final, records = probing.at_start(config)
    return Findings(final, records)


AT_START = Study(at_start)


def draw(
    tables: Mapping[str, pd.DataFrame | Sequence[pd.DataFrame]],
    quantity: str = "gradient_norm",
    of: str = "unit",
    sites: str | tuple[str, ...] = "*",
) -> Figure:
    """Draws measurements against depth: a line for each network, with a band over its seeds.

    Args:
      tables: for each network, its table (`probes.measure(...).table()`), or one for each seed.
      quantity: the column of the tables to draw.
      of: kind of the sites: "unit", "parameter" or "activation".
      sites: shell patterns of the sites.

    Returns:
      The figure, for example to save with `figure.savefig("norms.png")`.

    Raises:
      UserError: there is no table, sites of this kind do not have the quantity, or two sites have
        the same depth.
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
        raise UserError("there is nothing to draw: pass the table of at least one network")
    experiment = Experiment(
        question="", axes={"network": tuple(tables)}, labels={name: name for name in tables}
    )
    records = Records(experiment, pd.DataFrame(rows), pd.concat(metrics), {}, 0)
    with rc_context(STYLE):
        return Profile(quantity=quantity, of=of, sites=sites, lines="network").draw(records)


def write(
    results: Path, networks: Sequence[str], seeds: int, data: str, steps: Sequence[int]
) -> Path:
    """Writes an experiment file that calls `compare` with these arguments.

    Args:
      results: folder in which the folder of the experiment is created.
      networks, seeds, data, steps: the arguments of `compare`.

    Returns:
      The path of the file.

    Raises:
      UserError: a network does not exist, or there are no seeds; nothing is written.
    """
    compare(networks, seeds, data, steps)
    for name in networks:
        build_model(_named(name), num_classes=10)
    arguments = f"{tuple(networks)!r}, seeds={seeds}, data={data!r}, steps={tuple(steps)!r}"
    words = re.sub(r"[^\w]+", "-", "-".join(networks))[:60]
    name = f"gradients-{words}-{hashlib.sha256(arguments.encode()).hexdigest()[:6]}"
    file = results / name / "experiment.py"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(
        "from dataclasses import replace\n\nfrom resnet_jax.lab import gradients\n\n"
        f"experiment = replace(gradients.compare({arguments}), name={name!r})\n"
    )
    return file


def compare(
    networks: Sequence[str], seeds: int = 5, data: str = "digits", steps: Sequence[int] = (0,)
) -> Experiment:
    """The experiment behind `resnet-jax gradients`: gradient norms of several networks.

    Args:
      networks: names of the zoo, or `FILE.py:VARIABLE` for user-defined Linen modules.
      seeds: number of seeds.
      data: name of a data set.
      steps: numbers of updates after which to measure. Networks are trained with the settings of
        `configs.base()` and a learning rate of 0.01, or not at all if 0 is the only step.

    Raises:
      UserError: a network does not exist, or there are no seeds.
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
        raise UserError(f"--seeds {seeds}: at least one is needed")
    measures = {f"decades_{step}": step for step in steps}

    def findings(records: Records) -> list[str]:
        sentences = []
        for measure, step in measures.items():
            sentences.append(f"After {step} updates:" if step else "At initialization:")
            sentences.extend(along(records, "network", measure, step))
        return sentences

    return Experiment(
        question=f"Do gradients vanish in {_listed(networks)}?",
        setup=_setup(networks, data, trains),
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
                says=f"Norm of the gradient of each unit's kernels after {step} updates.",
            )
            for step in steps
        ),
        findings=findings,
    )


def _setup(networks: Sequence[str], data: str, trains: bool) -> str:
    untrained = "Untrained networks, on their first batch."
    return (
        f"Data {data!r}, batches of 128, train mode. The norm of a unit is that of the gradient of "
        "all kernels in its branch; stem and head are not shown. In a network without units, each "
        "kernel counts as one. "
        f"{'Trained with a learning rate of 0.01, momentum 0.9.' if trains else untrained}"
        f"{_stochastic_depth(networks, trains)}"
    )


def _stochastic_depth(networks: Sequence[str], trains: bool) -> str:
    """How networks of stochastic depth are measured, if there is one."""
    zoo = [build_model(_named(name), 10) for name in networks if not is_own(name)]
    if all(probing.without_stochastic_depth(model) is model for model in zoo):
        return ""
    if trains:
        return (
            " Networks of stochastic depth are measured in training steps, with the branches that "
            "these keep: the gradient of a dropped branch is zero."
        )
    return " Networks of stochastic depth are measured with all branches."


def _named(network: str) -> ConfigDict:
    return configs.override(configs.base(), {"model.name": network})


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
