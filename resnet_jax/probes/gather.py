"""Gathering one measurement: activations from readings, parameters and units from gradients."""

import jax.numpy as jnp
from flax.traverse_util import flatten_dict
from jaxtyping import Array, Float, PyTree

from resnet_jax.probes import tap
from resnet_jax.probes.measurement import Measurement, Values
from resnet_jax.probes.norms import joint_norms
from resnet_jax.probes.sites import kernels_within
from resnet_jax.probes.tap import Readings


def gather(
    readings: Readings, params: PyTree, gradients: PyTree, updates: PyTree | None = None
) -> Measurement:
    """All quantities of all sites of a pass.

    Args:
      readings: what `value_and_grad` returned.
      params: the parameters at which the pass was made.
      gradients: its gradients, before clipping and weight decay.
      updates: what is added to the parameters in this step, if known.

    Returns:
      The measurement, a pytree of a few float32 vectors, fit to leave a compiled step.
    """
    layout = readings.layout
    trees = {"weight": params, "gradient": gradients}
    if updates is not None:
        trees["update"] = updates
    leaves = {name: flatten_dict(tree, sep="/") for name, tree in trees.items()}
    paths = [[site.path] for site in layout.parameters]
    kernels = [kernels_within(site.path, leaves["weight"]) for site in layout.units]
    return Measurement(
        activations=tap.quantities(readings.meters),
        parameters=_quantities(leaves, paths),
        units=_quantities(leaves, kernels),
        layout=layout,
    )


def _quantities(leaves: dict[str, dict[str, Array]], groups: list[list[str]]) -> Values:
    """What is reported of groups of parameters, each group taken as one long vector."""
    norms = {name: joint_norms(tree, groups) for name, tree in leaves.items()}
    sizes = jnp.array([_size(leaves["weight"], group) for group in groups], jnp.float32)
    weight, gradient = norms["weight"], norms["gradient"]
    update = {"update_ratio": _ratio(norms["update"], weight)} if "update" in norms else {}
    return {
        "gradient_norm": gradient,
        "gradient_rms": gradient / jnp.sqrt(sizes),
        "weight_norm": weight,
        "relative": _ratio(gradient, weight),
        "invariant": gradient * weight,
        **update,
    }


def _size(leaves: dict[str, Array], group: list[str]) -> int:
    return sum(leaves[path].size for path in group)


def _ratio(
    norm: Float[Array, " groups"], weight: Float[Array, " groups"]
) -> Float[Array, " groups"]:
    """The norm by that of the weights, which has no value where these are zero."""
    return jnp.where(weight > 0, norm / weight, jnp.nan)
