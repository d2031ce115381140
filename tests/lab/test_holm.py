"""Holm's correction against the closed test that it shortens, and its promise by simulation."""

import itertools
import math

import numpy as np
import pytest
import scipy.stats

from resnet_jax.lab.holm import adjust, p_value
from resnet_jax.lab.statistics import summarize


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
def test_it_is_the_closed_test_by_bonferroni(seed: int):
    p = np.random.default_rng(seed).beta(0.3, 3, size=8).round(2).tolist()  # with ties
    assert list(adjust(dict(enumerate(p))).values()) == pytest.approx(by_closed_testing(p))


def test_a_claim_without_runs_counts_too():
    adjusted = adjust({"a": 0.01, "none": math.nan})
    assert adjusted["a"] == 0.02
    assert math.isnan(adjusted["none"])
    assert adjust({}) == {}


def test_one_false_finding_among_ten_claims_is_as_rare_as_promised():
    rng = np.random.default_rng(0)
    trials = []
    for _ in range(1000):
        p = {claim: p_value(summarize(rng.normal(size=5))) for claim in range(10)}
        trials.append((min(p.values()) < 0.05, min(adjust(p).values()) < 0.05))
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
