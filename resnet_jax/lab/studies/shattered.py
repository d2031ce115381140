"""Shattered gradients: how alike the gradients of neighbouring inputs are (Balduzzi et al. 2017).

Inputs are points of a line, the gradient is that of one output by the place on the line, and what
is measured is its autocorrelation from one point to the next. It is near 1 for a smooth function
and 0 for white noise. arXiv 1702.08591, section 2: a network from one input to one output, with
200 units a layer and 256 points from -2 to 2.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from resnet_jax.errors import UserError
from resnet_jax.lab.design.study import Findings
from resnet_jax.lab.studies.settings import study
from resnet_jax.lab.studies.stack import Branch, Stack, backward, forward

LAGS = 15  # as far as Balduzzi et al. draw the autocorrelation


def measure(
    *,
    seed: int,
    depth: int = 50,
    shortcut: float = 0.0,
    scale: float = 1.0,
    normalize: bool = True,
    layers: int = 1,
    width: int = 200,
    points: int = 256,
    reach: float = 2.0,
) -> Findings:
    """Measures the autocorrelation of the gradient along a line, in one draw of a network.

    Args:
      seed: of the weights.
      depth: layers between the first and the last linear map, a multiple of `layers`.
      shortcut: 0 for a plain net, 1 for a residual one.
      scale: what branches are multiplied by; Balduzzi et al. advise 0.1 to 0.5.
      normalize: whether layers normalise by the statistics of the batch, which is the line. The
        gradient is that of the sum of the outputs, through the statistics.
      layers: in each branch. What counts for shattering is how many of them a gradient passes.
      width: units of each layer.
      points: inputs on the line.
      reach: the line goes from -reach to reach.

    Returns:
      Final measure `autocorrelation`, at lag 1. Records: the autocorrelation at each lag, and the
      gradient at each point, divided by its deviation.

    Raises:
      UserError: a depth that is no multiple of `layers`.
    """
    if depth % layers:
        raise UserError(f"depth={depth} is no multiple of the {layers} layers of a branch")
    stack = Stack(depth // layers, Branch(layers, normalize=normalize), shortcut, scale)
    gradient = np.asarray(input_gradient(stack, seed, width, points, reach), float)
    correlations = autocorrelation(gradient, LAGS)
    return Findings({"autocorrelation": float(correlations[1])}, _records(gradient, correlations))


STUDY = study(measure)


def input_gradient(
    stack: Stack, seed: int, width: int, points: int, reach: float
) -> Float[Array, " points"]:
    """The gradient of the summed outputs by each point of the line.

    The first map has normal weights and biases, which place its units' kinks about the line; the
    last one has normal weights.
    """
    slopes, offsets, weights, readout = jax.random.split(jax.random.key(seed), 4)
    line = jnp.linspace(-reach, reach, points)
    direction = jax.random.normal(slopes, (width,))
    inputs = line[:, None] * direction + jax.random.normal(offsets, (width,))
    out = jnp.broadcast_to(jax.random.normal(readout, (width,)), inputs.shape)
    return backward(stack, forward(stack, inputs, weights), out)[0] @ direction


def autocorrelation(
    values: Float[np.ndarray, " n"], lags: int
) -> Float[np.ndarray, " lags_plus_1"]:
    """The sample autocorrelation at lags 0 to `lags`: sums of n - lag products over that of n."""
    from_mean = values - values.mean()
    products = [from_mean[lag:] @ from_mean[: len(values) - lag] for lag in range(lags + 1)]
    return np.array(products) / products[0]


def _records(
    gradient: Float[np.ndarray, " points"], correlations: Float[np.ndarray, " lags"]
) -> list[dict]:
    scaled = gradient / gradient.std()
    return [
        {"kind": "lag", "step": 0, "lag": lag, "autocorrelation": float(value)}
        for lag, value in enumerate(correlations)
    ] + [
        {"kind": "point", "step": 0, "point": point, "gradient": float(value)}
        for point, value in enumerate(scaled)
    ]
