"""Stacks of units of equal shape, evaluated one unit at a time.

Only one unit is compiled, forward and backward, whatever the depth.
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

PADDING = {"circular": "CIRCULAR", "zero": "SAME"}
LINEAR = ("dense", *PADDING)


class Branch(nn.Module):
    """Layers of normalization, ReLU and linear map: the F of a unit, or a plain network's layers.

    Attributes:
      layers: number of layers.
      linear: "dense", or "circular" or "zero" for a 3x3 convolution with that padding.
      normalize: whether each layer has batch normalization.
      rectify: whether each layer has a ReLU.
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
        padding = PADDING[self.linear]
        conv = nn.Conv(x.shape[-1], (3, 3), padding=padding, use_bias=False, kernel_init=he_normal)
        return conv(x)


def standardize(x: Float[Array, "b ... c"]) -> Float[Array, "b ... c"]:
    """Batch normalization at initialization (scale 1, shift 0), with epsilon 0."""
    axes = tuple(range(x.ndim - 1))
    # The default, E[x^2] - E[x]^2, cancels in float32 to 0 where the mean is large: NaN without an
    # epsilon. (algorithm="stable" is the same as this, but newer than JAX 0.10.0.)
    variance = jnp.var(x, axes, keepdims=True)
    return jax.nn.standardize(x, axis=axes, variance=variance, epsilon=0.0)


@dataclass(frozen=True)
class Stack:
    """A sequence of units x' = shortcut * x + scale * F(x), each with its own weights.

    Attributes:
      units: number of units.
      branch: F.
      shortcut: lambda of h(x) = lambda x; 0 for a plain network.
      scale: factor of the branch.
    """

    units: int
    branch: Branch
    shortcut: float = 0.0
    scale: float = 1.0


@dataclass(frozen=True)
class Passed:
    """A forward pass.

    Attributes:
      params: parameters of each unit.
      stream: input of each unit and, last, the output of the stack.
    """

    params: list[Params]
    stream: list[Float[Array, "b ... c"]]


def forward(stack: Stack, inputs: Float[Array, "b ... c"], key: Array) -> Passed:
    """Initializes the weights and runs the stack.

    Args:
      stack: the network.
      inputs: input of the first unit.
      key: of the weights; split over the units.
    """
    params, stream = [], [inputs]
    for unit in jax.random.split(key, stack.units):
        params.append(_initialize(stack.branch, unit, inputs))
        out = _apply(stack.branch, params[-1], stream[-1])
        stream.append(stack.shortcut * stream[-1] + stack.scale * out)
    return Passed(params, stream)


def backward(
    stack: Stack, passed: Passed, gradient: Float[Array, "b ... c"]
) -> list[Float[Array, "b ... c"]]:
    """The gradients with respect to the input of each unit and, last, the output.

    Args:
      stack: the network.
      passed: its forward pass.
      gradient: the gradient with respect to the output.
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
    """The gradient with respect to a branch's input, given that of its output."""
    return jax.vjp(lambda x: branch.apply(params, x), x)[1](gradient)[0]


@partial(jax.jit, static_argnums=0)
def _apply(branch: Branch, params: Params, x: Float[Array, "b ... c"]) -> Float[Array, "b ... c"]:
    return jnp.asarray(branch.apply(params, x))


@partial(jax.jit, static_argnums=0)
def _initialize(branch: Branch, key: Array, x: Float[Array, "b ... c"]) -> Params:
    return branch.init(key, x[:1])


def squared_norms(gradients: list[Float[Array, "b ... c"]]) -> Float[Array, " sites"]:
    """The squared Frobenius norm of each array."""
    return jnp.stack([jnp.sum(jnp.square(each)) for each in gradients])


def channel_variance(stream: list[Float[Array, "b ... c"]]) -> Float[Array, " sites"]:
    """Variance over batch and pixels, averaged over channels: what a norm divides by."""
    return jnp.stack([jnp.mean(jnp.var(each, axis=tuple(range(each.ndim - 1)))) for each in stream])
