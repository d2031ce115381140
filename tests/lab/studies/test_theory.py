"""The formulas against numerical integrals, simulated networks and enumeration."""

import itertools
import math

import numpy as np
import pytest
import scipy.integrate
import scipy.special

from resnet_jax.lab.studies import theory


def relu_product(c: float, slope: bool) -> float:
    """2 E[relu(x) relu(y)], or 2 P(x, y > 0), by numerical integration."""

    def density(y: float, x: float) -> float:
        weight = 1.0 if slope else x * y
        inside = (x * x - 2 * c * x * y + y * y) / (2 * (1 - c * c))
        return weight * math.exp(-inside) / (2 * math.pi * math.sqrt(1 - c * c))

    return 2 * scipy.integrate.dblquad(density, 0, 9, 0, 9)[0]


@pytest.mark.parametrize("c", [-0.5, -1 / 7, 0.0, 0.7])
def test_the_kernel_equals_its_integral(c: float):
    assert theory.kernel(c) == pytest.approx(relu_product(c, slope=False), abs=1e-6)
    assert theory.kernel_slope(c) == pytest.approx(relu_product(c, slope=True), abs=1e-6)


def test_the_kernel_slope_is_the_derivative():
    c, step = np.linspace(-0.9, 0.9, 7), 1e-6
    difference = (theory.kernel(c + step) - theory.kernel(c - step)) / (2 * step)
    np.testing.assert_allclose(theory.kernel_slope(c), difference, atol=1e-8)


def test_published_rates():
    batches = (8, 16, 32, 64, 128, math.inf)
    listed = (1.788, 1.590, 1.522, 1.493, 1.480, 1.467)
    assert [round(theory.plain_rate(batch), 3) for batch in batches] == list(listed)
    assert theory.plain_rate(1e7) == pytest.approx(math.pi / (math.pi - 1), rel=1e-6)


class Layer:
    """Normalization, ReLU and a random linear map, with a handwritten gradient."""

    def __init__(self, rng: np.random.Generator, width: int, relu: bool = True):
        self.weights = rng.normal(size=(width, width)) * math.sqrt(2 / width)
        self.relu = relu

    def forward(self, x: np.ndarray) -> np.ndarray:
        self.deviation = x.std(axis=0)
        self.normal = (x - x.mean(axis=0)) / self.deviation
        self.on = (self.normal > 0) if self.relu else np.ones_like(x)
        return (self.normal * self.on) @ self.weights

    def backward(self, g: np.ndarray) -> np.ndarray:
        # Ioffe and Szegedy 2015: subtract the mean and the projection on the output.
        g = (g @ self.weights.T) * self.on
        along = (g * self.normal).mean(axis=0)
        return (g - g.mean(axis=0) - self.normal * along) / self.deviation


def simulated(seed, batch, width, units, layers=1, shortcut=0.0, relu=True):
    """Squared gradients at the input of each unit and at the output, and the stream's variances."""
    rng = np.random.default_rng(seed)
    added = 1 - 1 / math.pi
    start = added / (1 - shortcut**2) if shortcut < 1 else added
    x, g = rng.normal(size=(2, batch, width))
    x, branches, variances = x * math.sqrt(start), [], []
    for _ in range(units):
        variances.append(x.var(axis=0).mean())
        branch = [Layer(rng, width, relu) for _ in range(layers)]
        out = x
        for layer in branch:
            out = layer.forward(out)
        x, branches = shortcut * x + out, [*branches, branch]
    squares = [np.sum(g**2)]
    for branch in reversed(branches):
        through = g
        for layer in reversed(branch):
            through = layer.backward(through)
        g = shortcut * g + through
        squares.append(np.sum(g**2))
    return np.array(squares[::-1]), np.array(variances)


def test_the_handwritten_gradient_of_the_simulation():
    rng = np.random.default_rng(0)
    layer, (x, g, step) = Layer(rng, 5), rng.normal(size=(3, 7, 5))
    layer.forward(x)
    gradient = layer.backward(g)
    change = np.sum(g * (layer.forward(x + 1e-6 * step) - layer.forward(x - 1e-6 * step))) / 2e-6
    assert np.sum(gradient * step) == pytest.approx(change, rel=1e-5)


def rates(units: int, seeds: int = 4, **network) -> tuple[float, float]:
    """The mean rate over seeds and its standard error, without units at both ends."""
    squares = [simulated(seed, units=units, **network)[0] for seed in range(seeds)]
    values = [np.exp(np.log(s[3] / s[-5]) / (len(s) - 8)) for s in squares]
    return float(np.mean(values)), float(np.std(values, ddof=1) / math.sqrt(seeds))


# Finite width adds an error of the order of batch / width to the sampling error.
WIDTH_ERROR = 0.01


@pytest.mark.parametrize(("batch", "relu"), [(8, True), (16, True), (32, True), (8, False)])
def test_plain_networks_grow_at_the_rate(batch: int, relu: bool):
    expected = theory.plain_rate(batch) if relu else theory.linear_rate(batch)
    rate, error = rates(24, batch=batch, width=256, relu=relu)
    assert error < 0.03
    assert rate == pytest.approx(expected, abs=3 * error + WIDTH_ERROR)


@pytest.mark.parametrize(("shortcut", "layers"), [(0.5, 1), (0.5, 2), (0.8, 1)])
def test_scaled_shortcuts_grow_at_the_rate(shortcut: float, layers: int):
    expected = theory.scaled_shortcut_rate(shortcut, theory.residual_exponent(layers, 32))
    rate, error = rates(24, batch=32, width=256, shortcut=shortcut, layers=layers)
    assert rate == pytest.approx(expected, abs=3 * error + layers * WIDTH_ERROR)


def test_scaled_shortcuts_between_plain_and_residual():
    gain = theory.plain_rate(math.inf)
    assert theory.scaled_shortcut_rate(0.0, gain) == gain
    assert theory.scaled_shortcut_rate(1.0, gain) == 1
    assert theory.scaled_shortcut_rate(0.5, gain) == pytest.approx(1.350, abs=5e-4)  # as listed


@pytest.mark.parametrize("layers", [1, 2])
def test_residual_networks_follow_their_profile(layers: int):
    batch, units = 32, 40
    runs = [simulated(seed, batch, 192, units, layers, 1.0)[0] for seed in range(6)]
    logs = np.array([np.log(squares[:-1] / squares[-1]) for squares in runs])
    error = logs.std(axis=0, ddof=1) / math.sqrt(len(logs))
    exponent = theory.residual_exponent(layers, batch)
    expected = np.log(theory.residual_profile(units, exponent)[:-1])
    off = np.abs(logs.mean(axis=0) - expected)
    assert np.all(off < 4 * error + 0.02 * expected + 0.02)


def test_the_profile_becomes_the_power_law():
    assert theory.residual_exponent(1) == pytest.approx(1.467, abs=5e-4)  # as listed
    assert theory.residual_exponent(2) == pytest.approx(2.152, abs=5e-4)
    profile = theory.residual_profile(20_000, theory.residual_exponent(2))
    slope = math.log(profile[999] / profile[9999]) / math.log(10)
    assert slope == pytest.approx(theory.residual_exponent(2), abs=0.002)


def test_each_unit_adds_the_predicted_variance():
    batch = 32
    slopes = [
        np.polyfit(np.arange(40), simulated(seed, batch, 128, 40, 1, 1.0)[1], 1)[0]
        for seed in range(6)
    ]
    error = np.std(slopes, ddof=1) / math.sqrt(len(slopes))
    assert np.mean(slopes) == pytest.approx(theory.variance_growth(batch), abs=3 * error)
    assert error < 0.04  # excludes 1, the growth of the variance over all elements
    assert theory.variance_growth() == pytest.approx(0.682, abs=5e-4)  # as listed
    assert theory.variance_growth(1e7) == pytest.approx(theory.variance_growth())


def test_path_lengths_by_enumerating_all_paths():
    gains = theory.residual_gain(8, theory.residual_exponent(2, 16))
    weights, lengths = [], []
    for taken in itertools.product((0, 1), repeat=8):
        weights.append(np.prod(np.where(taken, gains, 1.0)))
        lengths.append(sum(taken))
    mean = np.average(lengths, weights=weights)
    assert theory.path_length(8, 2, 16) == pytest.approx(mean)
    counted = np.bincount(lengths, weights) / np.sum(weights)
    np.testing.assert_allclose(theory.path_shares(8, 2, 16), counted)
    listed = [round(theory.path_length(units), 2) for units in (9, 27, 54)]
    assert listed == [3.17, 5.18, 6.58]


def log_norms(width: int, depth: int, draws: int) -> np.ndarray:
    """ln |g|^2 of random plain ReLU networks without normalization."""
    rng = np.random.default_rng(width)
    logs = []
    for _ in range(draws):
        x, g = rng.normal(size=(2, width))
        maps, masks = rng.normal(size=(depth, width, width)) * math.sqrt(2 / width), []
        for each in maps:
            x = each @ x
            masks.append(x > 0)
            x = x * masks[-1]
        for each, mask in zip(maps[::-1], masks[::-1], strict=True):
            g = each.T @ (mask * g)
        logs.append(math.log(np.sum(g**2)))
    return np.array(logs)


@pytest.mark.parametrize(("width", "depth"), [(16, 3), (24, 8)])
def test_the_variance_of_the_log_without_normalization(width: int, depth: int):
    # In the backward pass each ReLU masks a normal vector. The gradient at the input is not masked:
    # its squared norm contributes a chi-squared factor with `width` degrees of freedom.
    draws = 2000
    logs = log_norms(width, depth, draws)
    first = np.var(logs, ddof=1)
    error = math.sqrt((np.mean((logs - logs.mean()) ** 4) - first**2) / draws)
    extra = scipy.special.polygamma(1, width / 2)
    expected = theory.exact_log_variance([width] * depth) + extra
    assert first == pytest.approx(expected, abs=3 * error)
    assert error < 0.06 * expected


def test_the_exact_variance_tends_to_five_over_the_width():
    exact = [theory.exact_log_variance([width]) * width for width in (64, 512, 4096)]
    assert exact[2] == pytest.approx(5, abs=0.01)
    assert exact[0] > exact[1] > exact[2]
    assert theory.log_variance([10, 20]) == pytest.approx(0.75)
