"""Fits against scipy's, intervals against the truth by simulation, selections against the rules."""

import doctest
import math

import numpy as np
import pytest
import scipy.stats

from resnet_jax.errors import UserError
from resnet_jax.lab.analysis import growth as growths
from resnet_jax.lab.analysis.growth import (
    Selection,
    first_to_last,
    fit,
    fit_seeds,
    geometric,
    kept,
    line,
    reasons,
)

L = np.arange(1, 31)

# Stem, three stages of three units with two sites each, head.
STAGES = [0, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 0]
UNITS = [0, 1, 1, 2, 2, 3, 3, 1, 1, 2, 2, 3, 3, 1, 1, 2, 2, 3, 3, 0]


def test_lines_agree_with_scipy():
    rng = np.random.default_rng(0)
    norms = np.exp(rng.normal(size=30) - 0.1 * L)
    growth = fit(norms)
    for ours, x in ((growth.exponential, L), (growth.power, np.log(L))):
        theirs = scipy.stats.linregress(x, np.log(norms**2))
        np.testing.assert_allclose(
            [ours.intercept, ours.slope, ours.r2],
            [theirs.intercept, theirs.slope, theirs.rvalue**2],
        )


def test_fits_recover_the_parameters_of_each_law():
    # A norm that shrinks to 0.8 of itself: a squared one to 0.64.
    exponential = fit(3 * 0.8**L)
    assert exponential.rate == pytest.approx(0.64)
    assert exponential.exponential.r2 == pytest.approx(1)
    assert exponential.power.r2 < 0.9
    power = fit(3 * L**-0.75)
    assert power.exponent == pytest.approx(-1.5)
    assert power.power.r2 == pytest.approx(1)
    assert power.exponential.r2 < 0.9


def test_excluded_norms_count_in_the_index():
    norms = 5.0 * L**-1.0
    norms[:3], norms[-4:] = 77.0, 88.0
    mask = np.ones(30, bool)
    mask[:3] = mask[-4:] = False
    growth = fit(norms, mask)
    assert growth.exponent == pytest.approx(-2)
    assert growth.used.tolist() == mask.tolist()
    assert growth.first_to_last == pytest.approx(77 / 88)


def test_zeros_and_nonfinite_norms_are_reported_and_not_fitted():
    norms = 0.9**L
    norms[4], norms[7], norms[9], norms[20] = 0.0, math.inf, math.nan, 0.0
    mask = np.ones(30, bool)
    mask[20] = False  # a zero that was not asked for is none to report
    growth = fit(norms, mask)
    assert (growth.zeros, growth.nonfinite) == ((4,), (7, 9))
    assert growth.rate == pytest.approx(0.81)
    assert np.flatnonzero(~growth.used).tolist() == [4, 7, 9, 20]


def test_too_few_points_have_no_fit():
    growth = fit([1.0, 2.0, 0.0])
    assert math.isnan(growth.rate)
    assert growth.zeros == (2,)
    assert math.isnan(line(np.ones(5), np.arange(5.0)).slope)


def test_constant_profile_is_flat_and_has_no_r2():
    growth = fit([2.0] * 10)
    assert growth.rate == 1
    assert math.isnan(growth.exponential.r2)


def test_ratios_with_zeros():
    assert first_to_last(np.array([3.0, 0.0])) == math.inf
    assert first_to_last(np.array([0.0, 3.0])) == 0
    assert math.isnan(first_to_last(np.zeros(2)))
    assert math.isnan(first_to_last(np.zeros(0)))


@pytest.mark.parametrize(
    ("norms", "mask", "index", "message"),
    [
        ([1.0, -2.0, 1.0], None, None, "norm 1 of the profile is negative"),
        ([1.0, 2.0, 1.0], None, [0, 1, 2], "index of the profile is not positive"),
        ([1.0, 2.0, 1.0], np.ones(2, bool), None, "mask of 2"),
        ([1.0, 2.0, 1.0], None, [1, 2], "2 indices"),
    ],
)
def test_invalid_profiles_are_refused(norms, mask, index, message):
    with pytest.raises(UserError, match=message):
        fit(norms, mask, index)


def profiles(rng: np.random.Generator, seeds: int) -> dict[int, np.ndarray]:
    """ln |g|^2 = -0.3 l plus a random walk: each layer's draw stays in all that come after it."""
    walks = np.cumsum(0.2 * rng.normal(size=(seeds, len(L))), axis=1)
    return dict(enumerate(np.exp((walks - 0.3 * L) / 2)))


@pytest.mark.slow
def test_interval_over_seeds_has_nominal_coverage():
    rng = np.random.default_rng(1)
    rates = [fit_seeds(profiles(rng, 4)).rate for _ in range(800)]
    covered = np.mean([rate.low <= math.exp(-0.3) <= rate.high for rate in rates])
    assert covered == pytest.approx(0.95, abs=0.025)  # its standard error is 0.008


def test_interval_over_layers_has_too_low_coverage():
    """Why layers are never resampled: one seed's own standard error is far too small."""
    rng = np.random.default_rng(2)
    covered = []
    for _ in range(400):
        found = scipy.stats.linregress(L, 2 * np.log(profiles(rng, 1)[0]))
        covered.append(abs(found.slope + 0.3) <= scipy.stats.t.ppf(0.975, 28) * found.stderr)
    assert np.mean(covered) < 0.6


def test_better_law_is_decided_over_seeds():
    rng = np.random.default_rng(3)
    noise = np.exp(0.05 * rng.normal(size=(5, 30)))
    assert fit_seeds(dict(enumerate(0.9**L * noise))).better == "exponential"
    assert fit_seeds(dict(enumerate(L**-1.0 * noise))).better == "power law"
    assert fit_seeds(dict(enumerate(noise))).better == "cannot tell"
    assert fit_seeds({0: 0.9**L}).better == "cannot tell"


def test_means_over_seeds_agree_with_scipy():
    given = profiles(np.random.default_rng(4), 3)
    given[7] = np.zeros(30)  # a dead network has no fit, and is not counted
    growth = fit_seeds(given)
    slopes = [scipy.stats.linregress(L, 2 * np.log(given[seed])).slope for seed in range(3)]
    interval = scipy.stats.ttest_1samp(slopes, 0).confidence_interval()
    assert growth.rate.n == 3
    np.testing.assert_allclose(
        [growth.rate.mean, growth.rate.low, growth.rate.high],
        np.exp([np.mean(slopes), *interval]),
    )
    assert growth.by_seed[7].zeros == tuple(range(30))


def test_a_geometric_mean_by_hand():
    mean = geometric([1.0, 100.0, 10.0, 0.0, math.inf])
    assert (mean.n, mean.mean, mean.median) == (3, pytest.approx(10), pytest.approx(10))
    # ln 10 apart: t(2 degrees, .975) = 4.3027.
    assert mean.high == pytest.approx(10 * 10 ** (4.3027 / math.sqrt(3)), rel=1e-4)


def test_every_excluded_site_has_a_reason():
    assert reasons(STAGES, UNITS, Selection(first=1, last=2)) == [
        "stem",
        *["first units"] * 2,
        *[""] * 4,
        *["shape change"] * 2,
        *[""] * 4,
        *["shape change"] * 2,
        *["last units"] * 4,
        "head",
    ]


def test_default_excludes_the_last_four_units():
    # They are units 3 of stage 2 and 1, 2, 3 of stage 3, whatever else is said of them.
    assert np.flatnonzero(kept(STAGES, UNITS)).tolist() == [1, 2, 3, 4, 5, 6, 9, 10]


def test_rules_can_be_disabled():
    everything = Selection(ends=False, shape_changes=False, last=0)
    assert kept(STAGES, UNITS, everything).all()
    assert not kept(STAGES, UNITS, Selection(last=99)).any()


def test_a_profile_without_ends_or_stages():
    assert kept([1] * 6, range(1, 7)).tolist() == [True, True, False, False, False, False]
    assert reasons([], []) == []
    assert reasons([0, 0], [0, 0]) == ["stem", "stem"]


def test_the_example_runs():
    assert doctest.testmod(growths) == (0, 1)
