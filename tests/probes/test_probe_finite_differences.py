"""Gradient norms against finite differences of the loss."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from flax.traverse_util import flatten_dict, unflatten_dict
from jax.flatten_util import ravel_pytree

from resnet_jax import probes
from resnet_jax.models import from_settings

STEP = 1e-2


SHAPES = {
    "Conv_0": (2, 2, 2, 3),
    "BatchNorm_0": (2, 2, 2, 3),
    "Conv_1": (2, 2, 2, 4),
    "Dense_0": (2, 5),
}


def differences(function, shapes):
    """The gradient of a function of arrays by name, by a central difference for each element."""
    zeros = {name: jnp.zeros(shape) for name, shape in shapes.items()}
    flat, to_arrays = ravel_pytree(zeros)
    steps = STEP * jnp.eye(flat.size)
    at = jax.jit(jax.vmap(lambda step: function(to_arrays(step))))
    return to_arrays((at(steps) - at(-steps)) / (2 * STEP))


@pytest.fixture(scope="module")
def measured(smooth, drawn, objective):
    """The parameters of a network, its loss, and the table of its measurement."""
    given = drawn(smooth(), (2, 2, 2, 1))
    table = probes.measure(smooth(), *given).table()
    return given[0]["params"], objective(smooth(), *given), table.set_index("site")


def test_activation_gradients(measured):
    params, loss, table = measured

    def at(shifts):
        """The loss when something is added to the outputs of modules."""

        def add(call, args, kwargs, context):
            output, site = call(*args, **kwargs), "/".join(context.module.path)
            here = context.method_name == "__call__" and site in shifts
            return output + shifts[site] if here else output

        with nn.intercept_methods(add):
            return loss(params)[0]

    gradients = differences(at, SHAPES)
    for site, gradient in gradients.items():
        row, rms = table.loc[site], 2 * np.sqrt(np.mean(gradient**2))
        np.testing.assert_allclose(row.gradient_norm, np.linalg.norm(gradient), rtol=2e-3)
        np.testing.assert_allclose(row.gradient_rms, rms, rtol=2e-3)


def test_parameter_gradients(measured):
    nested, loss, table = measured
    params = flatten_dict(nested, sep="/")
    sites = ("Conv_0/kernel", "BatchNorm_1/scale", "Dense_0/bias")

    def at(shifts):
        moved = {path: leaf + shifts.get(path, 0.0) for path, leaf in params.items()}
        return loss(unflatten_dict(moved, sep="/"))[0]

    gradients = differences(at, {site: params[site].shape for site in sites})
    for site, gradient in gradients.items():
        row, norm, weight = table.loc[site], np.linalg.norm(gradient), np.linalg.norm(params[site])
        np.testing.assert_allclose(row.gradient_norm, norm, rtol=2e-3)
        np.testing.assert_allclose(row.gradient_rms, np.sqrt(np.mean(gradient**2)), rtol=2e-3)
        np.testing.assert_allclose(row.weight_norm, weight, rtol=1e-6)
        np.testing.assert_allclose(row.relative, norm / weight, rtol=2e-3)


def test_the_slope_of_the_loss_along_a_units_gradient_is_its_norm(drawn, objective):
    """The derivative along G / |G| is |G|, here over the kernels of a unit's branch."""
    model = from_settings((1,), widths=(4,), num_classes=5, shortcut="C")
    given = drawn(model)
    loss, params = objective(model, *given), given[0]["params"]
    _, gradients, readings = jax.jit(probes.value_and_grad(loss, "stage1/unit01"))(params)
    table = probes.gather(readings, params, gradients).table()
    norm = table[table.kind == "unit"].gradient_norm.item()

    def at(step):
        unit, slope = params["stage1"]["unit01"], gradients["stage1"]["unit01"]
        moved = {
            conv: {"kernel": unit[conv]["kernel"] + step * slope[conv]["kernel"] / norm}
            for conv in ("conv1", "conv2")
        }
        return loss(params | {"stage1": {"unit01": unit | moved}})[0]

    at = jax.jit(at)
    np.testing.assert_allclose((at(1e-3) - at(-1e-3)) / 2e-3, norm, rtol=5e-3)
