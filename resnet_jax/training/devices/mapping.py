"""Device mappings: two ways to run the same pure steps on devices, chosen by `config.devices`.

`jit` (the default) runs one program over a mesh of all devices of all processes. The batch is
sharded along the axis `data`, the state is replicated, and the compiler inserts the communication:
the step is that of the whole batch, with its batch statistics. Probes need this mapping, it works
with any number of devices, and it is where JAX's development goes.

`pmap` runs one program on each device with its part of the batch, and averages explicitly, so that
all communication is visible in the program. It is here for comparison, and for code written for it.
Recent versions of JAX implement it by `jit` and `shard_map`.

`batch_stats` chooses the statistics that normalize a batch, under either mapping: `sync`, those of
the whole batch, or `per_replica`, those of each device's part, as in the papers' runs on several
GPUs. The state holds one set of running statistics either way (see `Replicas.merged`), so that a
checkpoint of one mapping can be resumed under the other, on any number of devices.

The state is donated: a step invalidates the state that it is given.
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

from resnet_jax.data import Shard
from resnet_jax.errors import UserError
from resnet_jax.probes import Measurement
from resnet_jax.training.devices.placement import (
    numbers,
    put,
    require_divisible,
    select_devices,
    with_keys,
)
from resnet_jax.training.step.replicas import over_replicas
from resnet_jax.training.step.state import TrainState
from resnet_jax.training.step.step import (
    Batch,
    Metrics,
    eval_step,
    probe_step,
    probed_step,
    train_step,
)

AXIS = "data"

TrainStep = Callable[[TrainState, Batch], tuple[TrainState, Metrics]]
EvalStep = Callable[[TrainState, Batch], Metrics]


@dataclass(frozen=True)
class DeviceMapping(ABC):
    """Runs the steps of `training.step.step` on devices.

    Attributes:
      devices: the devices of all processes, sorted by process.
      sync: whether batch statistics are those of the whole batch.
    """

    devices: tuple[jax.Device, ...]
    sync: bool

    @cached_property
    def shard(self) -> Shard:
        """The part of each batch that this process loads."""
        processes = sorted({device.process_index for device in self.devices})
        return Shard(processes.index(jax.process_index()), len(processes))

    @property
    def replicas(self) -> int:
        """Number of devices with batch statistics of their own; 0 if none."""
        return 0 if self.sync else len(self.devices)

    @cached_property
    def mesh(self) -> Mesh:
        """The devices in a row."""
        return _mesh(self.devices)

    @cached_property
    def everywhere(self) -> NamedSharding:
        """The sharding of an array that is whole on every device."""
        return NamedSharding(self.mesh, P())

    def everywhere_like(self, state: TrainState) -> TrainState:
        """Shapes, dtypes and shardings of a state that is whole on every device."""

        def shape(x: Any) -> jax.ShapeDtypeStruct:
            return jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=self.everywhere)

        return jax.tree.map(shape, state)

    @abstractmethod
    def place(self, state: TrainState) -> TrainState:
        """Puts a state on the devices, as the steps take it.

        Args:
          state: as `state.create` makes it or `Checkpoints.restore` reads it; not to be used again.
        """

    @abstractmethod
    def collect(self, state: TrainState) -> TrainState:
        """The inverse of `place`: the state without replicas, whole on every device."""

    @abstractmethod
    def step_of(self, state: TrainState) -> int:
        """Number of updates of a placed state."""

    @abstractmethod
    def batch(self, batch: Any) -> Batch:
        """Puts this process's part of a batch on its devices."""

    @property
    @abstractmethod
    def train_step(self) -> TrainStep:
        """`step.train_step`, compiled; the metrics are the same on all devices."""

    @property
    @abstractmethod
    def eval_step(self) -> EvalStep:
        """`step.eval_step`, compiled; the sums are over the whole batch."""


class JitMapping(DeviceMapping):
    """One program over a mesh."""

    def place(self, state: TrainState) -> TrainState:
        if not self.sync:
            model, replicas = over_replicas(state.model, AXIS, self.sync)
            state = state.replace(model=model, replicas=replicas)
        return put(state, self.everywhere)

    def collect(self, state: TrainState) -> TrainState:
        return state.replace(replicas=None)

    def step_of(self, state: TrainState) -> int:
        return int(state.step)

    def batch(self, batch: Any) -> Batch:
        split = NamedSharding(self.mesh, P(AXIS))
        if jax.process_count() == 1:
            return jax.device_put(batch, split)
        return {
            name: jax.make_array_from_process_local_data(split, np.asarray(array))
            for name, array in batch.items()
        }

    @cached_property
    def train_step(self) -> TrainStep:
        return self._jit(self._over_mesh(train_step), donate_argnums=0)

    @cached_property
    def eval_step(self) -> EvalStep:
        return self._jit(self._over_mesh(eval_step))

    @cached_property
    def probed_step(self) -> Callable[..., tuple[TrainState, Metrics, Measurement]]:
        """`step.probed_step`, compiled; only where `require_probes` allows it."""
        return self._jit(probed_step, donate_argnums=0, static_argnames="sites")

    @cached_property
    def probe_step(self) -> Callable[..., tuple[Metrics, Measurement]]:
        """`step.probe_step`, compiled; only where `require_probes` allows it."""
        return self._jit(probe_step, static_argnames="sites")

    def _jit(self, step: Callable, **options: Any) -> Callable:
        return jax.jit(step, out_shardings=self.everywhere, **options)

    def _over_mesh(self, step: Callable) -> Callable:
        """The step of the whole batch; mapped over replicas if each has its own statistics."""
        if self.sync:
            return step
        # With `check_vma`, JAX has already summed the gradients of replicated parameters when the
        # step takes their mean, which then changes nothing.
        over: Any = partial(jax.shard_map, mesh=self.mesh, out_specs=P(), check_vma=False)
        return over(step, in_specs=(P(), P(AXIS)))


class PmapMapping(DeviceMapping):
    """One program on each device, with a copy of the state and a part of the batch."""

    def place(self, state: TrainState) -> TrainState:
        model, replicas = over_replicas(state.model, AXIS, self.sync)
        state = state.replace(model=model, replicas=replicas)
        copies = NamedSharding(_mesh(self._local), P(AXIS))
        count = len(self._local)
        return with_keys(
            lambda x: jax.device_put(np.broadcast_to(x, (count, *x.shape)), copies),
            jax.device_get(numbers(state)),
            state,
        )

    def collect(self, state: TrainState) -> TrainState:
        model: Any = state.model
        model = model.clone(axis_name=None) if self.sync else model
        whole = with_keys(lambda x: x, _first(numbers(state)), state)
        return put(whole.replace(model=model, replicas=None), self.everywhere)

    def step_of(self, state: TrainState) -> int:
        return int(_first(state.step))

    def batch(self, batch: Any) -> Batch:
        count = len(self._local)
        return {name: array.reshape(count, -1, *array.shape[1:]) for name, array in batch.items()}

    @cached_property
    def train_step(self) -> TrainStep:
        step = jax.pmap(train_step, AXIS, devices=self.devices, donate_argnums=0)

        def stepped(state: TrainState, batch: Batch) -> tuple[TrainState, Metrics]:
            state, metrics = step(state, batch)
            return state, _first(metrics)

        return stepped

    @cached_property
    def eval_step(self) -> EvalStep:
        step = jax.pmap(eval_step, AXIS, devices=self.devices)
        return lambda state, batch: _first(step(state, batch))

    @cached_property
    def _local(self) -> tuple[jax.Device, ...]:
        return tuple(d for d in self.devices if d.process_index == jax.process_index())


MAPPINGS: dict[str, type[DeviceMapping]] = {"jit": JitMapping, "pmap": PmapMapping}


def from_config(config: ConfigDict) -> DeviceMapping:
    """The device mapping of a config.

    Raises:
      UserError: there are fewer devices, or the batch does not divide among them.
    """
    settings = config.devices
    devices = select_devices(settings.count)
    require_divisible(config, len(devices))
    return _mapping(settings.mapping, devices, settings.batch_stats == "sync")


def single_device() -> JitMapping:
    """The mapping onto one device of this process."""
    mapping = _mapping("jit", (jax.local_devices()[0],), True)
    assert isinstance(mapping, JitMapping)
    return mapping


def require_probes(config: ConfigDict, mapping: DeviceMapping) -> JitMapping:
    """Requires that the network can be measured: by an unscaled gradient of the whole batch.

    Returns:
      The mapping, which has the steps that measure.

    Raises:
      UserError: the mapping or the config splits the batch or scales the loss.
    """
    if not isinstance(mapping, JitMapping) or not mapping.sync:
        raise UserError(
            "probes measure the whole batch: they need devices.mapping=jit and "
            "devices.batch_stats=sync"
        )
    if config.model.dtype == "float16":
        raise UserError(
            "probes measure unscaled gradients, and model.dtype=float16 scales the loss: measure "
            "in float32 or bfloat16"
        )
    if config.train.accumulate > 1:
        raise UserError("probes measure the whole batch at once: they need train.accumulate=1")
    return mapping


@functools.cache
def _mapping(name: str, devices: tuple[jax.Device, ...], sync: bool) -> DeviceMapping:
    """One mapping for all runs that share it, since compiled programs belong to a mapping."""
    return MAPPINGS[name](devices, sync)


def _mesh(devices: tuple[jax.Device, ...]) -> Mesh:
    return Mesh(np.array(devices), (AXIS,), axis_types=(jax.sharding.AxisType.Auto,))


def _first(tree: Any) -> Any:
    """The first local device's copy of what each device has."""
    return jax.tree.map(lambda x: x.addressable_data(0)[0], tree)
