"""Selecting the devices that run a step, and placing a tree of arrays on them."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jax.sharding import NamedSharding
from jaxtyping import PyTree
from ml_collections import ConfigDict

from resnet_jax.errors import UserError


def select_devices(count: int) -> tuple[jax.Device, ...]:
    """Selects devices, equally many of each process, sorted by process.

    Args:
      count: number of devices; 0 for all.

    Raises:
      UserError: there are fewer, or they do not divide among the processes.
    """
    found = sorted(jax.devices(), key=lambda device: (device.process_index, device.id))
    if count > len(found):
        raise UserError(
            f"devices.count = {count}, and there {_are(len(found))}: use fewer, or 0 for all"
        )
    if count % jax.process_count():
        raise UserError(
            f"devices.count = {count} does not divide among {jax.process_count()} processes"
        )
    if not count:
        return tuple(found)
    each = count // jax.process_count()
    by_process: dict[int, list[jax.Device]] = {}
    for device in found:
        by_process.setdefault(device.process_index, []).append(device)
    return tuple(device for own in by_process.values() for device in own[:each])


def _are(count: int) -> str:
    return "is 1 device" if count == 1 else f"are {count} devices"


def require_divisible(config: ConfigDict, devices: int) -> None:
    """Requires that a batch divides among devices, and each device's part by `train.accumulate`.

    Raises:
      UserError: it does not; the message names the nearest sizes that do.
    """
    size, parts = config.train.batch_size, config.train.accumulate
    unit = devices * parts
    if size % unit:
        nearest = [n for n in (size // unit * unit, (size // unit + 1) * unit) if n]
        among = f"{devices} devices" + (f" in {parts} parts each" if parts > 1 else "")
        raise UserError(
            f"train.batch_size = {size} does not divide among {among}: the nearest that do are "
            f"{' and '.join(map(str, nearest))}"
        )


def put(tree: PyTree, sharding: NamedSharding) -> Any:
    """Puts a tree that every process has whole on devices of all processes."""
    if jax.process_count() == 1:
        return jax.device_put(tree, sharding)
    return with_keys(
        lambda x: jax.make_array_from_process_local_data(sharding, np.asarray(x)),
        jax.device_get(numbers(tree)),
        tree,
    )


def _is_key(x: Any) -> bool:
    return jax.dtypes.issubdtype(x.dtype, jax.dtypes.prng_key)


def numbers(tree: PyTree) -> PyTree:
    """A tree with random keys replaced by their key data."""
    return jax.tree.map(lambda x: jax.random.key_data(x) if _is_key(x) else x, tree)


def with_keys(function: Callable, arrays: PyTree, like: PyTree) -> Any:
    """Maps a function over arrays, and wraps the results as keys where `like` has keys."""

    def back(array: Any, given: Any) -> Any:
        made = function(array)
        return (
            jax.random.wrap_key_data(made, impl=jax.random.key_impl(given))
            if _is_key(given)
            else made
        )

    return jax.tree.map(back, arrays, like)
