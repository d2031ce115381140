"""Lesions: the error of a trained network with units dropped, one or several at a time.

Veit et al. 2016 (arXiv 1605.06431), section 4, Figs. 3 and 5. Norms keep their running statistics.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from ml_collections import ConfigDict

from resnet_jax.lab.design.study import Findings, Study
from resnet_jax.probes import lesion
from resnet_jax.training.run.loop import train
from resnet_jax.training.run.session import restore_run
from resnet_jax.training.step.objective import mistakes
from resnet_jax.training.step.step import normalize

Units = tuple[str, ...]

SEVERAL = (2, 4)
"""How many units are dropped together, besides one."""

CHOICES = 5
"""Random choices of the units that are dropped together; a single one depends on luck."""


def measure(config: ConfigDict, folder: Path) -> Findings:
    """Trains a network, then drops its units.

    Args:
      config: a full config of training; its seed also selects the units dropped together.
      folder: of the run; the trained network is kept in `trained` there.

    Returns:
      Final measures, all test errors in percent: `intact`; `median_lesion` and `worst_lesion` over
      the units, each dropped alone; `lesion_2` and `lesion_4`, with so many units dropped together,
      the mean over five random choices. Records: the error without each unit that can be dropped.
    """
    train(config, folder / "trained")
    state, session = restore_run(folder / "trained")
    model: Any = state.model
    units = lesion.droppable(model)
    rng = np.random.default_rng(config.seed)
    orders = [rng.permutation(units).tolist() for _ in range(CHOICES)]
    several = {n: [tuple(order[:n]) for order in orders] for n in SEVERAL}
    groups = [(), *(group for choices in several.values() for group in choices)]
    error = errors(state, session.dataset.eval_batches("test"), groups)
    single = {unit: error[unit,] for unit in units}
    return Findings(
        {
            "intact": error[()],
            "median_lesion": float(np.median(list(single.values()))),
            "worst_lesion": max(single.values()),
            **{
                f"lesion_{n}": float(np.mean([error[group] for group in choices]))
                for n, choices in several.items()
            },
        },
        [{"kind": "lesion", "step": 0, "site": unit, "error": e} for unit, e in single.items()],
    )


def errors(state: Any, batches: Iterable[Mapping], groups: Collection[Units]) -> dict[Units, float]:
    """The error of a trained network without each group of units and without each single unit.

    Args:
      state: of the trained network.
      batches: with "image", "label" and "mask".
      groups: paths of units to drop together.

    Returns:
      Errors in percent by the units dropped.
    """
    variables = {"params": state.params, "batch_stats": state.batch_stats}
    wrong: dict[Units, float] = defaultdict(float)
    count = 0.0
    for batch in batches:
        images: Any = normalize(state, batch["image"])
        single = lesion.each_lesion(state.model, variables, images)
        logits: dict[Units, Any] = {(unit,): of_unit for unit, of_unit in single.items()}
        for group in groups:
            logits[group] = lesion.lesioned_logits(state.model, variables, images, group)
        for dropped, given in logits.items():
            wrong[dropped] += float(np.sum(batch["mask"] * mistakes(given, batch["label"])))
        count += float(np.sum(batch["mask"]))
    return {dropped: 100 * times / count for dropped, times in wrong.items()}


STUDY = Study(measure)
