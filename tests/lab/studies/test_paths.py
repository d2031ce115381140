"""Path lengths against an enumeration of all paths, and against theory."""

import itertools
import math

import jax
import numpy as np
import pytest

from resnet_jax.errors import UserError
from resnet_jax.lab.studies import paths
from resnet_jax.lab.studies.stack import Branch, Stack, backward, forward, pull_back


@pytest.fixture
def small():
    """A forward pass through four units, and a gradient at the output."""
    stack = Stack(4, Branch(2), 0.9, 0.7)
    x, gradient = np.random.default_rng(0).standard_normal((2, 16, 128), np.float32)
    return stack, forward(stack, x, jax.random.key(1)), gradient


def test_gradients_by_length_are_sums_over_all_paths(small):
    stack, passed, gradient = small
    walked = np.zeros((5, *gradient.shape))
    for taken in itertools.product((False, True), repeat=4):
        g = gradient
        for unit in (3, 2, 1, 0):
            if taken[unit]:
                x = passed.stream[unit]
                g = stack.scale * pull_back(stack.branch, passed.params[unit], x, g)
            else:
                g = stack.shortcut * g
        walked[sum(taken)] += g
    parts = paths.by_length(stack, passed.params, passed.stream, gradient)
    np.testing.assert_allclose(parts, walked, rtol=1e-4, atol=1e-4)


def test_gradients_by_length_add_up_to_the_gradient(small):
    stack, passed, gradient = small
    parts = paths.by_length(stack, passed.params, passed.stream, gradient)
    whole = backward(stack, passed, gradient)[0]
    np.testing.assert_allclose(parts.sum(axis=0), whole, rtol=1e-4, atol=1e-4)


def test_the_length_in_a_stack_agrees_with_theory():
    seeds, units = 5, 9
    found = [
        paths.measure(seed=seed, units=units, batch=16, width=128).final for seed in range(seeds)
    ]
    lengths = [final["length"] for final in found]
    error = np.std(lengths, ddof=1) / math.sqrt(seeds)
    assert np.mean(lengths) == pytest.approx(found[0]["theory"], abs=4 * error + 0.05)
    assert error < 0.15


def test_shares_sum_to_one_and_agree_with_theory():
    records = paths.measure(seed=0, units=9, batch=16, width=128).records
    shares = np.array([record["share"] for record in records])
    assert shares.sum() == pytest.approx(1)
    assert len(shares) == 10
    np.testing.assert_allclose(shares, [record["theory"] for record in records], atol=0.06)


def test_the_length_in_a_network_of_the_zoo(made):
    """In a plain network all paths have full length; in a residual one they are shorter."""
    shape = {"batch": 8, "image": 8, "seed": 0}
    assert paths.network_length("plain8", **shape) == pytest.approx(3, abs=1e-3)
    residual = paths.network_length("preact8", **shape)
    assert 0.5 < residual < 2.9
    assert paths.measure(network="preact8", batch=8, seed=0).final == {"length": residual}


@pytest.mark.slow
def test_stochastic_depth_is_disabled(made):
    shape = {"batch": 8, "image": 8, "seed": 0}
    drawn = paths.network_length("stochastic8", **shape)
    assert drawn == pytest.approx(paths.network_length("resnet8", **shape))


@pytest.mark.parametrize(
    ("name", "message"),
    [("tutorial-on-the-image", "no learned stem"), ("tutorial-dropout", "dropout")],
)
def test_networks_without_defined_lengths_are_refused(name, message):
    with pytest.raises(UserError, match=message):
        paths.network_length(name, 0, 8, 8)


def test_the_length_does_not_depend_on_the_size_of_the_step(made, monkeypatch):
    wide = paths.network_length("preact8", 1, 8, 8)
    monkeypatch.setattr(paths, "LOG_STEP", 0.02)
    assert paths.network_length("preact8", 1, 8, 8) == pytest.approx(wide, abs=0.01)
