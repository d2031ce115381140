"""Replaying one step of a run with every site measured, to examine a loss that is not finite."""

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
from resnet_jax.training.run.run_folder import RunFolder
from resnet_jax.training.run.session import Session
from resnet_jax.training.step import precision
from resnet_jax.training.step.objective import UNITS
from resnet_jax.training.step.state import TrainState

CHECKED = ("gradient_norm", "signal_mean", "signal_variance", "weight_norm")
"""The quantities that have to be finite; the others are ratios, which may be 0/0."""


@dataclass(frozen=True)
class Replay:
    """The measurement of one step.

    Attributes:
      step: the step, counted from 1.
      start: updates of the checkpoint that the replay started from.
      loss: loss of the step's batch.
      unit: unit of the loss; empty if it has none.
      gradient_norm: over all parameters.
      not_finite: sites with a quantity that is not finite, in network order.
      examples: indices of the batch's examples in the training split.
      file: holds all that was measured, as JSON.
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
    """Resumes a run up to a step, and measures every site of the network in that step.

    Writes `replay-STEP.json` into the run's folder, and nothing else. The replay is on one device,
    and measures the whole batch at once: batch statistics differ from the run's if that used
    `train.accumulate` or statistics per replica. Gradients are measured without a loss scale.

    Args:
      workdir: the run's folder.
      step: the step, counted from 1.

    Raises:
      UserError: there is no run, it has no such step, or a checkpoint cannot be read.
    """
    folder = RunFolder(workdir)
    here = {"devices.count": 1, "devices.mapping": "jit", "devices.batch_stats": "sync"}
    config = configs.override(folder.config(), here)
    with precision.context(config):
        return _replay(folder, config, step)


def _replay(folder: RunFolder, config: ConfigDict, step: int) -> Replay:
    mapping = mappings.single_device()
    session = Session(config, mapping)
    if not 1 <= step <= session.plan.total:
        raise UserError(f"--replay {step}: the run has steps 1 to {session.plan.total}")
    state = _before(folder, session, step)
    start = int(state.step)
    for earlier in range(start + 1, step):
        state, _ = session.train_step(state, session.batch(earlier))
    metrics, measured = mapping.probe_step(state, session.batch(step), sites=("*",))
    size, num_train = config.train.batch_size, session.dataset.num_train
    found = Replay(
        step=step,
        start=start,
        loss=float(metrics["loss"]),
        unit=UNITS[config.optimizer.loss],
        gradient_norm=float(metrics["gradient_norm"]),
        not_finite=tuple(_not_finite(measured)),
        examples=tuple(order.batch(config.seed, step - 1, size, num_train).tolist()),
        file=folder.path / f"replay-{step}.json",
    )
    kept: dict[str, Any] = vars(found) | {"file": str(found.file), "sites": measured.records()}
    found.file.write_text(json.dumps(kept, indent=1) + "\n")
    return found


def _before(folder: RunFolder, session: Session, step: int) -> TrainState:
    """The newest checkpoint before a step, or else a fresh state."""
    if folder.checkpoints.exists():
        with Checkpoints(folder.checkpoints, read_only=True) as checkpoints:
            found = checkpoints.restore_before(session.abstract_state(), step)
        if found:
            return session.mapping.place(found)
    return session.fresh()


def _not_finite(measured: Measurement) -> list[str]:
    values = jax.device_get((measured.activations, measured.parameters))
    layout = measured.layout.activations, measured.layout.parameters
    found = [
        (site.position, site.path)
        for sites, columns in zip(layout, values, strict=True)
        for row, site in enumerate(sites)
        if not all(np.isfinite(columns[name][row]) for name in CHECKED if name in columns)
    ]
    return [path for _, path in sorted(found)]
