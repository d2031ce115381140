"""How long the paths are by which the gradient comes through a residual net (Veit et al. 2016).

A stack of units is a sum over paths: each unit is passed by its shortcut or by its branch. Let s
multiply every branch in the backward pass alone. The gradient is then g(s), a polynomial in s of
which the coefficient of s^k is the gradient by all paths through k branches, g_k. The mean length,
each path weighted by its part in |g|^2, is

    sum of k <g, g_k> / |g|^2 = <g, g'> / |g|^2 = d ln |g(s)| / d ln s    at s = 1,

and exact, whether or not the g_k are orthogonal. (For wide layers at initialisation they are, and
<g, g_k> is |g_k|^2.) A common scale of the branches in the forward pass would not do: it changes
the variances that the norms divide by, and with them every path's gradient.
"""

import functools
import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn
from jax import Array
from jaxtyping import Float

from resnet_jax import models
from resnet_jax.errors import UserError
from resnet_jax.lab.design.study import Findings
from resnet_jax.lab.studies import theory
from resnet_jax.lab.studies.settings import study
from resnet_jax.lab.studies.stack import Branch, Stack, forward, pull_back
from resnet_jax.models.unit import Unit
from resnet_jax.training.run import probing

NUDGE = 0.05  # of ln s; the error of the central difference is about its square over 6

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
    """Measures the lengths of paths in one draw of a stack, or of a network of the zoo.

    Args:
      seed: of the weights, the inputs and, in a stack, the gradient at the output.
      units: in the stack, all of one shape.
      layers: in each branch of the stack.
      batch: inputs in the batch.
      width: units of each layer of the stack.
      network: a residual network of the zoo to measure instead, such as "preact56". It is given
        random images and labels.
      image: height and width of its images.

    Returns:
      Final measures: `length`, the mean in units; for a stack also `theory` and `deviation`, in
      percent. Records, of a stack: the share of the squared gradient by paths of each length.
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
    """The share of each length in the squared gradient at a stack's input, and the mean length.

    Args:
      stack: what to draw and run.
      batch: normal inputs, of the variance that each unit adds.
      width: units of each layer.
      seed: of all that is drawn.

    Returns:
      <g, g_k> / |g|^2 for k = 0, 1, ..., which sum to 1, and the mean of k weighted by them.
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
    """The gradient at a stack's input by paths through 0, 1, ..., all of its branches.

    Args:
      stack: what was run.
      params: those of each unit.
      stream: the input of each unit and, last, the output.
      gradient: that by the output.
    """
    empty = jnp.zeros_like(gradient)
    parts = jnp.stack([gradient] + [empty] * stack.units)
    through_each = jax.vmap(pull_back, in_axes=(None, None, None, 0))
    for unit, x in zip(params[::-1], stream[-2::-1], strict=True):
        through = stack.scale * through_each(stack.branch, unit, x, parts)
        # One branch more; the last place is empty until the first unit's turn has come.
        parts = stack.shortcut * parts + jnp.roll(through, 1, axis=0)
    return parts


def network_length(name: str, seed: int, batch: int, image: int) -> float:
    """The mean length of paths, in units, from the stem's output in a network of the zoo.

    All branches are taken: a draw of stochastic depth would have the paths of that draw alone.

    Args:
      name: of a residual network.
      seed: of its weights, and of normal images and random labels.
      batch: images, normalised by their own statistics.
      image: their height and width; they have one channel.

    Raises:
      UserError: the network does not exist, has no stem that learns, or draws what it drops.
    """
    model = _measurable(name)
    weights, images, labels = jax.random.split(jax.random.key(seed), 3)
    variables = models.initialize(model, weights, (image, image, 1))
    x = jax.random.normal(images, (batch, image, image, 1))
    y = jax.random.randint(labels, (batch,), 0, model.num_classes)
    norm = _gradient_norm(model)
    high, low = (float(norm(variables, x, y, math.exp(sign * NUDGE))) for sign in (1, -1))
    return math.log(high / low) / (2 * NUDGE)


def _measurable(name: str) -> models.ResNet:
    model: Any = probing.whole(models.create(name))
    if model.stem == "none":
        raise UserError(
            f"{name} has no stem, at whose output the paths would begin: it learns none"
        )
    if model.dropout or model.unit_dropout or model.shortcut == "dropout":
        raise UserError(f"{name} drops at random, and each draw has paths of its own")
    return model


@functools.cache
def _gradient_norm(model: models.ResNet) -> Callable[..., Float[Array, ""]]:
    """From (variables, images, labels, s) to |g(s)| at the output of the stem."""

    def loss(
        shift: Float[Array, "b h w c"], variables: dict, images: Array, labels: Array, s: Array
    ) -> Float[Array, ""]:
        with nn.intercept_methods(_scaled_backward(s, shift)):
            logits, _ = model.apply(variables, images, train=True, mutable=["batch_stats"])
        guesses = jax.nn.log_softmax(logits)
        return -jnp.mean(guesses[jnp.arange(len(labels)), labels])

    @jax.jit
    def norm(variables: dict, images: Array, labels: Array, s: Array) -> Float[Array, ""]:
        width = variables["params"]["stem"]["conv"]["kernel"].shape[-1]
        shift = jnp.zeros((*images.shape[:-1], width))
        return jnp.linalg.norm(jax.grad(loss)(shift, variables, images, labels, s))

    return norm


def _scaled_backward(s: Array, shift: Float[Array, "b h w c"]) -> Callable:
    """An interceptor that multiplies gradients of branches by s, and shifts the stem's output."""

    def intercept(
        call: Callable, args: tuple, kwargs: dict, context: nn.module.InterceptorContext
    ) -> Array:
        out = call(*args, **kwargs)
        if isinstance(context.module, Unit) and context.method_name == "residual":
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
