"""One batch: a measurement from outside of any training."""

import inspect
import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import jax
import optax
from flax import linen as nn
from flax.errors import InvalidRngError
from jaxtyping import Array, Float, Int, PyTree

from resnet_jax.errors import UserError
from resnet_jax.probes.differentiate import value_and_grad
from resnet_jax.probes.gather import gather
from resnet_jax.probes.measurement import Measurement

TRAIN_MODE = {
    "train": True,
    "training": True,
    "is_training": True,
    "deterministic": False,
    "use_running_average": False,
}
"""Arguments by which networks are told that they train; those that a network has are passed."""


def measure(
    model: nn.Module,
    variables: Mapping[str, PyTree],
    images: Float[Array, "b *shape"],
    labels: Int[Array, " b"],
    sites: str | Sequence[str] = "*",
    label_smoothing: float = 0.0,
    rngs: Mapping[str, Array] | None = None,
    **options: Any,
) -> Measurement:
    """Measures a classifier at one batch, in train mode, by one forward and one backward pass.

    The loss is the mean cross-entropy in nats. Compiled once for each model and shape.

    Args:
      model: any Linen module that maps a batch to logits.
      variables: its variables; unchanged.
      images: the batch as the network takes it.
      labels: classes, from 0.
      sites: patterns of the sites wanted, as of a shell, such as "stage*/unit??" or
        ("*/conv?", "*/kernel"); * matches slashes too.
      label_smoothing: share of the target spread evenly over the classes.
      rngs: keys by name, where the network draws in train mode: {"dropout": key}.
      **options: hashable keyword arguments of the network's `__call__`. `train=True` and the like
        (`TRAIN_MODE`) are passed unasked.

    Returns:
      The measurement; `.table()` has one row for each site.

    Raises:
      UserError: no site matches a pattern, the variables have no "params", the network draws from
        a random stream that has no key, or a BatchNorm is in evaluation mode, which at
        initialisation is no normalisation at all.
    """
    if "params" not in variables:
        raise UserError('the variables have no "params": give what `model.init` returns, whole')
    patterns = (sites,) if isinstance(sites, str) else tuple(sites)
    named = tuple(sorted((_train_mode(model) | options).items()))
    try:
        return _measure(model, variables, images, labels, label_smoothing, rngs, patterns, named)
    except InvalidRngError as error:
        raise UserError(_lacking(error, rngs)) from error


@partial(jax.jit, static_argnames=("model", "sites", "options"))
def _measure(
    model: nn.Module,
    variables: Mapping[str, PyTree],
    images: Float[Array, "b *shape"],
    labels: Int[Array, " b"],
    label_smoothing: Float[Array, ""],
    rngs: Mapping[str, Array] | None,
    sites: tuple[str, ...],
    options: tuple[tuple[str, Any], ...],
) -> Measurement:
    rest = {name: tree for name, tree in variables.items() if name != "params"}
    keys = None if rngs is None else dict(rngs)

    def objective(params: PyTree) -> tuple[Float[Array, ""], None]:
        given = {"params": params, **rest}
        logits: Any
        logits, _ = model.apply(given, images, rngs=keys, mutable=list(rest), **dict(options))
        targets = optax.smooth_labels(jax.nn.one_hot(labels, logits.shape[-1]), label_smoothing)
        return optax.softmax_cross_entropy(logits, targets).mean(), None

    params = variables["params"]
    _, gradients, readings = value_and_grad(objective, sites)(params)
    _refuse_evaluation_mode(readings.layout.frozen)
    return gather(readings, params, gradients)


def _lacking(error: InvalidRngError, rngs: Mapping[str, Array] | None) -> str:
    """That a stream has no key, and how to give one; the stream stands in Flax's message alone."""
    named = re.search(r"for \"(\w+)\"", str(error))
    if not named:
        return f"rngs: {error}"
    stream = named[1]
    given = "".join(f'"{name}": ..., ' for name in rngs or {})
    return (
        f'the network draws from the random stream "{stream}" in train mode: measure with '
        f'rngs={{{given}"{stream}": key}}, which says what is drawn'
    )


def _train_mode(model: nn.Module) -> dict[str, bool]:
    accepted = inspect.signature(type(model).__call__).parameters
    return {name: value for name, value in TRAIN_MODE.items() if name in accepted}


def _refuse_evaluation_mode(frozen: tuple[str, ...]) -> None:
    if frozen:
        raise UserError(
            f"the norm {frozen[0]!r} uses running statistics: measure in train mode, by the "
            "argument that the network takes for it"
        )
