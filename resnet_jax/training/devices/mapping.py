"""How devices run the step: two mappings of the same pure functions, chosen by `config.devices`.

`jit` (the default) runs one program over a mesh of all devices of all processes. The batch is
split along the axis `data`, the state is on every device, and the compiler finds what has to be
communicated: the step computes with the whole batch, and batch statistics are those of all of it.
Choose it unless there is a reason not to: it is where JAX's development goes, it compiles for any
number of devices, and probes need it.

`pmap` runs one program for each device, on its part of the batch, and averages what is said to
be averaged. It is there to be compared with, for code and habits that come from it, and because
what is communicated stands in the program to be read. In recent versions of JAX it is itself made
of `jit` and `shard_map`.

`batch_stats` says whose statistics normalise a batch: `sync`, those of the whole batch under
either mapping; or `per_replica`, each device's own, as in the papers' runs on several GPUs. Either
way the state holds one set of running statistics, the same on each device (`replicas.merged`), and
is the same under both mappings: a checkpoint of one goes on under the other, on any number of
devices.

The state is donated: a step writes the new one where the old one was, and the old one is gone.
"""

import functools
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P
from ml_collections import ConfigDict

from resnet_jax.data import Dataset, Shard
from resnet_jax.errors import UserError
from resnet_jax.probes import Measurement
from resnet_jax.training.devices.placement import check_divides, chosen, numbers, put, with_keys
from resnet_jax.training.step.replicas import mapped
from resnet_jax.training.step.state import TrainState, load_dataset
from resnet_jax.training.step.step import (
    Batch,
    Metrics,
    eval_step,
    measure,
    probed_step,
    train_step,
)

AXIS = "data"


@dataclass(frozen=True)
class Mapping(ABC):
    """What runs the step.

    Attributes:
      devices: those that run it, of all processes, the processes one after another.
      sync: whether a batch is normalised by the statistics of all of it.
    """

    devices: tuple[jax.Device, ...]
    sync: bool

    @cached_property
    def shard(self) -> Shard:
        """The part of each batch that this process loads."""
        processes = sorted({device.process_index for device in self.devices})
        return Shard(processes.index(jax.process_index()), len(processes))

    @cached_property
    def mesh(self) -> Mesh:
        """The devices in a row."""
        kinds = (jax.sharding.AxisType.Auto,)
        return Mesh(np.array(self.devices), (AXIS,), axis_types=kinds)

    @property
    def everywhere(self) -> NamedSharding:
        """The sharding of what every device has whole."""
        return NamedSharding(self.mesh, P())

    def everywhere_like(self, state: TrainState) -> TrainState:
        """The shapes of a state that is whole on every device, for a checkpoint to be read so."""

        def shape(x: Any) -> jax.ShapeDtypeStruct:
            return jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=self.everywhere)

        return jax.tree.map(shape, state)

    @abstractmethod
    def place(self, state: TrainState) -> TrainState:
        """A state as this mapping's steps take it; the one that was given is not to be used again.

        Args:
          state: as `state.create` makes it or `Checkpoints.restore` reads it.
        """

    @abstractmethod
    def collect(self, state: TrainState) -> TrainState:
        """The state as it is without a mapping, whole on every device."""

    @abstractmethod
    def step_of(self, state: TrainState) -> int:
        """The updates made, of a state as this mapping placed it."""

    @abstractmethod
    def batch(self, batch: Any) -> Batch:
        """A batch on the devices that take it, from this process's part of it."""

    @abstractmethod
    def train_step(self, state: TrainState, batch: Batch) -> tuple[TrainState, Metrics]:
        """`step.train_step`; what it returns beside the state is the same on all devices."""

    @abstractmethod
    def eval_step(self, state: TrainState, batch: Batch) -> Metrics:
        """`step.eval_step`, over the whole batch."""

    @abstractmethod
    def probed_step(
        self, state: TrainState, batch: Batch, sites: tuple[str, ...]
    ) -> tuple[TrainState, Metrics, Measurement]:
        """`step.probed_step`."""

    @abstractmethod
    def measure(
        self, state: TrainState, batch: Batch, sites: tuple[str, ...]
    ) -> tuple[Metrics, Measurement]:
        """`step.measure`."""


class JitMapping(Mapping):
    """One program over a mesh."""

    def place(self, state: TrainState) -> TrainState:
        """The state on every device."""
        if not self.sync:
            model, replicas = mapped(state.model, AXIS, self.sync)
            state = state.replace(model=model, replicas=replicas)
        return put(state, self.everywhere)

    def collect(self, state: TrainState) -> TrainState:
        """The state, which is whole on every device."""
        return state.replace(replicas=None)

    def step_of(self, state: TrainState) -> int:
        """The updates made."""
        return int(state.step)

    def batch(self, batch: Any) -> Batch:
        """The batch, split along its examples."""
        split = NamedSharding(self.mesh, P(AXIS))
        if jax.process_count() == 1:
            return jax.device_put(batch, split)
        return {
            name: jax.make_array_from_process_local_data(split, np.asarray(array))
            for name, array in batch.items()
        }

    def train_step(self, state: TrainState, batch: Batch) -> tuple[TrainState, Metrics]:
        """See `Mapping`."""
        return self._train_step(state, batch)

    def eval_step(self, state: TrainState, batch: Batch) -> Metrics:
        """See `Mapping`."""
        return self._eval_step(state, batch)

    def probed_step(
        self, state: TrainState, batch: Batch, sites: tuple[str, ...]
    ) -> tuple[TrainState, Metrics, Measurement]:
        """See `Mapping`."""
        return self._probed_step(state, batch, sites=sites)

    def measure(
        self, state: TrainState, batch: Batch, sites: tuple[str, ...]
    ) -> tuple[Metrics, Measurement]:
        """See `Mapping`."""
        return self._measure(state, batch, sites=sites)

    @cached_property
    def _train_step(self) -> Callable[..., tuple[TrainState, Metrics]]:
        return jax.jit(self._over_mesh(train_step), **self._whole, donate_argnums=0)

    @cached_property
    def _eval_step(self) -> Callable[..., Metrics]:
        return jax.jit(self._over_mesh(eval_step), **self._whole)

    @cached_property
    def _probed_step(self) -> Callable[..., tuple[TrainState, Metrics, Measurement]]:
        return jax.jit(probed_step, **self._whole, donate_argnums=0, static_argnames="sites")

    @cached_property
    def _measure(self) -> Callable[..., tuple[Metrics, Measurement]]:
        return jax.jit(measure, **self._whole, static_argnames="sites")

    @property
    def _whole(self) -> dict[str, Any]:
        return {"out_shardings": self.everywhere}

    def _over_mesh(self, step: Callable) -> Callable:
        """The step with the whole batch, or mapped over replicas where statistics are their own."""
        if self.sync:
            return step
        # Without the check, gradients are each replica's own. With it, JAX has summed them by the
        # time that the step takes their mean, which then changes nothing.
        over: Any = partial(jax.shard_map, mesh=self.mesh, out_specs=P(), check_vma=False)
        return over(step, in_specs=(P(), P(AXIS)))


class PmapMapping(Mapping):
    """A program for each device, with its part of the batch and a state of its own."""

    def place(self, state: TrainState) -> TrainState:
        """The state, once for each device of this process."""
        model, replicas = mapped(state.model, AXIS, self.sync)
        state = state.replace(model=model, replicas=replicas)
        mesh = Mesh(np.array(self._own), (AXIS,), axis_types=(jax.sharding.AxisType.Auto,))
        copies = NamedSharding(mesh, P(AXIS))
        return with_keys(
            lambda x: jax.device_put(np.broadcast_to(x, (len(self._own), *x.shape)), copies),
            jax.device_get(numbers(state)),
            state,
        )

    def collect(self, state: TrainState) -> TrainState:
        """The first device's state, which is the same as the others'."""
        first = jax.tree.map(lambda x: x.addressable_data(0)[0], numbers(state))
        model: Any = state.model
        model = model.clone(axis_name=None) if self.sync else model
        whole = with_keys(lambda x: x, first, state).replace(model=model, replicas=None)
        return put(whole, self.everywhere)

    def step_of(self, state: TrainState) -> int:
        """The updates made, which each device counts."""
        return int(_of_first(state.step))

    def batch(self, batch: Any) -> Batch:
        """The batch, its leading axis that of the devices."""
        own = len(self._own)
        return {name: array.reshape(own, -1, *array.shape[1:]) for name, array in batch.items()}

    def train_step(self, state: TrainState, batch: Batch) -> tuple[TrainState, Metrics]:
        """See `Mapping`."""
        state, metrics = self._train_step(state, batch)
        return state, _of_first(metrics)

    def eval_step(self, state: TrainState, batch: Batch) -> Metrics:
        """See `Mapping`."""
        return _of_first(self._eval_step(state, batch))

    def probed_step(
        self, state: TrainState, batch: Batch, sites: tuple[str, ...]
    ) -> tuple[TrainState, Metrics, Measurement]:
        """Not to be had: a replica has only its part of what a probe measures."""
        raise NotImplementedError

    measure = probed_step  # type: ignore[assignment]

    @cached_property
    def _own(self) -> list[jax.Device]:
        return [d for d in self.devices if d.process_index == jax.process_index()]

    @cached_property
    def _train_step(self) -> Callable[..., tuple[TrainState, Metrics]]:
        return jax.pmap(train_step, AXIS, devices=self.devices, donate_argnums=0)

    @cached_property
    def _eval_step(self) -> Callable[..., Metrics]:
        return jax.pmap(eval_step, AXIS, devices=self.devices)


MAPPINGS: dict[str, type[Mapping]] = {"jit": JitMapping, "pmap": PmapMapping}


def of(config: ConfigDict, probes: bool = False) -> Mapping:
    """The mapping of a config.

    Args:
      config: the run's full config.
      probes: whether the network is to be measured, also where the config does not say so.

    Raises:
      UserError: there are fewer devices, the batch does not divide among them, or probes are asked
        for where they cannot be had.
    """
    settings = config.devices
    devices = chosen(settings.count)
    check_divides(config, len(devices))
    probes = bool(probes or config.probe.steps or config.probe.every)
    if probes and (settings.mapping, settings.batch_stats) != ("jit", "sync"):
        raise UserError(
            "probes measure the whole batch: they need devices.mapping=jit and "
            "devices.batch_stats=sync"
        )
    if probes and config.model.dtype == "float16":
        raise UserError(
            "probes measure gradients as they are, and model.dtype=float16 has them scaled: "
            "measure in float32 or bfloat16"
        )
    if probes and config.train.accumulate > 1:
        raise UserError("probes measure the whole batch at once: they need train.accumulate=1")
    return _mapping(settings.mapping, devices, settings.batch_stats == "sync")


@functools.cache
def _mapping(name: str, devices: tuple[jax.Device, ...], sync: bool) -> Mapping:
    """One mapping for all runs that have it in common: what is compiled belongs to it."""
    return MAPPINGS[name](devices, sync)


def single() -> Mapping:
    """One device of this process."""
    return _mapping("jit", (jax.local_devices()[0],), True)


def dataset(config: ConfigDict, mapping: Mapping) -> Dataset:
    """The data set of a config as this process loads it.

    Batches of evaluation are as large as asked, or somewhat larger, to divide among devices.
    """
    count = len(mapping.devices)
    size = -(-config.train.eval_batch_size // count) * count
    return load_dataset(config, mapping.shard, size)


def _of_first(metrics: Any) -> Any:
    return jax.tree.map(lambda x: x.addressable_data(0)[0], metrics)
