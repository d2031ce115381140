"""Taps: identities at the sites of a network, which read what flows through them, both ways.

A tap has a second argument, a meter of zeros, on which nothing depends. In the backward pass the
tap hands its meter, in the place of a gradient, what was measured: the signal on its way forward
and the gradient on its way back. Differentiating with respect to meters therefore reads them, in
the pass that is made anyway, and without arrays of the batch's shape. Because readings leave the
network as gradients do, they also leave rematerialised and scanned parts of it. Where several taps
share a meter (a module that is called twice), what they read adds up.
"""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn
from flax import struct
from jaxtyping import Array, Float

from resnet_jax.probes.norms import root, squares
from resnet_jax.probes.sites import Layout

Meter = Float[Array, "8"]
"""Calls, examples, elements; mean, variance, channel variance; squares of the gradient (two)."""

Interceptor = Callable[[Callable, tuple, dict, nn.module.InterceptorContext], Any]


class Readings(struct.PyTreeNode):
    """What the taps of one pass have read.

    Attributes:
      meters: one row for each of the layout's activations, in network order.
      layout: the sites.
    """

    meters: Float[Array, "sites 8"]
    layout: Layout = struct.field(pytree_node=False)


def meters(layout: Layout) -> dict[str, Meter]:
    """A meter of zeros for each activation, by path."""
    return {site.path: jnp.zeros(8, jnp.float32) for site in layout.activations}


def tap_outputs(meters: Mapping[str, Meter]) -> Interceptor:
    """An interceptor that taps the outputs of the modules that have a meter."""

    def intercept(
        call: Callable, args: tuple, kwargs: dict, context: nn.module.InterceptorContext
    ) -> Any:
        output = call(*args, **kwargs)
        meter = meters.get("/".join(context.module.path))
        tapped = context.method_name == "__call__" and meter is not None
        return tap(output, meter) if tapped else output

    return intercept


@jax.custom_vjp
def tap(signal: Float[Array, "b *shape"], meter: Meter) -> Float[Array, "b *shape"]:
    """The signal, unchanged."""
    return signal


def _forward(
    signal: Float[Array, "b *shape"], meter: Meter
) -> tuple[Float[Array, "b *shape"], Float[Array, "6"]]:
    """Measures the signal; its last axis is that of channels."""
    channels = signal.astype(jnp.float32).reshape(-1, signal.shape[-1])
    means, variances = channels.mean(axis=0), channels.var(axis=0)
    within = variances.mean()
    read = (1.0, signal.shape[0], signal.size, means.mean(), within + means.var(), within)
    return signal, jnp.stack([jnp.float32(entry) for entry in read])


def _backward(
    read: Float[Array, "6"], gradient: Float[Array, "b *shape"]
) -> tuple[Float[Array, "b *shape"], Meter]:
    return gradient, jnp.concatenate([read, squares(gradient)])


tap.defvjp(_forward, _backward)


def quantities(meters: Float[Array, "sites 8"]) -> dict[str, Float[Array, " sites"]]:
    """What is reported of activations, from what their meters read.

    Of a module that was called several times: the norm over all its calls, the mean of the rest.
    A site that the loss does not depend on has the gradient zero, and no known signal (NaN).
    """
    calls, examples, elements, mean, variance, channel_variance = meters[:, :6].T
    norm = root(meters[:, 6:])
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
