"""Gradient norms against differences of the loss itself."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from resnet_jax import probes
from resnet_jax.models import ResNet

STEP = 1e-2


def loss_with_shift(loss, params, site, shift):
    """The loss when something is added to the output of one module."""

    def add(call, args, kwargs, context):
        output = call(*args, **kwargs)
        here = context.method_name == "__call__" and "/".join(context.module.path) == site
        return output + shift if here else output

    with nn.intercept_methods(add):
        return loss(params)[0]


SHAPES = {
    "Conv_0": (2, 2, 2, 3),
    "BatchNorm_0": (2, 2, 2, 3),
    "Conv_1": (2, 2, 2, 4),
    "Dense_0": (2, 5),
}


@pytest.mark.parametrize("site", SHAPES)
def test_activation_gradient(site, smooth, drawn, objective):
    model, shape = smooth(), SHAPES[site]
    given = drawn(model, (2, 2, 2, 1))
    loss, params = objective(model, *given), given[0]["params"]

    shifts = STEP * jnp.eye(np.prod(shape)).reshape(-1, *shape)
    at = jax.jit(jax.vmap(lambda shift: loss_with_shift(loss, params, site, shift)))
    gradient = np.asarray(at(shifts) - at(-shifts)) / (2 * STEP)

    row = probes.measure(model, *given, sites=site).table().iloc[0]
    np.testing.assert_allclose(row.gradient_norm, np.linalg.norm(gradient), rtol=2e-3)
    np.testing.assert_allclose(row.gradient_rms, 2 * np.sqrt(np.mean(gradient**2)), rtol=2e-3)


@pytest.mark.parametrize("site", ["Conv_0/kernel", "BatchNorm_1/scale", "Dense_0/bias"])
def test_parameter_gradient(site, smooth, drawn, objective):
    model = smooth()
    given = drawn(model, (4, 4, 4, 1))
    loss, params = objective(model, *given), given[0]["params"]
    layer, leaf = site.split("/")

    def at(shift):
        moved = params[layer] | {leaf: params[layer][leaf] + shift}
        return loss(params | {layer: moved})[0]

    shape = params[layer][leaf].shape
    shifts = STEP * jnp.eye(np.prod(shape)).reshape(-1, *shape)
    at = jax.jit(jax.vmap(at))
    gradient = np.asarray(at(shifts) - at(-shifts)) / (2 * STEP)

    row = probes.measure(model, *given, sites=site).table().iloc[0]
    weight = np.linalg.norm(params[layer][leaf])
    np.testing.assert_allclose(row.gradient_norm, np.linalg.norm(gradient), rtol=2e-3)
    np.testing.assert_allclose(row.gradient_rms, np.sqrt(np.mean(gradient**2)), rtol=2e-3)
    np.testing.assert_allclose(row.weight_norm, weight, rtol=1e-6)
    np.testing.assert_allclose(row.relative, np.linalg.norm(gradient) / weight, rtol=2e-3)


def test_loss_falls_along_a_units_gradient_as_fast_as_its_norm(drawn, objective):
    """The derivative along G / |G| is |G|, here over the kernels of a unit's branch."""
    model = ResNet((1, 1), widths=(4, 6), num_classes=5, shortcut="B")
    given = drawn(model)
    loss, params = objective(model, *given), given[0]["params"]
    _, gradients, readings = jax.jit(probes.value_and_grad(loss, "stage2/unit01"))(params)
    table = probes.gather(readings, params, gradients).table()
    norm = table[table.kind == "unit"].gradient_norm.item()

    def at(step):
        unit, slope = params["stage2"]["unit01"], gradients["stage2"]["unit01"]
        moved = {
            conv: {"kernel": unit[conv]["kernel"] + step * slope[conv]["kernel"] / norm}
            for conv in ("conv1", "conv2")
        }
        return loss(params | {"stage2": {"unit01": unit | moved}})[0]

    at = jax.jit(at)
    np.testing.assert_allclose((at(1e-3) - at(-1e-3)) / 2e-3, norm, rtol=5e-3)
