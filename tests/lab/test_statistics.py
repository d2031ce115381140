"""Summaries and tests against scipy, Holm's correction against the closed test, and coverage."""

import doctest
import itertools
import math

import numpy as np
import pytest
import scipy.stats

from resnet_jax.lab import statistics
from resnet_jax.lab.statistics import (
    Summary,
    holm,
    p_value,
    paired_difference,
    summarize,
    t_interval,
)


@pytest.mark.parametrize("n", [2, 3, 5, 20, 200])
def test_a_summary_agrees_with_scipy(n: int):
    values = np.random.default_rng(n).lognormal(size=n) * 10
    expected = scipy.stats.ttest_1samp(values, 0).confidence_interval(0.95)
    summary = summarize(values)
    assert summary.n == n
    np.testing.assert_allclose(
        [summary.mean, summary.std, summary.median, summary.low, summary.high],
        [np.mean(values), scipy.stats.tstd(values), np.median(values), *expected],
    )


def test_a_summary_by_hand():
    # 4, 6, 8: mean 6, deviation 2; t(2 degrees, .975) = 4.3027 in any table.
    reach = 4.3027 * 2 / math.sqrt(3)
    assert summarize([6.0, 8.0, 4.0]) == Summary(
        3, 6.0, 2.0, 6.0, pytest.approx(6 - reach, abs=1e-3), pytest.approx(6 + reach, abs=1e-3)
    )


def test_paired_difference_agrees_with_scipy():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=6), rng.normal(size=6)
    # Seeds may stand in any order: they are paired by number, not by place.
    ours = paired_difference(dict(enumerate(a)), {s: b[s] for s in (3, 1, 5, 0, 2, 4)})
    theirs = scipy.stats.ttest_rel(a, b).confidence_interval(0.95)
    np.testing.assert_allclose([ours.low, ours.high], theirs)
    assert ours.n == 6


def test_incomplete_pairs_are_excluded():
    difference = paired_difference({0: 5.0, 1: math.nan, 2: 7.0, 3: 1.0}, {0: 1.0, 1: 1.0, 2: 2.0})
    assert (difference.n, difference.mean) == (2, 4.5)


def test_pairing_removes_shared_variance():
    shared = np.array([0.0, 50.0, 100.0])
    better = shared + np.array([1.0, 1.1, 0.9])
    difference = paired_difference(dict(enumerate(better)), dict(enumerate(shared)))
    assert 0.7 < difference.low < difference.high < 1.3


def test_equal_values_have_an_interval_of_zero_width():
    assert summarize([3.0, 3.0, 3.0]) == Summary(3, 3.0, 0.0, 3.0, 3.0, 3.0)


def test_single_value_has_no_spread():
    one = summarize([3.0])
    assert (one.n, one.mean, one.median) == (1, 3.0, 3.0)
    assert all(map(math.isnan, (one.std, one.low, one.high)))


def test_empty_sample_is_nan():
    none = summarize([math.nan, math.inf])
    assert none.n == 0
    assert all(map(math.isnan, (none.mean, none.std, none.median, none.low, none.high)))


@pytest.mark.parametrize("n", [3, 5])
def test_t_interval_has_nominal_coverage(n: int):
    rng = np.random.default_rng(n)
    ends = np.array([t_interval(rng.normal(size=n)) for _ in range(2000)])
    # The share of 2000 trials has a standard error of half a percent.
    covered = np.mean((ends[:, 0] <= 0) & (ends[:, 1] >= 0))
    assert covered == pytest.approx(0.95, abs=0.02)


def test_bootstrap_of_three_seeds_has_too_low_coverage():
    """Why intervals are Student's: the table in the docstring of `statistics`."""
    samples = np.random.default_rng(3).normal(size=(500, 3))
    low, high = scipy.stats.bootstrap(
        (samples,), np.mean, axis=1, method="BCa", n_resamples=999, rng=np.random.default_rng(0)
    ).confidence_interval
    assert np.mean((low <= 0) & (high >= 0)) < 0.8


def by_closed_testing(p: list[float]) -> list[float]:
    """A claim's adjusted p is the worst Bonferroni p over all the sets of claims that hold it."""
    adjusted = [0.0] * len(p)
    for size in range(1, len(p) + 1):
        for group in itertools.combinations(range(len(p)), size):
            bonferroni = min(1.0, size * min(p[i] for i in group))
            for i in group:
                adjusted[i] = max(adjusted[i], bonferroni)
    return adjusted


@pytest.mark.parametrize("seed", range(5))
def test_holm_is_the_closed_bonferroni_test(seed: int):
    p = np.random.default_rng(seed).beta(0.3, 3, size=8).round(2).tolist()  # with ties
    assert list(holm(dict(enumerate(p))).values()) == pytest.approx(by_closed_testing(p))


def test_holm_counts_claims_without_runs():
    adjusted = holm({"a": 0.01, "none": math.nan})
    assert adjusted["a"] == 0.02
    assert math.isnan(adjusted["none"])
    assert holm({}) == {}


def test_holm_controls_the_family_wise_error():
    samples = np.random.default_rng(0).normal(size=(1000, 10, 5))  # trials, claims, seeds
    p = scipy.stats.ttest_1samp(samples, 0, axis=-1).pvalue
    trials = [(min(of) < 0.05, min(holm(dict(enumerate(of))).values()) < 0.05) for of in p]
    uncorrected, corrected = np.mean(trials, axis=0)
    assert uncorrected > 0.3  # 1 - 0.95^10 = 0.40
    assert corrected < 0.05 + 3 * math.sqrt(0.05 * 0.95 / 1000)


@pytest.mark.parametrize("n", [2, 5, 12])
def test_p_values_agree_with_scipy(n: int):
    values = np.random.default_rng(n).normal(1, 2, size=n)
    for than in (0.0, 1.5):
        expected = scipy.stats.ttest_1samp(values, than).pvalue
        assert p_value(summarize(values), than) == pytest.approx(expected)


def test_p_values_without_spread_or_values():
    assert p_value(summarize([2.0, 2.0]), 2.0) == 1
    assert p_value(summarize([2.0, 2.0]), 1.0) == 0
    assert math.isnan(p_value(summarize([2.0])))


def test_examples():
    assert doctest.testmod(statistics) == (0, 1)
