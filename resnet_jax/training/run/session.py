"""The session: everything that a run consists of, put together from its config.

session = Session(config)
state = session.fresh()
for step, batch in session.batches(state):
    state, metrics = session.train_step(state, batch)
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import jax
from ml_collections import ConfigDict

from resnet_jax import data
from resnet_jax.data import Dataset, Split
from resnet_jax.errors import UserError
from resnet_jax.probes import Measurement
from resnet_jax.training.config.durations import Plan
from resnet_jax.training.config.network import build_model
from resnet_jax.training.devices import mapping as mappings
from resnet_jax.training.devices.mapping import DeviceMapping, require_probes
from resnet_jax.training.run.checkpoints import Checkpoints
from resnet_jax.training.run.run_folder import RunFolder
from resnet_jax.training.step import precision, schedule
from resnet_jax.training.step import state as states
from resnet_jax.training.step.state import TrainState
from resnet_jax.training.step.step import Batch, Metrics


class Session:
    """A run's device mapping, dataset, plan, network and states.

    Steps donate the state that they are given: use the one that they return. A float64 run is used
    within `with session.precision():`.

    Attributes:
      config: the full config.
      mapping: how devices run the steps.
      dataset: the data, in the order that follows from the seed.
      plan: when the run logs, evaluates, checkpoints and probes.
      model: the network.
    """

    def __init__(
        self,
        config: ConfigDict,
        mapping: DeviceMapping | None = None,
        dataset: Dataset | None = None,
    ):
        """Puts a run together; no parameters are initialized yet.

        Args:
          config: a full config.
          mapping: in place of the config's.
          dataset: in place of the config's, such as a fake one.

        Raises:
          UserError: the config is not usable: the message says why.
        """
        self.config = config
        self.mapping = mapping or mappings.from_config(config)
        self.dataset = load_dataset(config, self.mapping) if dataset is None else dataset
        self.plan = Plan.of(config, self.dataset.num_train)
        self.model = build_model(config, self.dataset.num_classes)
        schedule.from_config(config, self.dataset.num_train / config.train.batch_size)
        if self.plan.has_probes:
            require_probes(config, self.mapping)

    def precision(self) -> AbstractContextManager[None]:
        """Enables 64-bit arrays within a `with` block, if the run computes in float64."""
        return precision.context(self.config)

    def fresh(self) -> TrainState:
        """The state before the first step, on the devices."""
        return self.mapping.place(states.create(self.config, self.dataset))

    def abstract_state(self) -> TrainState:
        """Shapes, dtypes and shardings of a state that is whole on every device."""
        shapes = jax.eval_shape(lambda: states.create(self.config, self.dataset))
        return self.mapping.everywhere_like(shapes)

    def batch(self, step: int) -> Batch:
        """The batch of a step on the devices; steps count from 1."""
        return self.mapping.batch(self.dataset.train_batch(step - 1))

    def batches(self, state: TrainState) -> Iterator[tuple[int, Batch]]:
        """The batches from a state to the end of the run, each with its step, counted from 1."""
        return self._batches_after(self.mapping.step_of(state))  # and keeps no donated state

    def _batches_after(self, start: int) -> Iterator[tuple[int, Batch]]:
        if start < self.plan.total:
            steps = range(start + 1, self.plan.total + 1)
            batches = map(self.mapping.batch, self.dataset.train_batches(start))
            yield from zip(steps, batches, strict=False)

    def train_step(self, state: TrainState, batch: Batch) -> tuple[TrainState, Metrics]:
        """One update; see `step.train_step`."""
        return self.mapping.train_step(state, batch)

    def probed_step(
        self, state: TrainState, batch: Batch
    ) -> tuple[TrainState, Metrics, Measurement]:
        """One update, with `probe.sites` measured before it; see `step.probed_step`."""
        mapping = require_probes(self.config, self.mapping)
        return mapping.probed_step(state, batch, sites=tuple(self.config.probe.sites))

    def probe_step(
        self, state: TrainState, batch: Batch, sites: tuple[str, ...] | None = None
    ) -> tuple[Metrics, Measurement]:
        """Measures `sites`, or else `probe.sites`, without an update; see `step.probe_step`."""
        mapping = require_probes(self.config, self.mapping)
        return mapping.probe_step(state, batch, sites=sites or tuple(self.config.probe.sites))

    def evaluate(self, state: TrainState, split: Split) -> dict[str, float]:
        """Evaluates a state on every example of a split, in evaluation mode.

        Args:
          state: on the devices.
          split: `train` (without augmentation) or `test`.

        Returns:
          `loss` (the training loss without smoothing; cross-entropy in nats), `error` (percent) and
          `examples`, their number. If the run averages its weights, also `ema_loss` and
          `ema_error` of the averaged weights with the same running statistics.
        """
        found = self._evaluate(state, split)
        if state.ema is None:
            return found
        averaged = self._evaluate(state.replace(params=state.ema), split)
        return found | {"ema_loss": averaged["loss"], "ema_error": averaged["error"]}

    def _evaluate(self, state: TrainState, split: Split) -> dict[str, float]:
        batches = map(self.mapping.batch, self.dataset.eval_batches(split))
        sums = [self.mapping.eval_step(state, batch) for batch in batches]
        totals = jax.tree.map(lambda *parts: float(sum(parts)), *jax.device_get(sums))
        return {
            "loss": totals["loss"] / totals["examples"],
            "error": 100 * totals["mistakes"] / totals["examples"],
            "examples": int(totals["examples"]),
        }


def load_dataset(config: ConfigDict, mapping: DeviceMapping | None = None) -> Dataset:
    """The dataset of a config, in the order that follows from the run's seed.

    Args:
      config: the full config.
      mapping: this process loads its shard of each batch, and evaluation batches are rounded up to
        a multiple of the devices; by default batches are whole and as large as the config says.
    """
    devices = len(mapping.devices) if mapping else 1
    return data.load(
        config.data,
        batch_size=config.train.batch_size,
        eval_batch_size=-(-config.train.eval_batch_size // devices) * devices,
        seed=config.seed,
        shard=mapping.shard if mapping else data.Shard(),
    )


def restore_run(workdir: str | Path) -> tuple[TrainState, Session]:
    """The newest checkpoint of a run that can be read, and a session of the run, on one device.

    A float64 run is restored, and used, within `with precision.context(config):`.

    Raises:
      UserError: there is no run or no checkpoint in the folder, or none can be read.
    """
    folder = RunFolder(workdir)
    session = Session(folder.config(), mappings.single_device())
    found = None
    if folder.checkpoints.exists():
        with Checkpoints(folder.checkpoints, read_only=True) as checkpoints:
            found = checkpoints.restore(session.abstract_state())
    if found is None:
        raise UserError(f"there is no checkpoint in {folder.path}")
    return session.mapping.place(found[0]), session


def evaluate_run(workdir: str | Path, split: Split = "test") -> dict[str, float]:
    """Evaluates a run's newest checkpoint on every example of a split, on one device.

    Returns:
      The `step` of the checkpoint, and what `Session.evaluate` returns.

    Raises:
      UserError: there is no run or no checkpoint in the folder, or none can be read.
    """
    with precision.context(RunFolder(workdir).config()):
        state, session = restore_run(workdir)
        return {"step": int(state.step)} | session.evaluate(state, split)
