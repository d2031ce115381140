"""What a step has to know where replicas run it, each on its own part of the batch.

A step that sees the whole batch, as under `jit` over a mesh, needs nothing of this: it computes
with the whole batch, and the compiler does the communication. A step that is mapped over replicas
sees a part of the batch, and says itself what is to be averaged over all.
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
      sync: whether batches are normalised by the statistics of all replicas' parts together.
      momentum: share of the old running statistics that an update keeps, where each replica has
        its own; else of no account.
    """

    axis: str
    sync: bool
    momentum: float = 0.0

    def mean(self, tree: PyTree) -> PyTree:
        """The mean over replicas of each leaf; their parts of a batch are of one size."""
        return jax.lax.pmean(tree, self.axis)

    def sum(self, tree: PyTree) -> PyTree:
        """The sum over replicas of each leaf."""
        return jax.lax.psum(tree, self.axis)

    def index(self) -> Int[Array, ""]:
        """Which replica this is."""
        return jax.lax.axis_index(self.axis)

    def rows(self, count: int) -> BatchSlice:
        """Which rows of the whole batch this replica has, where each has `count`."""
        return BatchSlice(self.index() * count, jax.lax.psum(1, self.axis) * count)

    def merged(self, batch_stats: PyTree) -> PyTree:
        """Running statistics of the whole batch, from those that each replica updated by itself.

        The variance of all examples is the mean of the replicas' variances and, beside it, the
        variance of their means, which a mean of variances would leave out. An update makes
        m r + (1 - m) x of running statistics r and the batch's x. So the spread of the updated
        means is (1 - m) times that of the batch's, and its square is divided by 1 - m to weigh
        as the variances do.
        """
        if self.sync:
            return self.mean(batch_stats)  # equal up to the last bit, and now in that too

        def merge(stats: Any) -> Any:
            if "mean" not in stats:
                return {name: merge(below) for name, below in stats.items()}
            mean = self.mean(stats["mean"])
            spread = self.mean((stats["mean"] - mean) ** 2) / (1 - self.momentum)
            return {"mean": mean, "var": self.mean(stats["var"]) + spread}

        return merge(batch_stats)


def mapped(model: nn.Module, axis: str, sync: bool) -> tuple[nn.Module, Replicas]:
    """A network, and the replicas that run it.

    Args:
      model: the network as it is without replicas.
      axis: name of the mapped axis.
      sync: whether its norms take the statistics of all replicas together.

    Raises:
      UserError: it is a network of the user's own that has no such setting.
    """
    needed = "axis_name" if sync else "momentum"
    if not hasattr(model, needed):
        raise UserError(
            f"the network {type(model).__name__} has no attribute {needed!r}, which mapping it "
            "over replicas needs: add it and hand it on to its BatchNorm layers, or use "
            "devices.mapping=jit and devices.batch_stats=sync"
        )
    if sync:
        return model.clone(axis_name=axis), Replicas(axis, sync)
    return model, Replicas(axis, sync, float(getattr(model, "momentum")))  # noqa: B009
