"""Taps: identities inserted at sites, which read a signal and its gradient in one pass.

A tap has a second argument, a slot of zeros that its output does not depend on. Its backward pass
returns as the slot's "gradient" statistics of the signal (kept from the forward pass) and of the
signal's gradient. Differentiating with respect to the slots therefore reads all sites in the
forward and backward pass that is made anyway, and keeps no array of the batch's shape. Readings
travel as gradients do, so they come out of rematerialized and scanned modules too. If several taps
share a slot (a module that is called twice), their readings add up.

A gradient of 1e-25 is representable in float32 but its square is not, and a probe must not report
a vanishing gradient as zero. Squares are therefore summed at two scales, and the norm is taken from
the one that did not overflow.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn
from flax import struct
from jaxtyping import Array, Float

from resnet_jax.probes.sites import Layout

UP, DOWN = 2.0**50, 2.0**-40
"""Scales good for norms of 1e-34 to 1e31; multiplying by a power of two is exact."""

Squares = Float[Array, "*n 2"]
"""The sums of squares of UP * x and of DOWN * x. Those of concatenated arrays add up."""

ProbeSlot = Float[Array, "8"]
"""Calls, examples, elements; mean, variance, channel variance; `Squares` of the gradient."""

Interceptor = Callable[[Callable, tuple, dict, nn.module.InterceptorContext], Any]


class Readings(struct.PyTreeNode):
    """What the taps read in one pass.

    Attributes:
      slots: one row for each of the layout's activations, in network order.
      layout: the sites.
    """

    slots: Float[Array, "sites 8"]
    layout: Layout = struct.field(pytree_node=False)


def empty_slots(layout: Layout) -> dict[str, ProbeSlot]:
    """A slot of zeros for each activation, by path."""
    return {site.path: jnp.zeros(8, jnp.float32) for site in layout.activations}


def tap_outputs(slots: Mapping[str, ProbeSlot]) -> Interceptor:
    """A method interceptor that taps the output of each module that has a slot."""

    def intercept(
        call: Callable, args: tuple, kwargs: dict, context: nn.module.InterceptorContext
    ) -> Any:
        output = call(*args, **kwargs)
        slot = slots.get("/".join(context.module.path))
        tapped = context.method_name == "__call__" and slot is not None
        return tap(output, slot) if tapped else output

    return intercept


@jax.custom_vjp
def tap(signal: Float[Array, "b *shape"], slot: ProbeSlot) -> Float[Array, "b *shape"]:
    """Returns the signal. The slot's gradient is what was read; see the head of this file."""
    return signal


def _forward(
    signal: Float[Array, "b *shape"], slot: ProbeSlot
) -> tuple[Float[Array, "b *shape"], Float[Array, "6"]]:
    """Statistics of the signal; channels are on its last axis."""
    channels = signal.astype(jnp.float32).reshape(-1, signal.shape[-1])
    means, variances = channels.mean(axis=0), channels.var(axis=0)
    within = variances.mean()
    read = (1.0, signal.shape[0], signal.size, means.mean(), within + means.var(), within)
    return signal, jnp.stack([jnp.float32(entry) for entry in read])


def _backward(
    read: Float[Array, "6"], gradient: Float[Array, "b *shape"]
) -> tuple[Float[Array, "b *shape"], ProbeSlot]:
    return gradient, jnp.concatenate([read, sum_squares(gradient)])


tap.defvjp(_forward, _backward)


def quantities(slots: Float[Array, "sites 8"]) -> dict[str, Float[Array, " sites"]]:
    """The quantities of activations, from the slots of a pass.

    For a module that is called several times: the norm over all calls, the mean over calls of the
    rest. A site that the loss does not depend on has gradient 0 and signal NaN (it is not read).
    """
    calls, examples, elements, mean, variance, channel_variance = slots[:, :6].T
    norm = norm_from(slots[:, 6:])
    times = jnp.maximum(calls, 1.0)
    known = jnp.where(calls > 0, 1.0, jnp.nan)
    return {
        "gradient_norm": norm,
        "gradient_rms": norm * examples / times / jnp.sqrt(jnp.maximum(elements, 1.0)),
        "signal_mean": known * mean / times,
        "signal_variance": known * variance / times,
        "signal_std": known * jnp.sqrt(variance / times),
        "channel_variance": known * channel_variance / times,
    }


def sum_squares(x: Float[Array, "*shape"]) -> Float[Array, "2"]:
    """The sums of squares of an array at both scales, in float32 whatever its dtype."""
    scales = jnp.array([[UP], [DOWN]], jnp.float32)
    return jnp.sum(jnp.square(scales * x.astype(jnp.float32).ravel()), axis=1)


def norm_from(squares: Squares) -> Float[Array, "*n"]:
    """Frobenius norms from sums of squares; inf and NaN in an array carry over to its norm."""
    up, down = squares[..., 0], squares[..., 1]
    return jnp.where(jnp.isfinite(up), jnp.sqrt(up) / UP, jnp.sqrt(down) / DOWN)


def joint_norms(
    leaves: Mapping[str, Float[Array, "*shape"]], groups: Sequence[Sequence[str]]
) -> Float[Array, " groups"]:
    """The norm of each group of arrays, as if concatenated.

    Args:
      leaves: arrays by name.
      groups: names of the arrays in each group.
    """
    if not groups:
        return jnp.zeros(0, jnp.float32)
    squares = {name: sum_squares(leaves[name]) for group in groups for name in group}
    return norm_from(jnp.stack([sum(squares[name] for name in group) for group in groups]))
