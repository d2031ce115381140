"""Dynamic loss scaling for training in float16 (Micikevicius et al. 2018, sec. 3.2).

The smallest positive float16 is 6e-8, and most gradients of activations are smaller. So the loss is
multiplied by a scale before differentiation, and the gradient divided by it once it is in float32.
If the gradient is not finite, the scale was too large: the update is skipped and the scale halved.
After a period without that the scale is doubled. It is a power of two, so that scaling is exact.

The rule is that of `flax.training.dynamic_scale`, where differentiation, the mean over replicas and
the adjustment are one function; here they are apart, with gradient accumulation in between.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from flax import struct
from jaxtyping import Array, Bool, Float, Int, PyTree
from ml_collections import ConfigDict

SMALLEST, LARGEST = 2.0**-126, 2.0**127
"""The smallest and the largest normal power of two in float32."""


class LossScale(struct.PyTreeNode):
    """A loss scale and the state of its adjustment.

    Attributes:
      scale: factor of the loss, a power of two.
      good: finite steps since the scale changed.
      period: finite steps after which it doubles.
    """

    scale: Float[Array, ""]
    good: Int[Array, ""]
    period: Int[Array, ""]

    def value_and_grad(self, objective: Callable[..., tuple[Any, Any]]) -> Callable[..., Any]:
        """`jax.value_and_grad(objective, has_aux=True)`, with the loss scaled in between.

        Returns:
          A function that returns ((value, aux), gradients), both unscaled.
        """

        def scaled(params: PyTree, *given: Any) -> tuple[Array, tuple[Array, Any]]:
            value, aux = objective(params, *given)
            return self.scale * value, (value, aux)

        def differentiated(params: PyTree, *given: Any) -> tuple[tuple[Array, Any], PyTree]:
            (_, value), gradients = jax.value_and_grad(scaled, has_aux=True)(params, *given)
            return value, jax.tree.map(lambda g: g / self.scale, gradients)

        return differentiated

    def after(self, finite: Bool[Array, ""]) -> "LossScale":
        """The loss scale of the next step: doubled, halved or the same.

        Args:
          finite: whether the gradient was finite.
        """
        count = self.good + 1
        doubles = count >= self.period
        doubled = jnp.minimum(2 * self.scale, LARGEST)
        halved = jnp.maximum(self.scale / 2, SMALLEST)
        return self.replace(
            scale=jnp.where(finite, jnp.where(doubles, doubled, self.scale), halved),
            good=jnp.where(finite & ~doubles, count, 0),
        )


def is_finite(tree: PyTree) -> Bool[Array, ""]:
    """Whether all numbers of a tree are finite.

    Replicas agree: the mean gradient is not finite if that of one replica is not.
    """
    return jnp.all(jnp.array([jnp.all(jnp.isfinite(leaf)) for leaf in jax.tree.leaves(tree)]))


def select(condition: Bool[Array, ""], one: PyTree, other: PyTree) -> Any:
    """The first tree if the condition is true, else the second."""
    return jax.tree.map(lambda a, b: jnp.where(condition, a, b), one, other)


def from_config(config: ConfigDict) -> LossScale | None:
    """The initial loss scale of a run; None unless it computes in float16."""
    if config.model.dtype != "float16":
        return None
    return LossScale(
        scale=jnp.float32(config.train.loss_scale),
        good=jnp.int32(0),
        period=jnp.int32(config.train.loss_scale_period),
    )
