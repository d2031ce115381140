"""One forward and one backward pass, and all quantities of all sites that it gives."""

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import optax
from flax import linen as nn
from flax.errors import InvalidRngError
from flax.traverse_util import flatten_dict
from jaxtyping import Array, Float, Int, PyTree

from resnet_jax.errors import UserError
from resnet_jax.probes import tap
from resnet_jax.probes.measurement import Measurement, Values
from resnet_jax.probes.sites import kernels_within, select_sites, trace_calls
from resnet_jax.probes.tap import Readings

Objective = Callable[..., tuple[Float[Array, ""], Any]]
"""From (params, ...) to the scalar to differentiate and an auxiliary output."""

TRAIN_MODE = {
    "train": True,
    "training": True,
    "is_training": True,
    "deterministic": False,
    "use_running_average": False,
}
"""Arguments that switch a network to train mode; `measure` passes those that it accepts."""


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
    """Measures a classifier on one batch, in train mode, by one forward and one backward pass.

    The loss is the mean cross-entropy in nats. Compiled once for each model and batch shape.

    Args:
      model: any Linen module that maps a batch to logits.
      variables: its variables, as `model.init` returns them; not modified.
      images: the batch, as the network takes it.
      labels: class indices, from 0.
      sites: shell patterns of the sites to measure, such as "stage*/unit??" or
        ("*/conv?", "*/kernel"); * matches slashes too.
      label_smoothing: probability mass spread evenly over the classes.
      rngs: a key for each random stream that the network uses in train mode: {"dropout": key}.
      **options: further (hashable) keyword arguments of the network's `__call__`. `train=True` and
        its equivalents in `TRAIN_MODE` are set by default.

    Returns:
      The measurement; its `table()` has one row for each site.

    Raises:
      UserError: a pattern matches no site, the variables have no "params", a random stream has no
        key, or a BatchNorm is in evaluation mode, where at initialization it does not normalize.
    """
    if "params" not in variables:
        raise UserError('the variables have no "params": pass all that `model.init` returns')
    patterns = (sites,) if isinstance(sites, str) else tuple(sites)
    arguments = tuple(sorted((_train_mode(model) | options).items()))
    try:
        return _measure(
            model, variables, images, labels, label_smoothing, rngs, patterns, arguments
        )
    except InvalidRngError as error:
        raise UserError(_rng_advice(error, rngs)) from error


def value_and_grad(
    objective: Objective, sites: str | Sequence[str] = "*"
) -> Callable[..., tuple[tuple[Float[Array, ""], Any], PyTree, Readings]]:
    """Like `jax.value_and_grad(objective, has_aux=True)`, but also reads the network's sites.

    The gradients are those that a pass without probes computes, so that a probed training step can
    update the parameters by them.

    Args:
      objective: a function of (params, ...) that applies a Linen network in train mode and returns
        a scalar (a mean over the batch) and an auxiliary output.
      sites: shell patterns of the sites to read, as for `measure`.

    Returns:
      A function with the arguments of `objective` that returns ((value, aux), gradients, readings).
      It raises a `UserError` if a pattern matches no site.
    """

    def differentiated(
        params: PyTree, *args: Any, **kwargs: Any
    ) -> tuple[tuple[Float[Array, ""], Any], PyTree, Readings]:
        calls = trace_calls(lambda params: objective(params, *args, **kwargs), params)
        layout = select_sites(calls, flatten_dict(params), sites)

        def tapped(params: PyTree, slots: dict[str, Array]) -> tuple[Float[Array, ""], Any]:
            with nn.intercept_methods(tap.tap_outputs(slots)):
                return objective(params, *args, **kwargs)

        differentiate = jax.value_and_grad(tapped, argnums=(0, 1), has_aux=True)
        value, (gradients, read) = differentiate(params, tap.empty_slots(layout))
        rows = [read[site.path] for site in layout.activations]
        stacked = jnp.stack(rows) if rows else jnp.zeros((0, 8), jnp.float32)
        return value, gradients, Readings(stacked, layout)

    return differentiated


def gather(
    readings: Readings, params: PyTree, gradients: PyTree, updates: PyTree | None = None
) -> Measurement:
    """Computes the quantities of all sites of a pass.

    Args:
      readings: as returned by `value_and_grad`.
      params: the parameters that the pass was made with.
      gradients: the gradients that it returned, before clipping and weight decay.
      updates: what the optimizer adds to the parameters, for `update_ratio`.

    Returns:
      The measurement: a pytree of a few float32 vectors, which a compiled step may return.
    """
    layout = readings.layout
    trees = {"weight": params, "gradient": gradients}
    if updates is not None:
        trees["update"] = updates
    leaves = {name: flatten_dict(tree, sep="/") for name, tree in trees.items()}
    paths = [[site.path] for site in layout.parameters]
    kernels = [kernels_within(site.path, leaves["weight"]) for site in layout.units]
    return Measurement(
        activations=tap.quantities(readings.slots),
        parameters=_parameter_quantities(leaves, paths),
        units=_parameter_quantities(leaves, kernels),
        layout=layout,
    )


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
    if readings.layout.frozen:
        raise UserError(
            f"the norm {readings.layout.frozen[0]!r} uses running statistics: measure in train "
            "mode, by the argument with which the network's __call__ selects it"
        )
    return gather(readings, params, gradients)


def _train_mode(model: nn.Module) -> dict[str, bool]:
    accepted = inspect.signature(type(model).__call__).parameters
    return {name: value for name, value in TRAIN_MODE.items() if name in accepted}


def _rng_advice(error: InvalidRngError, rngs: Mapping[str, Array] | None) -> str:
    """A message about a random stream without key that shows how to pass one."""
    stream = _missing_stream(error)
    if stream is None:
        return (
            f'the network needs other random keys in train mode, as rngs={{"name": key}}: {error}'
        )
    given = "".join(f'"{name}": ..., ' for name in rngs or {})
    return (
        f'the network draws from the random stream "{stream}" in train mode: pass '
        f'rngs={{{given}"{stream}": key}}'
    )


def _missing_stream(error: InvalidRngError) -> str | None:
    """The stream that has no key, or None if Flax's message does not have the known form.

    Flax has no attribute for it: its message reads 'Dropout_0 needs PRNG for "dropout"'.
    """
    named = re.search(r"needs PRNG for \"(\w+)\"", str(error))
    return named[1] if named else None


def _parameter_quantities(leaves: dict[str, dict[str, Array]], groups: list[list[str]]) -> Values:
    """The quantities of groups of parameters, each group as one vector."""
    norms = {name: tap.joint_norms(tree, groups) for name, tree in leaves.items()}
    sizes = [sum(leaves["weight"][path].size for path in group) for group in groups]
    weight, gradient = norms["weight"], norms["gradient"]
    update = {"update_ratio": _ratio(norms["update"], weight)} if "update" in norms else {}
    return {
        "gradient_norm": gradient,
        "gradient_rms": gradient / jnp.sqrt(jnp.array(sizes, jnp.float32)),
        "weight_norm": weight,
        "relative": _ratio(gradient, weight),
        "invariant": gradient * weight,
        **update,
    }


def _ratio(
    norm: Float[Array, " groups"], weight: Float[Array, " groups"]
) -> Float[Array, " groups"]:
    """A norm relative to that of the weights; NaN where these are all zero."""
    return jnp.where(weight > 0, norm / weight, jnp.nan)
