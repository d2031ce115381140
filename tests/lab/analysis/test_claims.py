"""Verdicts: what supports a claim, what refutes it, and what decides nothing."""

import doctest
import math

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from resnet_jax.lab.analysis import claims
from resnet_jax.lab.analysis.claims import Greater, NotGreater, Verdict

DEEP, SHALLOW = {"depth": 56}, {"depth": 20}
WORSE = Greater("deeper is worse", "train_error", DEEP, SHALLOW, margin=1.0)
NOT_WORSE = NotGreater("deeper is no worse", "train_error", DEEP, SHALLOW, margin=1.0)


def table(
    deep: list[float],
    shallow: list[float],
    status: str = "done",
    measure: str = "train_error",
    examples: float = math.nan,
) -> pd.DataFrame:
    """A runs table of two cells; `status` is that of the first deep run."""
    rows = [(20, seed, "done", value) for seed, value in enumerate(shallow)]
    rows += [(56, seed, "done" if seed else status, value) for seed, value in enumerate(deep)]
    runs = pd.DataFrame(rows, columns=["depth", "seed", "status", measure])
    return runs.assign(train_examples=examples)


@pytest.mark.parametrize(
    ("deep", "worse", "not_worse"),
    [
        ([40.0, 44.0, 42.0], "supported", "refuted"),  # far over the margin
        ([2.0, 2.1, 1.9], "refuted", "supported"),  # no difference, and closely so
        ([1.0, 1.1, 0.9], "refuted", "supported"),  # better
        ([2.0, 9.0, 1.0], "inconclusive", "inconclusive"),  # across the margin
        ([3.0, 3.4, 2.6], "inconclusive", "inconclusive"),  # on the margin
    ],
)
def test_the_interval_decides_against_the_margin(deep, worse, not_worse):
    runs = table(deep, [2.0, 2.0, 2.0])
    assert WORSE(runs).outcome == worse
    assert NOT_WORSE(runs).outcome == not_worse


def test_numbers_agree_with_the_paired_t_test():
    deep, shallow = [40.0, 44.0, 43.0, 47.0], [2.0, 2.5, 3.0, 1.0]
    claim = Greater("it is", "decades", DEEP, SHALLOW, margin=1.0)  # has no long tail
    verdict = claim(table(deep, shallow, measure="decades"))
    theirs = scipy.stats.ttest_rel(deep, shallow)
    assert (verdict.low, verdict.high) == pytest.approx(theirs.confidence_interval(0.95))
    assert verdict.p == pytest.approx(scipy.stats.ttest_rel(np.subtract(deep, 1), shallow).pvalue)
    assert (verdict.estimate, verdict.n) == (pytest.approx(41.375), 4)
    assert verdict.numbers == "+41 log10 ratio (95% interval +36 to +47, 4 pairs)"


def test_cells_are_compared_seed_by_seed():
    # The seeds differ by far more than the depths, yet alike in both.
    assert WORSE(table([12.0, 52.1, 91.9], [10.0, 50.0, 90.0])).outcome == "supported"


@pytest.mark.parametrize("pairs", [0, 1, 2])
def test_fewer_than_three_pairs_are_inconclusive(pairs: int):
    runs = table([90.0] * pairs, [1.0] * pairs)
    assert WORSE(runs).outcome == NOT_WORSE(runs).outcome == "inconclusive"


def test_incomplete_pairs_are_excluded_and_noted():
    verdict = WORSE(table([math.nan, 44.0, 42.0, 43.0], [2.0] * 4, status="failed"))
    assert (verdict.n, verdict.outcome) == (3, "supported")
    assert verdict.notes == ("1 of 4 pairs incomplete: 1 run left out (1 failed)",)
    assert verdict.values == {1: 42.0, 2: 40.0, 3: 41.0}


def test_diverged_runs_count_with_their_declared_value_and_are_noted():
    verdict = WORSE(table([90.0, 90.5, 89.5], [2.0] * 3, status="diverged"))
    assert (verdict.n, verdict.estimate, verdict.outcome) == (3, 88.0, "supported")
    assert verdict.notes == ("1 run diverged, counted as 90%",)


@pytest.mark.parametrize("difference", [0.0, 1.0, 5.0])
def test_equal_differences_decide_nothing_without_a_floor(difference):
    runs = table([2.0 + difference] * 3, [2.0] * 3)
    for verdict in (WORSE(runs), NOT_WORSE(runs)):
        assert (verdict.outcome, verdict.p) == ("inconclusive", 1.0)
        assert math.isnan(verdict.low)
        assert math.isnan(verdict.high)
        assert "all values are equal" in verdict.notes[0]


@pytest.mark.parametrize("noise", [1e-15, 1e-12])
def test_the_spread_of_rounding_decides_nothing(noise):
    verdict = WORSE(table([12.0 + noise, 12.0 - noise, 12.0], [2.0] * 3))
    assert (verdict.outcome, verdict.p) == ("inconclusive", 1.0)


@pytest.mark.parametrize(
    ("difference", "worse", "not_worse"),
    [
        (0.0, "refuted", "supported"),
        (1.0, "inconclusive", "inconclusive"),
        (5.0, "supported", "refuted"),
    ],
)
def test_equal_errors_have_the_spread_of_one_example(difference, worse, not_worse):
    runs = table([2.0 + difference] * 5, [2.0] * 5, examples=1437)
    verdict = WORSE(runs)
    assert (verdict.outcome, NOT_WORSE(runs).outcome) == (worse, not_worse)
    assert verdict.high - verdict.estimate > 100 / 1437 / math.sqrt(5) * 2.77  # t(4, .975)
    assert "0.07 points" in verdict.notes[0]


def test_rule_uses_the_labels_of_the_experiment():
    words = {"depth": "layers"}
    verdict = WORSE(table([3.0] * 3, [2.0] * 3), lambda word: words.get(word, str(word)))
    for part in ("training error", "layers 56 minus 20", "95%", "above 1 percentage point"):
        assert part in verdict.rule
    below = "at or below 1 percentage point"
    assert (
        verdict.rule.index("supported") < verdict.rule.index("refuted") < verdict.rule.index(below)
    )


def test_rule_names_differing_and_shared_axes():
    plain, residual = {"family": "plain", "depth": 56}, {"family": "resnet", "depth": 56}
    runs = pd.DataFrame(columns=["family", "depth", "seed", "status", "train_error"])
    for cell, than, words in [
        (plain, residual, "plain minus resnet (depth 56)"),
        (plain, {**plain, "depth": 20}, "depth 56 minus 20 (plain)"),
        (plain, {**residual, "depth": 20}, "plain, depth 56 minus resnet, depth 20,"),
    ]:
        assert words in Greater("it is", "train_error", cell, than)(runs).rule


def test_unknown_estimates_have_no_number():
    one = Verdict("it is", "inconclusive", "train_error", 3.0, math.nan, math.nan, 1, "rule")
    assert one.numbers == "+3.00 percentage points (no interval from 1 pair)"
    none = Verdict("it is", "inconclusive", "train_error", math.nan, math.nan, math.nan, 0, "")
    assert none.numbers == "no complete pair of runs yet"


def test_the_example_runs():
    assert doctest.testmod(claims).failed == 0
    assert doctest.testmod(claims).attempted > 0


def of_one_cell(values):
    return pd.DataFrame(
        {"depth": 8, "seed": range(len(values)), "status": "done", "train_error": values}
    )


@pytest.mark.parametrize(
    ("values", "outcome"),
    [
        ([5.0, 5.1, 4.9, 5.0], "supported"),
        ([9.0, 9.1, 8.9, 9.0], "refuted"),
        ([5.0, 9.0, 1.0, 5.0], "inconclusive"),
        ([5.0, 5.1], "inconclusive"),
    ],
)
def test_within_compares_the_interval_with_the_range(values, outcome):
    claim = claims.Within("About five", "train_error", {"depth": 8}, low=4.0, high=6.0)
    assert claim(of_one_cell(values)).outcome == outcome


def test_claims_are_judged_together_with_holms_correction():
    # The smaller of two p-values is doubled, and the other is made no smaller than that.
    differences = [1.0, 2.0, 3.0, 1.0, 5.0]
    runs = table([10 + difference for difference in differences], [10.0] * 5, measure="decades")
    claim = claims.Greater("It is worse", "decades", DEEP, SHALLOW)
    assert 0.025 < scipy.stats.ttest_1samp(differences, 0).pvalue < 0.05
    assert [v.outcome for v in claims.judge([claim], runs)] == ["supported"]
    judged = claims.judge([claim, claim], runs)
    assert [v.outcome for v in judged] == ["inconclusive"] * 2
    assert "2 claims" in judged[0].notes[-1]


def test_a_look_that_was_not_begun_is_no_remark():
    claim = claims.Within("small", "train_error", {"depth": 20}, high=5.0)
    rows = {"depth": 20, "seed": range(4), "status": "done", "train_error": [4.0, 5.5, 4.5, 5.2]}
    done = pd.DataFrame(rows)
    waiting = done.assign(seed=done["seed"] + 4, status="missing", train_error=math.nan)
    (at_four,) = claims.judge([claim], done, looks=(4, 8))
    (on_the_way,) = claims.judge([claim], pd.concat([done, waiting]), looks=(4, 8))
    assert at_four.outcome == on_the_way.outcome == "inconclusive"
    assert not any("look at 8" in note for note in at_four.notes)
    assert any("4 of 8 runs" in note for note in on_the_way.notes)
