"""Linear networks, whose gradients have a closed form, and the range of float32."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from resnet_jax import probes
from resnet_jax.probes import tap


class Linear(nn.Module):
    """x W1 W2 ... Wn."""

    depth: int
    width: int

    @nn.compact
    def __call__(self, x):
        for layer in range(1, self.depth + 1):
            x = nn.Dense(self.width, use_bias=False, name=f"layer{layer}")(x)
        return x


@functools.partial(jax.jit, static_argnums=0)
def compiled_pass(model, params, x, to):
    def loss(params):
        return jnp.sum(model.apply({"params": params}, x) * to) / len(x), None

    _, gradients, readings = probes.value_and_grad(loss)(params)
    return probes.gather(readings, params, gradients)


def one_pass(*given):
    """The pass of L = sum(x W1 ... Wn * to) / batch."""
    return compiled_pass(*given).table().set_index("site")


def test_linear_network():
    """dL/dx_l = C W_n^T ... W_{l+1}^T / B and dL/dW_l = x_{l-1}^T dL/dx_l."""
    rng, depth, width, batch = np.random.default_rng(0), 4, 7, 5
    weights = rng.standard_normal((depth, width, width))
    x, to = rng.standard_normal((2, batch, width))
    params = {f"layer{n}": {"kernel": jnp.float32(w)} for n, w in enumerate(weights, start=1)}
    table = one_pass(Linear(depth, width), params, jnp.float32(x), jnp.float32(to))
    signals = [x]
    for weight in weights:
        signals.append(signals[-1] @ weight)
    delta = to / batch
    for layer in range(depth, 0, -1):
        row, kernel = table.loc[f"layer{layer}"], table.loc[f"layer{layer}/kernel"]
        signal = signals[layer]
        expected = {
            "gradient_norm": np.linalg.norm(delta),
            "gradient_rms": batch * np.sqrt(np.mean(delta**2)),
            "signal_mean": signal.mean(),
            "signal_variance": signal.var(),
            "signal_std": signal.std(),
            "channel_variance": signal.var(axis=0).mean(),
        }
        for name, value in expected.items():
            np.testing.assert_allclose(row[name], value, rtol=1e-5, err_msg=name)
        gradient = np.linalg.norm(signals[layer - 1].T @ delta)
        weight = np.linalg.norm(weights[layer - 1])
        np.testing.assert_allclose(kernel.gradient_norm, gradient, rtol=1e-5)
        np.testing.assert_allclose(kernel.gradient_rms, gradient / width, rtol=1e-5)
        np.testing.assert_allclose(kernel.invariant, gradient * weight, rtol=1e-5)
        assert row.depth == kernel.depth == layer - 1
        delta = delta @ weights[layer - 1].T


@pytest.mark.parametrize("factor", [2.0**-11, 2.0**11])
def test_very_small_and_large_gradients_do_not_underflow_or_overflow(factor):
    """With W = factor I, |dL/dx_l| is exactly factor^(n - l) |dL/dx_n|: 1e-27 and 1e27 here."""
    depth, width = 9, 4
    model = Linear(depth, width)
    kernel = {"kernel": factor * jnp.eye(width)}
    params = {f"layer{layer}": kernel for layer in range(1, depth + 1)}
    table = one_pass(model, params, jnp.zeros((2, width)), jnp.ones((2, width)))
    first, last = table.loc["layer1"].gradient_norm, table.loc[f"layer{depth}"].gradient_norm
    np.testing.assert_allclose(first / last, factor ** (depth - 1), rtol=1e-6)


@pytest.mark.parametrize("size", [0.0, 1e-32, 1e-20, 1.0, 1e20, 1e29])
def test_norm_of_any_size(size):
    direction = np.random.default_rng(0).standard_normal(50).astype(np.float32)
    expected = np.linalg.norm(np.float64(np.float32(size) * direction))
    found = tap.norm_from(tap.sum_squares(jnp.float32(size) * direction))
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize("value", [np.inf, np.nan])
def test_norm_of_infinity_and_nan(value):
    np.testing.assert_equal(float(tap.norm_from(tap.sum_squares(jnp.array([1.0, value])))), value)


def test_joint_norms_of_arrays_of_several_shapes():
    rng = np.random.default_rng(0)
    shapes = {"a": (3, 4), "b": (5,), "c": (3, 4), "d": (1,)}
    leaves = {name: rng.standard_normal(shape) for name, shape in shapes.items()}
    groups = [["c"], ["a", "b"], ["b"], ["d", "c", "a"]]
    expected = [np.linalg.norm(np.concatenate([leaves[n].ravel() for n in g])) for g in groups]
    found = tap.joint_norms({n: jnp.float32(leaf) for n, leaf in leaves.items()}, groups)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
