"""Summaries against scipy's own, and their coverage against the truth."""

import math

import numpy as np
import pytest
import scipy.stats

from resnet_jax.lab.statistics import (
    Summary,
    bca_interval,
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


def test_pairs_agree_with_the_paired_t_test():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=6), rng.normal(size=6)
    # Seeds may stand in any order: they are paired by number, not by place.
    ours = paired_difference(dict(enumerate(a)), {s: b[s] for s in (3, 1, 5, 0, 2, 4)})
    theirs = scipy.stats.ttest_rel(a, b).confidence_interval(0.95)
    np.testing.assert_allclose([ours.low, ours.high], theirs)
    assert ours.n == 6


def test_a_pair_that_lacks_a_value_is_no_pair():
    difference = paired_difference({0: 5.0, 1: math.nan, 2: 7.0, 3: 1.0}, {0: 1.0, 1: 1.0, 2: 2.0})
    assert (difference.n, difference.mean) == (2, 4.5)


def test_pairing_removes_what_the_seeds_share():
    shared = np.array([0.0, 50.0, 100.0])
    better = shared + np.array([1.0, 1.1, 0.9])
    difference = paired_difference(dict(enumerate(better)), dict(enumerate(shared)))
    assert 0.7 < difference.low < difference.high < 1.3


@pytest.mark.parametrize("interval", [t_interval, bca_interval])
def test_equal_values_have_an_interval_of_no_width(interval):
    assert summarize([3.0, 3.0, 3.0], interval) == Summary(3, 3.0, 0.0, 3.0, 3.0, 3.0)


@pytest.mark.parametrize("interval", [t_interval, bca_interval])
def test_of_one_value_no_spread_is_known(interval):
    one = summarize([3.0], interval)
    assert (one.n, one.mean, one.median) == (1, 3.0, 3.0)
    assert all(map(math.isnan, (one.std, one.low, one.high)))


def test_of_no_value_nothing_is_known():
    none = summarize([math.nan, math.inf])
    assert none.n == 0
    assert all(map(math.isnan, (none.mean, none.std, none.median, none.low, none.high)))


@pytest.mark.parametrize("n", [12, 20, 40])
def test_bca_agrees_with_scipy(n: int):
    values = np.random.default_rng(n).lognormal(size=n)
    theirs = scipy.stats.bootstrap(
        (values,), np.mean, method="BCa", n_resamples=40_000, rng=np.random.default_rng(1)
    ).confidence_interval
    ours = bca_interval(values, resamples=40_000)
    np.testing.assert_allclose(ours, theirs, atol=0.03 * np.std(values))
    # The samples are skewed: an interval without the corrections lies elsewhere by more than that.
    assert abs(sum(ours) - sum(t_interval(values))) > 0.06 * np.std(values)


def covers(interval, n: int, trials: int) -> float:
    rng = np.random.default_rng(n)
    ends = np.array([interval(rng.normal(size=n)) for _ in range(trials)])
    return float(np.mean((ends[:, 0] <= 0) & (ends[:, 1] >= 0)))


@pytest.mark.parametrize("n", [3, 5])
def test_an_interval_of_few_seeds_covers_the_truth_as_often_as_it_says(n: int):
    # The share of 2000 trials has a standard error of half a percent.
    assert covers(t_interval, n, 2000) == pytest.approx(0.95, abs=0.02)


@pytest.mark.slow
def test_the_bootstrap_of_three_seeds_does_not():
    """Why the laboratory's intervals are Student's: the table at the head of `statistics`."""
    assert covers(lambda values: bca_interval(values, resamples=2000), 3, 2000) < 0.8
    assert covers(lambda values: bca_interval(values, resamples=2000), 20, 1000) > 0.9
