"""A stack of equal units, walked one unit at a time.

One unit is compiled, forward and backward, however many of them the stack has.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax import Array
from jaxtyping import Float

from resnet_jax.models.initializers import he_normal

Params = Any

LINEAR = ("dense", "circular", "zero")


class Branch(nn.Module):
    """Layers of norm, ReLU and linear map: the F of a unit, or the layers of a plain net.

    Attributes:
      layers: how many.
      linear: "dense", or a 3x3 convolution that pads its images "circular" or by "zero".
      normalize: whether each layer standardises its channels by the batch's statistics.
      rectify: whether it has a ReLU.
    """

    layers: int = 1
    linear: str = "dense"
    normalize: bool = True
    rectify: bool = True

    @nn.compact
    def __call__(self, x: Float[Array, "b ... c"]) -> Float[Array, "b ... c"]:
        """Maps a batch to one of the same shape."""
        for _ in range(self.layers):
            x = standardize(x) if self.normalize else x
            x = nn.relu(x) if self.rectify else x
            x = self._linear(x)
        return x

    def _linear(self, x: Float[Array, "b ... c"]) -> Float[Array, "b ... c"]:
        if self.linear == "dense":
            return nn.Dense(x.shape[-1], use_bias=False, kernel_init=he_normal)(x)
        padding = {"circular": "CIRCULAR", "zero": "SAME"}[self.linear]
        return nn.Conv(x.shape[-1], (3, 3), padding=padding, use_bias=False, kernel_init=he_normal)(
            x
        )


def standardize(x: Float[Array, "b ... c"]) -> Float[Array, "b ... c"]:
    """Batch normalisation at initialisation, scale 1 and shift 0, with no epsilon."""
    return jax.nn.standardize(x, axis=tuple(range(x.ndim - 1)), epsilon=0.0)


@dataclass(frozen=True)
class Stack:
    """Units x' = shortcut x + scale F(x), all of one shape and each with its own weights.

    Attributes:
      units: how many.
      branch: F.
      shortcut: lambda of h(x) = lambda x; 0 makes a plain net.
      scale: what the branch is multiplied by.
    """

    units: int
    branch: Branch
    shortcut: float = 0.0
    scale: float = 1.0


@dataclass(frozen=True)
class Passed:
    """What a forward pass leaves.

    Attributes:
      params: those of each unit.
      stream: the input of each unit and, last, the output of the stack.
    """

    params: list[Params]
    stream: list[Float[Array, "b ... c"]]


def forward(stack: Stack, inputs: Float[Array, "b ... c"], key: Array) -> Passed:
    """Draws the weights and runs the stack.

    Args:
      stack: what to run.
      inputs: the input of the first unit.
      key: of the weights; each unit's are drawn from its own split.
    """
    params, stream = [], [inputs]
    for unit in jax.random.split(key, stack.units):
        params.append(_draw(stack.branch, unit, inputs))
        out = _apply(stack.branch, params[-1], stream[-1])
        stream.append(stack.shortcut * stream[-1] + stack.scale * out)
    return Passed(params, stream)


def backward(
    stack: Stack, passed: Passed, gradient: Float[Array, "b ... c"]
) -> list[Float[Array, "b ... c"]]:
    """The gradients by the input of each unit and, last, by the stack's output.

    Args:
      stack: what was run.
      passed: what its forward pass left.
      gradient: that by the stack's output.
    """
    gradients = [gradient]
    for params, x in zip(passed.params[::-1], passed.stream[-2::-1], strict=True):
        through = pull_back(stack.branch, params, x, gradients[-1])
        gradients.append(stack.shortcut * gradients[-1] + stack.scale * through)
    return gradients[::-1]


@partial(jax.jit, static_argnums=0)
def pull_back(
    branch: Branch,
    params: Params,
    x: Float[Array, "b ... c"],
    gradient: Float[Array, "b ... c"],
) -> Float[Array, "b ... c"]:
    """The gradient by a branch's input, from that by its output."""
    return jax.vjp(lambda x: branch.apply(params, x), x)[1](gradient)[0]


@partial(jax.jit, static_argnums=0)
def _apply(branch: Branch, params: Params, x: Float[Array, "b ... c"]) -> Float[Array, "b ... c"]:
    return jnp.asarray(branch.apply(params, x))


@partial(jax.jit, static_argnums=0)
def _draw(branch: Branch, key: Array, x: Float[Array, "b ... c"]) -> Params:
    return branch.init(key, x[:1])


def squared(gradients: list[Float[Array, "b ... c"]]) -> Float[Array, " sites"]:
    """The squared norm of each."""
    return jnp.stack([jnp.sum(jnp.square(each)) for each in gradients])


def channel_variance(stream: list[Float[Array, "b ... c"]]) -> Float[Array, " sites"]:
    """Variance over batch and pixels, averaged over the channels: what a norm divides by."""
    return jnp.stack([jnp.mean(jnp.var(each, axis=tuple(range(each.ndim - 1)))) for each in stream])
