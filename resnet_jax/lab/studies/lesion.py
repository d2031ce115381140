"""Lesions: the error of a trained network with units dropped, one or several at a time.

Veit et al. 2016 (arXiv 1605.06431), section 4, Figs. 3 and 5. The norms keep their statistics.
"""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
from ml_collections import ConfigDict

from resnet_jax.lab.design.study import Findings, Study
from resnet_jax.probes import lesion
from resnet_jax.training.run.loop import restore_run, train
from resnet_jax.training.step.objective import mistakes
from resnet_jax.training.step.step import normalize

SEVERAL = (2, 4)
"""How many units are dropped at once, besides one."""

CHOICES = 5
"""How often units to drop at once are chosen anew: what one choice does depends on luck."""


def measure(config: ConfigDict, folder: Path) -> Findings:
    """Trains a network, then drops its units.

    Args:
      config: of training.
      folder: the trained network is kept in `trained` there.

    Returns:
      Final measures, test errors in percent: `intact`, `median_lesion` and `worst_lesion` over
      the units dropped one at a time, and `lesion_2` and `lesion_4` with so many dropped, the
      mean of five choices by the seed. Records: the error for each unit that can be dropped.
    """
    train(config, folder / "trained")
    state, dataset = restore_run(folder / "trained")
    variables = {"params": state.params, "batch_stats": state.batch_stats}
    batches: Any = list(dataset.eval_batches("test"))
    model: Any = state.model
    units = lesion.droppable(model)

    def error(dropped: Collection[str]) -> float:
        wrong = count = 0.0
        for batch in batches:
            images = normalize(state, batch["image"])
            logits = lesion.lesioned_logits(model, variables, images, dropped)
            wrong += float(np.sum(batch["mask"] * mistakes(logits, batch["label"])))
            count += float(np.sum(batch["mask"]))
        return 100 * wrong / count

    single = {unit: error((unit,)) for unit in units}
    chances = np.random.default_rng(config.seed)
    choices = [chances.permutation(units).tolist() for _ in range(CHOICES)]
    several = {n: np.mean([error(choice[:n]) for choice in choices]) for n in SEVERAL}
    return Findings(
        {
            "intact": error(()),
            "median_lesion": float(np.median(list(single.values()))),
            "worst_lesion": max(single.values()),
            **{f"lesion_{n}": float(found) for n, found in several.items()},
        },
        [{"kind": "lesion", "step": 0, "site": unit, "error": e} for unit, e in single.items()],
    )


STUDY = Study(measure)
