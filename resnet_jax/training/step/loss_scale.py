"""Dynamic loss scaling, by which gradients survive float16 (Micikevicius et al. 2018, sec. 3.2).

Nothing smaller than 6e-8 is a number of float16, and most gradients of signals are. So the loss is
multiplied by a scale before it is differentiated, and the gradient divided by it again, once it is
in float32. Where the scale was too large a gradient is not finite: then the update is left out and
the scale halved; after so many updates without that it is doubled. It is a power of two, and so
changes nothing else about a gradient.

It is that of `flax.training.dynamic_scale`, in parts: there, to differentiate, to average over
replicas and to adjust the scale is one function, and here a step has parts of a batch in between.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from flax import struct
from jaxtyping import Array, Bool, Float, Int, PyTree
from ml_collections import ConfigDict

SMALLEST, LARGEST = 2.0**-126, 2.0**127
"""Powers of two in float32, beyond which a scale would be none any more."""


class LossScale(struct.PyTreeNode):
    """What a loss is multiplied by, from one step to the next.

    Attributes:
      scale: a power of two.
      good: updates made since the scale changed.
      period: so many of them double it.
    """

    scale: Float[Array, ""]
    good: Int[Array, ""]
    period: Int[Array, ""]

    def value_and_grad(self, objective: Callable[..., tuple[Any, Any]]) -> Callable[..., Any]:
        """Like `jax.value_and_grad(objective, has_aux=True)`, the scale multiplied in between.

        Returns:
          A function that returns ((value, more), gradients), neither of them scaled.
        """

        def scaled(params: PyTree, *given: Any) -> tuple[Array, tuple[Array, Any]]:
            value, more = objective(params, *given)
            return self.scale * value, (value, more)

        def differentiated(params: PyTree, *given: Any) -> tuple[tuple[Array, Any], PyTree]:
            (_, value), gradients = jax.value_and_grad(scaled, has_aux=True)(params, *given)
            return value, jax.tree.map(lambda g: g / self.scale, gradients)

        return differentiated

    def after(self, good: Bool[Array, ""]) -> "LossScale":
        """The scale of the next step: doubled, halved or the same.

        Args:
          good: whether the gradient was finite, and so the update was made.
        """
        count = self.good + 1
        doubles = count >= self.period
        doubled = jnp.minimum(2 * self.scale, LARGEST)
        halved = jnp.maximum(self.scale / 2, SMALLEST)
        return self.replace(
            scale=jnp.where(good, jnp.where(doubles, doubled, self.scale), halved),
            good=jnp.where(good & ~doubles, count, 0),
        )


def finite(tree: PyTree) -> Bool[Array, ""]:
    """Whether all numbers of a tree are finite.

    A mean over replicas is not where one of its parts is not: all of them find the same.
    """
    return jnp.all(jnp.array([jnp.all(jnp.isfinite(leaf)) for leaf in jax.tree.leaves(tree)]))


def chosen(condition: Bool[Array, ""], one: PyTree, other: PyTree) -> Any:
    """One tree if the condition is true, else the other."""
    return jax.tree.map(lambda a, b: jnp.where(condition, a, b), one, other)


def from_config(config: ConfigDict) -> LossScale | None:
    """The loss scale that a run starts with; None if it does not compute in float16."""
    if config.model.dtype != "float16":
        return None
    return LossScale(
        scale=jnp.float32(config.train.loss_scale),
        good=jnp.int32(0),
        period=jnp.int32(config.train.loss_scale_period),
    )
