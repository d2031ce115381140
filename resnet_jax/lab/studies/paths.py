"""Lengths of the paths that carry the gradient through a residual network (Veit et al. 2016).

The gradient through a stack of residual units is a sum over paths: each path takes the shortcut or
the branch of each unit. Let g(s) be the gradient when every branch is multiplied by s in the
backward pass only. It is a polynomial in s, whose coefficient g_k of s^k is the gradient through
all paths of k branches. The mean length of paths, each weighted by its contribution to |g|^2, is

    sum of k <g, g_k> / |g|^2 = <g, g'> / |g|^2 = d ln |g(s)| / d ln s    at s = 1.

This is exact whether or not the g_k are orthogonal. (For wide layers at initialization they are,
and <g, g_k> = |g_k|^2.) Scaling the branches in the forward pass as well would change the variances
that norms divide by, and thereby the gradient of every path.
"""

import functools
import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import linen as nn
from jax import Array
from jaxtyping import Float

from resnet_jax import models
from resnet_jax.errors import UserError
from resnet_jax.lab.design.study import Findings
from resnet_jax.lab.studies import study, theory
from resnet_jax.lab.studies.stack import Branch, Stack, forward, pull_back
from resnet_jax.models.shortcuts import Dropout
from resnet_jax.models.stem_head import NoStem
from resnet_jax.models.unit import Unit
from resnet_jax.training.run import probing

LOG_STEP = 0.05  # of ln s; the central difference has an error of about its square / 6

ByLength = Float[Array, "lengths b ... c"]


def measure(
    *,
    seed: int,
    units: int = 27,
    layers: int = 2,
    batch: int = 64,
    width: int = 128,
    network: str = "",
    image: int = 8,
) -> Findings:
    """Measures the lengths of paths in one random stack of units, or in a network of the zoo.

    Args:
      seed: of the weights, the inputs and, for a stack, the gradient at the output.
      units: number of units of the stack.
      layers: number of layers in each of its branches.
      batch: number of inputs.
      width: features of each layer of the stack.
      network: measures this residual network of the zoo instead, such as "preact56", on random
        images and labels.
      image: height and width of its images, in pixels.

    Returns:
      Final measures: `length`, the mean in units; for a stack also `theory`, its prediction, and
      the `deviation` from it in percent. Records, for a stack: the share of the squared gradient
      that comes through paths of each length.
    """
    if network:
        return Findings({"length": network_length(network, seed, batch, image)})
    shares, length = stack_lengths(Stack(units, Branch(layers), 1.0), batch, width, seed)
    expected = theory.path_length(units, layers, batch)
    deviation = 100 * (length / expected - 1)
    final = {"length": length, "theory": expected, "deviation": deviation}
    return Findings(final, _records(shares, theory.path_shares(units, layers, batch)))


STUDY = study(measure)


def stack_lengths(
    stack: Stack, batch: int, width: int, seed: int
) -> tuple[Float[np.ndarray, " lengths"], float]:
    """The share of each path length in the squared gradient at a stack's input.

    Args:
      stack: the network.
      batch: number of inputs; they are normal, with the variance that each unit adds.
      width: features of each layer.
      seed: of the weights, the inputs and the gradient at the output.

    Returns:
      The shares <g, g_k> / |g|^2 for k = 0, 1, ..., which sum to 1, and the mean length k.
    """
    weights, inputs, gradients = jax.random.split(jax.random.key(seed), 3)
    start = math.sqrt(theory.variance_growth())
    x = start * jax.random.normal(inputs, (batch, width))
    passed = forward(stack, x, weights)
    parts = by_length(stack, passed.params, passed.stream, jax.random.normal(gradients, x.shape))
    whole = jnp.sum(parts, axis=0)
    shares = np.asarray(jnp.einsum("k...,...->k", parts, whole), float)
    shares /= shares.sum()
    return shares, float(shares @ np.arange(len(shares)))


def by_length(
    stack: Stack, params: list, stream: list[Array], gradient: Float[Array, "b ... c"]
) -> ByLength:
    """The gradient at a stack's input through paths of 0, 1, ..., all of its branches.

    Args:
      stack: the network.
      params: parameters of each unit.
      stream: input of each unit and, last, the output, from the forward pass.
      gradient: the gradient with respect to the output.
    """
    empty = jnp.zeros_like(gradient)
    parts = jnp.stack([gradient] + [empty] * stack.units)
    through_each = jax.vmap(pull_back, in_axes=(None, None, None, 0))
    for unit, x in zip(params[::-1], stream[-2::-1], strict=True):
        through = stack.scale * through_each(stack.branch, unit, x, parts)
        # The roll adds one branch; the last part is zero until the first unit is reached.
        parts = stack.shortcut * parts + jnp.roll(through, 1, axis=0)
    return parts


def network_length(name: str, seed: int, batch: int, image: int) -> float:
    """The mean length of paths, in units, to the stem's output in a network of the zoo.

    Stochastic depth is disabled, so that all paths exist.

    Args:
      name: of a residual network.
      seed: of the weights, the normal images and the random labels.
      batch: number of images; norms use their statistics.
      image: height and width of the images, in pixels; they have one channel.

    Raises:
      UserError: the network does not exist, has no learned stem, or has dropout.
    """
    model = _measurable(name)
    weights, images, labels = jax.random.split(jax.random.key(seed), 3)
    variables = models.initialize(model, weights, (image, image, 1))
    x = jax.random.normal(images, (batch, image, image, 1))
    y = jax.random.randint(labels, (batch,), 0, model.num_classes)
    norm = _gradient_norm(model)
    high, low = (float(norm(variables, x, y, math.exp(sign * LOG_STEP))) for sign in (1, -1))
    return math.log(high / low) / (2 * LOG_STEP)


def _measurable(name: str) -> models.ResNet:
    model: Any = probing.without_stochastic_depth(models.create(name))
    if isinstance(model.stem, NoStem):
        raise UserError(
            f"{name} has no learned stem, at whose output paths are measured; use another network"
        )
    if model.branch.dropout or model.unit_dropout or isinstance(model.shortcut, Dropout):
        raise UserError(
            f"{name} has dropout, so that its paths differ between steps; use another network"
        )
    return model


@functools.cache
def _gradient_norm(model: models.ResNet) -> Callable[..., Float[Array, ""]]:
    """A compiled function of (variables, images, labels, s): |g(s)| at the output of the stem."""

    def loss(
        shift: Float[Array, "b h w c"], variables: dict, images: Array, labels: Array, s: Array
    ) -> Float[Array, ""]:
        with nn.intercept_methods(_scaled_backward(s, shift)):
            logits, _ = model.apply(variables, images, train=True, mutable=["batch_stats"])
        return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()

    @jax.jit
    def norm(variables: dict, images: Array, labels: Array, s: Array) -> Float[Array, ""]:
        width = variables["params"]["stem"]["conv"]["kernel"].shape[-1]
        shift = jnp.zeros((*images.shape[:-1], width))
        return jnp.linalg.norm(jax.grad(loss)(shift, variables, images, labels, s))

    return norm


def _scaled_backward(s: Array, shift: Float[Array, "b h w c"]) -> Callable:
    """An interceptor that scales the gradient of branches by s and adds to the stem's output."""

    def intercept(
        call: Callable, args: tuple, kwargs: dict, context: nn.module.InterceptorContext
    ) -> Array:
        out = call(*args, **kwargs)
        if isinstance(context.module, Unit) and context.method_name == Unit.residual.__name__:
            return jax.lax.stop_gradient((1 - s) * out) + s * out
        if context.module.path == ("stem",) and context.method_name == "__call__":
            return out + shift
        return out

    return intercept


def _records(
    shares: Float[np.ndarray, " lengths"], expected: Float[np.ndarray, " lengths"]
) -> list[dict]:
    return [
        {"kind": "length", "step": 0, "length": length, "share": float(share), "theory": float(by)}
        for length, (share, by) in enumerate(zip(shares, expected, strict=True))
    ]
