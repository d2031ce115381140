"""One step of a run again, with all that there is to know of it: for a loss that is not finite."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np
from ml_collections import ConfigDict

from resnet_jax.data import order
from resnet_jax.errors import UserError
from resnet_jax.probes import Measurement
from resnet_jax.training import config as configs
from resnet_jax.training.devices import mapping as mappings
from resnet_jax.training.run.checkpoints import Checkpoints
from resnet_jax.training.run.loop import Plan
from resnet_jax.training.run.run_folder import RunFolder
from resnet_jax.training.step import precision
from resnet_jax.training.step import state as states
from resnet_jax.training.step.objective import UNITS

TOLD = ("gradient_norm", "signal_mean", "signal_variance", "weight_norm")
"""The quantities by which a site is known not to be finite; others are ratios, and may be 0/0."""


@dataclass(frozen=True)
class Replay:
    """What was found in a step.

    Attributes:
      step: the step, counted from 1.
      start: updates made in the checkpoint that the replay began from.
      loss: of its batch.
      unit: of the loss; empty if it has none.
      gradient_norm: over all parameters.
      not_finite: sites of which something measured is not finite, in network order.
      examples: the indices of its batch in the training split.
      file: where all that was measured is written.
    """

    step: int
    start: int
    loss: float
    unit: str
    gradient_norm: float
    not_finite: tuple[str, ...]
    examples: tuple[int, ...]
    file: Path


def replay(workdir: str | Path, step: int) -> Replay:
    """Takes a run to the point before a step, and measures every site of the network in that step.

    The run's folder is left as it is, but for a file `replay-STEP.json`. The network is run on
    one device, and measured on the whole batch at once: with `train.accumulate`, or statistics of
    each device's own, the run itself normalised otherwise. Gradients are measured without a
    loss scale.

    Args:
      workdir: the run's folder.
      step: which step, counted from 1.

    Raises:
      UserError: there is no run, the step is none of it, or a checkpoint cannot be read.
    """
    folder = RunFolder(workdir)
    here = {"devices.count": 1, "devices.mapping": "jit", "devices.batch_stats": "sync"}
    config = configs.override(folder.config(), here)
    with precision.of(config):
        return _replayed(folder, config, step)


def _replayed(folder: RunFolder, config: ConfigDict, step: int) -> Replay:
    mapping = mappings.single()
    dataset = states.load_dataset(config)
    total = Plan.of(config, dataset.num_train).total
    if not 1 <= step <= total:
        raise UserError(f"--replay {step}: the run has steps 1 to {total}")
    whole = _before(folder, states.create(config, dataset), step)
    start = int(whole.step)
    state = mapping.place(whole)
    for made in range(start, step - 1):
        state, _ = mapping.train_step(state, mapping.batch(dataset.train_batch(made)))
    batch = mapping.batch(dataset.train_batch(step - 1))
    metrics, measured = mapping.measure(state, batch, ("*",))
    size = config.train.batch_size
    found = Replay(
        step=step,
        start=start,
        loss=float(metrics["loss"]),
        unit=UNITS[config.optimizer.loss],
        gradient_norm=float(metrics["gradient_norm"]),
        not_finite=tuple(_not_finite(measured)),
        examples=tuple(order.batch(config.seed, step - 1, size, dataset.num_train).tolist()),
        file=folder.path / f"replay-{step}.json",
    )
    kept: dict[str, Any] = vars(found) | {"file": str(found.file), "sites": measured.records()}
    found.file.write_text(json.dumps(kept, indent=1) + "\n")
    return found


def _before(folder: RunFolder, fresh: states.TrainState, step: int) -> states.TrainState:
    if not folder.checkpoints.exists():
        return fresh
    with Checkpoints(folder.checkpoints, read_only=True) as kept:
        return kept.restore_before(mappings.single().everywhere_like(fresh), step) or fresh


def _not_finite(measured: Measurement) -> list[str]:
    values = jax.device_get((measured.activations, measured.parameters))
    layout = measured.layout.activations, measured.layout.parameters
    found = [
        (site.position, site.path)
        for sites, columns in zip(layout, values, strict=True)
        for row, site in enumerate(sites)
        if not all(np.isfinite(columns[name][row]) for name in TOLD if name in columns)
    ]
    return [path for _, path in sorted(found)]
