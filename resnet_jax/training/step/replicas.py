"""Collective operations of a step that is mapped over replicas, each with its part of the batch.

A step under `jit` over a mesh needs none of this: it is written for the whole batch, and the
compiler inserts the communication. A step mapped over replicas sees a part of the batch, and has to
average gradients and statistics itself.
"""

from dataclasses import dataclass
from typing import Any

import jax
from flax import linen as nn
from jaxtyping import Array, Int, PyTree

from resnet_jax.data.augment import BatchSlice
from resnet_jax.errors import UserError


@dataclass(frozen=True)
class Replicas:
    """The mapped axis of a step.

    Attributes:
      axis: its name.
      sync: whether batch statistics are those of the whole batch.
      momentum: momentum of the running statistics; used only if each replica has its own.
    """

    axis: str
    sync: bool
    momentum: float = 0.0

    def mean(self, tree: PyTree) -> PyTree:
        """The mean of each leaf over replicas, whose parts of the batch have equal sizes."""
        return jax.lax.pmean(tree, self.axis)

    def sum(self, tree: PyTree) -> PyTree:
        """The sum of each leaf over replicas."""
        return jax.lax.psum(tree, self.axis)

    def index(self) -> Int[Array, ""]:
        """The index of this replica."""
        return jax.lax.axis_index(self.axis)

    def batch_slice(self, count: int) -> BatchSlice:
        """This replica's rows of the whole batch, where each replica has `count`."""
        return BatchSlice(self.index() * count, jax.lax.psum(1, self.axis) * count)

    def merged(self, batch_stats: PyTree) -> PyTree:
        """Running statistics of the whole batch, from those that each replica has updated.

        The variance over all examples is the mean of the replicas' variances plus the variance of
        their means. An update with momentum m turns running statistics r and a batch's statistics x
        into m r + (1 - m) x. The deviations of the updated means are thus (1 - m) times those of
        the batch means, and their squares (1 - m)^2 times; divided by 1 - m, they are weighted by
        1 - m as the batch variances are.
        """
        if self.sync:
            return self.mean(batch_stats)  # equal up to rounding; now bitwise

        def merge(stats: Any) -> Any:
            if "mean" not in stats:
                return {name: merge(below) for name, below in stats.items()}
            mean = self.mean(stats["mean"])
            spread = self.mean((stats["mean"] - mean) ** 2) / (1 - self.momentum)
            return {"mean": mean, "var": self.mean(stats["var"]) + spread}

        return merge(batch_stats)


def over_replicas(model: nn.Module, axis: str, sync: bool) -> tuple[nn.Module, Replicas]:
    """Prepares a network to be run by replicas.

    Args:
      model: the network without replicas.
      axis: name of the mapped axis.
      sync: whether batch statistics are those of the whole batch.

    Returns:
      The network, with `axis_name` set if `sync`, and the mapped axis.

    Raises:
      UserError: a user's network lacks the attribute that this needs.
    """
    needed = "axis_name" if sync else "momentum"
    if not hasattr(model, needed):
        raise UserError(
            f"the network {type(model).__name__} has no attribute {needed!r}, which replicas need: "
            "add it and pass it to its BatchNorm layers, or use devices.mapping=jit and "
            "devices.batch_stats=sync"
        )
    if sync:
        return model.clone(axis_name=axis), Replicas(axis, sync)
    return model, Replicas(axis, sync, float(getattr(model, "momentum")))  # noqa: B009
