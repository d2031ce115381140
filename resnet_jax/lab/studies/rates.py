"""How fast gradients grow towards the input of plain and residual nets, against mean-field theory.

The squared norm of the gradient at the input of each unit, over a batch of normal inputs and for a
normal gradient at the output. Inputs have the variance at which the stream stays, or from which
it grows evenly, so that no part of a profile is a transient of the forward pass.
"""

import math

import jax
import numpy as np
from jaxtyping import Float

from resnet_jax.errors import UserError, did_you_mean
from resnet_jax.lab.analysis.growth import Selection, fit, kept, line
from resnet_jax.lab.design.study import Findings
from resnet_jax.lab.studies import theory
from resnet_jax.lab.studies.padding import zero_padded_rate
from resnet_jax.lab.studies.settings import study
from resnet_jax.lab.studies.stack import (
    LINEAR,
    Branch,
    Stack,
    backward,
    channel_variance,
    forward,
    squared,
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
    """Measures the growth of the gradient in one draw of a network, beside what theory says.

    Args:
      seed: of the weights, the inputs and the gradient at the output.
      shortcut: lambda of h(x) = lambda x: 0 for a plain net, 1 for a residual one.
      layers: in each branch, or in each "unit" of a plain net.
      batch: inputs in the batch, more than 3.
      width: units or channels of each layer.
      units: how many, 12 or more.
      linear: "dense", "circular" or "zero" (padding of 3x3 convolutions).
      size: height and width of the images, for convolutions.
      rectify: whether layers have a ReLU.

    Returns:
      Final measures: `measured`, the rate of the squared gradient for each unit, or for shortcut 1
      the exponent of its power law; `theory`, the same by theory (where there is one), and
      `deviation` of the measured from it, in percent; `exponential_r2` and `power_r2` of fits to
      the profile without four units at each end; `variance_growth`, the slope of the stream's
      variance. Records: for each unit's input its gradient norm for that at the output, the norm
      that theory expects, and the stream's variance.

    Raises:
      UserError: a setting that makes no such network.
    """
    _check(shortcut, batch, units, linear)
    stack = Stack(units, Branch(layers, linear, rectify=rectify), shortcut)
    inputs = (batch, width) if linear == "dense" else (batch, size, size, width)
    gradient, variance = profile(stack, inputs, seed)
    expected = _theory(stack, batch, size)
    final = _final(gradient, variance, residual=shortcut == 1)
    if not math.isnan(expected):
        deviation = 100 * (final["measured"] / expected - 1)
        final |= {"theory": expected, "deviation": deviation}
    return Findings(final, _records(gradient, variance, _expected_profile(stack, expected)))


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
    """What theory says that `measure` measures, at infinite width; NaN where none is known.

    Args:
      shortcut, layers, batch, linear, size, rectify: as of `measure`, whose other settings may be
        given too and change nothing.
    """
    return _theory(Stack(1, Branch(layers, linear, rectify=rectify), shortcut), batch, size)


def profile(stack: Stack, inputs: tuple[int, ...], seed: int) -> tuple[Profile, Profile]:
    """The squared gradient and the variance at each unit's input and, last, at the output.

    Args:
      stack: what to draw and run.
      inputs: the shape of the batch.
      seed: of all that is drawn.
    """
    weights, images, gradients = jax.random.split(jax.random.key(seed), 3)
    start = math.sqrt(_start(stack.shortcut))
    passed = forward(stack, start * jax.random.normal(images, inputs), weights)
    back = backward(stack, passed, jax.random.normal(gradients, inputs))
    return np.asarray(squared(back), float), np.asarray(channel_variance(passed.stream), float)


def exponent(gradient: Profile) -> float:
    """The e of squared gradients that grow as 1 + e / l at unit l.

    All units' own growth over the sum of 1 / l, which is the weighted mean of l (growth - 1) with
    the least variance. A slope against ln l would be biased: only far above e is the product of
    1 + e / l a power law.

    Args:
      gradient: the squared gradient at each unit's input and, last, at the output.
    """
    growth = gradient[:-1] / gradient[1:] - 1
    return float(np.sum(growth) / np.sum(1 / np.arange(1, len(gradient))))


def _start(shortcut: float) -> float:
    """Variance at which the stream stays, or for shortcut 1 that which one unit adds."""
    added = theory.variance_growth()
    return added / (1 - shortcut**2) if shortcut < 1 else added


def _theory(stack: Stack, batch: int, size: int) -> float:
    """The expected rate, or exponent, or NaN where no theory is known."""
    branch, shortcut = stack.branch, stack.shortcut
    examples = batch if branch.linear == "dense" else batch * size * size  # that a norm is over
    if not branch.rectify:
        base = theory.linear_rate(examples) if shortcut == 0 else math.nan
    elif branch.linear == "zero":
        base = zero_padded_rate(size) if shortcut == 0 else math.nan
    else:
        base = theory.plain_rate(examples)
    gain = base**branch.layers
    return gain if shortcut == 1 else shortcut**2 + (1 - shortcut**2) * gain


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


def _expected_profile(stack: Stack, expected: float) -> Profile:
    if stack.shortcut == 1:
        gain = expected / np.arange(1, stack.units + 1)
        return np.append(np.cumprod(1 + gain[::-1])[::-1], 1.0)
    return expected ** np.arange(stack.units, -1.0, -1.0)


def _records(gradient: Profile, variance: Profile, expected: Profile) -> list[dict]:
    columns = {
        "gradient_norm": np.sqrt(gradient / gradient[-1]),
        "theory": np.sqrt(expected),
        "variance": variance,
    }
    known = {name: values for name, values in columns.items() if np.isfinite(values[0])}
    return [
        {"kind": "unit", "step": 0, "unit": unit + 1}
        | {name: float(values[unit]) for name, values in known.items()}
        for unit in range(len(gradient))
    ]


def _check(shortcut: float, batch: int, units: int, linear: str) -> None:
    if not 0 <= shortcut <= 1:
        raise UserError(f"shortcut={shortcut} is lambda of h(x) = lambda x; give one from 0 to 1")
    if batch <= 3:
        raise UserError(f"batch={batch}: gradients through norms have no mean below 4; give more")
    if units < 12:
        raise UserError(f"units={units}: four at each end are left out of a fit; give 12 or more")
    if linear not in LINEAR:
        raise UserError(f"linear={linear!r} is unknown; {did_you_mean(linear, LINEAR)}")
