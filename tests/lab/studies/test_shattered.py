"""Autocorrelations against NumPy, gradients against `jax.grad`, and Balduzzi et al.'s result."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from resnet_jax.errors import UserError
from resnet_jax.lab.studies import shattered
from resnet_jax.lab.studies.stack import Branch, Stack, forward, standardize


def test_the_autocorrelation_agrees_with_numpy():
    values = np.random.default_rng(0).normal(size=50).cumsum()
    from_mean = values - values.mean()
    full = np.correlate(from_mean, from_mean, "full")[49:]
    np.testing.assert_allclose(shattered.autocorrelation(values, 5), full[:6] / full[0])


def test_known_signals():
    rng = np.random.default_rng(1)
    noise = rng.normal(size=20_000)
    # White noise has none; in sums of two neighbors, successive values share one of two terms.
    assert abs(shattered.autocorrelation(noise, 1)[1]) < 4 / np.sqrt(20_000)
    assert shattered.autocorrelation(noise[1:] + noise[:-1], 1)[1] == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("normalize", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_the_gradient_is_that_of_the_sum_of_outputs(normalize: bool):
    """Against jax.grad of the whole network."""
    width, points = 8, 12
    stack = Stack(3, Branch(2, normalize=normalize), 1.0, 0.5)
    slopes, offsets, weights, readout = jax.random.split(jax.random.key(5), 4)
    direction, bias = (jax.random.normal(key, (width,)) for key in (slopes, offsets))

    def summed(line: jax.Array) -> jax.Array:
        x = line[:, None] * direction + bias
        out = forward(stack, x, weights).stream[-1]
        return jnp.sum(out @ jax.random.normal(readout, (width,)))

    expected = jax.grad(summed)(jnp.linspace(-2.0, 2.0, points))
    ours = shattered.input_gradient(stack, 5, width, points, 2.0)
    np.testing.assert_allclose(ours, expected, rtol=1e-3, atol=1e-4)


def test_standardized_values_agree_with_float64_where_the_mean_is_large():
    values = np.float32(1000 + np.random.default_rng(2).normal(size=(256, 50)))
    exact = np.float64(values)
    expected = (exact - exact.mean(0)) / exact.std(0)
    # The mean is rounded to float32, here to 6e-5 standard deviations.
    np.testing.assert_allclose(standardize(jnp.asarray(values)), expected, rtol=0, atol=2.5e-4)


def test_no_variance_cancels_in_a_deep_plain_network():
    """With E[x^2] - E[x]^2, seed 59 gave NaN: values that hardly vary along the line."""
    assert np.isfinite(shattered.input_gradient(Stack(50, Branch()), 59, 200, 256, 2.0)).all()


def mean_correlation(**settings) -> float:
    small = {"width": 100, "points": 128, "depth": 24} | settings
    runs = [shattered.measure(seed=seed, **small).final for seed in range(4)]
    return float(np.mean([run["autocorrelation"] for run in runs]))


def test_gradients_shatter_in_plain_networks_but_not_with_shortcuts():
    plain = mean_correlation()
    residual = mean_correlation(shortcut=1.0)
    scaled = mean_correlation(shortcut=1.0, scale=0.1)
    # White noise of 4 x 128 points has a deviation of 0.044.
    assert abs(plain) < 0.18
    assert plain + 0.2 < residual
    assert residual + 0.1 < scaled
    assert mean_correlation(depth=2) > 0.7


def test_records_of_lags_and_points():
    findings = shattered.measure(seed=0, depth=2, width=100, points=128)
    lags = [record for record in findings.records if record["kind"] == "lag"]
    points = [record["gradient"] for record in findings.records if record["kind"] == "point"]
    assert lags[0]["autocorrelation"] == 1
    assert lags[1]["autocorrelation"] == findings.final["autocorrelation"]
    assert np.std(points) == pytest.approx(1)
    assert len(points) == 128


def test_a_depth_that_is_no_multiple_of_the_branch_is_refused():
    with pytest.raises(UserError, match=r"depth=5.*layers=2"):
        shattered.measure(seed=0, depth=5, layers=2)
