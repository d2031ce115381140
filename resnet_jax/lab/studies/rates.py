"""Growth rates of gradients in plain and residual networks, compared with mean-field theory.

Measured is the squared norm of the gradient at the input of each unit, for a batch of normal inputs
and a normal gradient at the output. The variance of the inputs is the one that the residual stream
converges to, or from which it grows linearly, so that profiles have no initial transient.
"""

import math

import jax
import numpy as np
from jaxtyping import Float

from resnet_jax.errors import UserError, did_you_mean
from resnet_jax.lab.analysis.growth import Selection, fit, kept, line
from resnet_jax.lab.design.study import Findings
from resnet_jax.lab.studies import study, theory
from resnet_jax.lab.studies.stack import (
    LINEAR,
    Branch,
    Stack,
    backward,
    channel_variance,
    forward,
    squared_norms,
)

ENDS = Selection(first=4, last=4)

Profile = Float[np.ndarray, " units_plus_1"]


def measure(
    *,
    seed: int,
    shortcut: float = 0.0,
    layers: int = 1,
    batch: int = 64,
    width: int = 512,
    units: int = 40,
    linear: str = "dense",
    size: int = 8,
    rectify: bool = True,
) -> Findings:
    """Measures the growth of the gradient in one random network.

    Args:
      seed: of the weights, the inputs and the gradient at the output.
      shortcut: lambda of h(x) = lambda x; 0 for a plain network, 1 for a residual one.
      layers: number of layers in each branch (in each "unit" of a plain network).
      batch: number of inputs, more than 3.
      width: features or channels of each layer.
      units: number of units, 12 or more.
      linear: "dense", or "circular" or "zero" for 3x3 convolutions with that padding.
      size: height and width of the images of convolutions, in pixels.
      rectify: whether layers have a ReLU.

    Returns:
      Final measures: `measured`, the growth of the squared gradient per unit, or for shortcut 1 the
      exponent of its power law; `theory`, its prediction if there is one, and `deviation` from it
      in percent; `exponential_r2` and `power_r2`, of fits to the profile without four units at each
      end; `variance_growth`, the slope of the stream's variance. Records: for the input of each
      unit, the gradient norm relative to that at the output, its prediction, and the variance.

    Raises:
      UserError: a setting is out of range.
    """
    _validate(shortcut, batch, units, linear)
    stack = Stack(units, Branch(layers, linear, rectify=rectify), shortcut)
    inputs = (batch, width) if linear == "dense" else (batch, size, size, width)
    gradient, variance = profile(stack, inputs, seed)
    prediction = _predict(stack, batch, size)
    final = _final(gradient, variance, residual=shortcut == 1)
    if not math.isnan(prediction):
        deviation = 100 * (final["measured"] / prediction - 1)
        final |= {"theory": prediction, "deviation": deviation}
    return Findings(final, _records(gradient, variance, _predicted_profile(stack, prediction)))


STUDY = study(measure)


def expected(
    *,
    shortcut: float = 0.0,
    layers: int = 1,
    batch: int = 64,
    linear: str = "dense",
    size: int = 8,
    rectify: bool = True,
    **_: int,
) -> float:
    """The theoretical value of `measured`, at infinite width; NaN where no theory is known.

    Args:
      shortcut, layers, batch, linear, size, rectify: as for `measure`, whose other settings are
        accepted and ignored.
    """
    return _predict(Stack(1, Branch(layers, linear, rectify=rectify), shortcut), batch, size)


def profile(stack: Stack, inputs: tuple[int, ...], seed: int) -> tuple[Profile, Profile]:
    """The squared gradient and the variance at the input of each unit and, last, at the output.

    Args:
      stack: the network.
      inputs: shape of the batch.
      seed: of the weights, the inputs and the gradient at the output.
    """
    weights, images, gradients = jax.random.split(jax.random.key(seed), 3)
    start = math.sqrt(_stationary_variance(stack.shortcut))
    passed = forward(stack, start * jax.random.normal(images, inputs), weights)
    back = backward(stack, passed, jax.random.normal(gradients, inputs))
    return (
        np.asarray(squared_norms(back), float),
        np.asarray(channel_variance(passed.stream), float),
    )


def exponent(gradient: Profile) -> float:
    """The e of a squared gradient that grows by the factor 1 + e / l at unit l.

    The sum of the units' growth, factor - 1, over the sum of 1 / l: the weighted mean of
    l (factor - 1) with the least variance. The slope against ln l would be biased, since the
    product of 1 + e / l is a power law only for l far above e.

    Args:
      gradient: the squared gradient at the input of each unit and, last, at the output.
    """
    growth = gradient[:-1] / gradient[1:] - 1
    return float(np.sum(growth) / np.sum(1 / np.arange(1, len(gradient))))


def _stationary_variance(shortcut: float) -> float:
    """The variance that the stream converges to; for shortcut 1, the variance that a unit adds."""
    added = theory.variance_growth()
    return added / (1 - shortcut**2) if shortcut < 1 else added


def _predict(stack: Stack, batch: int, size: int) -> float:
    """The theoretical rate, or exponent for shortcut 1; NaN where no theory is known."""
    branch, shortcut = stack.branch, stack.shortcut
    normalized = batch if branch.linear == "dense" else batch * size * size  # values per channel
    if not branch.rectify:
        rate = theory.linear_rate(normalized) if shortcut == 0 else math.nan
    elif branch.linear == "zero":
        rate = theory.zero_padded_rate(size) if shortcut == 0 else math.nan
    else:
        rate = theory.plain_rate(normalized)
    gain = rate**branch.layers
    return gain if shortcut == 1 else theory.scaled_shortcut_rate(shortcut, gain)


def _final(gradient: Profile, variance: Profile, residual: bool) -> dict[str, float]:
    units = np.arange(1, len(gradient) + 1)
    growth = fit(np.sqrt(gradient), kept(np.ones_like(units).tolist(), units.tolist(), ENDS))
    return {
        # The index rises towards the output, the gradient towards the input.
        "measured": exponent(gradient) if residual else 1 / growth.rate,
        "exponential_r2": growth.exponential.r2,
        "power_r2": growth.power.r2,
        "variance_growth": line(units.astype(float), variance).slope,
    }


def _predicted_profile(stack: Stack, prediction: float) -> Profile:
    if stack.shortcut == 1:
        return theory.residual_profile(stack.units, prediction)
    return prediction ** np.arange(stack.units, -1.0, -1.0)


def _records(gradient: Profile, variance: Profile, predicted: Profile) -> list[dict]:
    columns = {
        "gradient_norm": np.sqrt(gradient / gradient[-1]),
        "theory": np.sqrt(predicted),
        "variance": variance,
    }
    known = {name: values for name, values in columns.items() if np.isfinite(values[0])}
    return [
        {"kind": "unit", "step": 0, "unit": unit + 1}
        | {name: float(values[unit]) for name, values in known.items()}
        for unit in range(len(gradient))
    ]


def _validate(shortcut: float, batch: int, units: int, linear: str) -> None:
    if not 0 <= shortcut <= 1:
        raise UserError(f"shortcut={shortcut}: lambda of h(x) = lambda x must be from 0 to 1")
    if batch <= 3:
        raise UserError(
            f"batch={batch}: the mean squared gradient is infinite for 3 inputs or fewer; use more"
        )
    if units < 12:
        raise UserError(f"units={units}: the fit leaves out four at each end; use 12 units or more")
    if linear not in LINEAR:
        raise UserError(f"linear={linear!r} is unknown; {did_you_mean(linear, LINEAR)}")
