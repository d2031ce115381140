"""Claims judged together: looks, Holm's correction, futility, and claims of one's own."""

import itertools
import math
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from resnet_jax.errors import UserError
from resnet_jax.lab import inference
from resnet_jax.lab.analysis import claims
from resnet_jax.lab.analysis.claims import Greater, NotGreater, Verdict, Within

LOOKS = (3, 5, 8)
CELLS = tuple({"net": name} for name in "abcd")
COMPARED = [
    Greater("a > b", "decades", CELLS[0], CELLS[1], margin=0.5),
    NotGreater("a <= c", "decades", CELLS[0], CELLS[2]),
    Within("d", "decades", CELLS[3], low=-1.0, high=1.0),
]


def table(values: dict[str, list[float]], measure: str = "decades") -> pd.DataFrame:
    """A runs table, of measures without a long tail by default."""
    rows = [
        (net, seed, "done", x) for net, of_net in values.items() for seed, x in enumerate(of_net)
    ]
    return pd.DataFrame(rows, columns=["net", "seed", "status", measure])


def random_table(seed: int, n: int = 8) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return table({name: list(rng.normal(2 * rng.normal(), 1.0, n)) for name in "abcd"})


def by_definition(runs: pd.DataFrame, looks: tuple[int, ...]) -> list[float]:
    """Adjusted p-values from scipy's t tests, the union bound, and the closed test of Holm."""
    of = {
        name: group.sort_values("seed")["decades"].to_numpy() for name, group in runs.groupby("net")
    }
    p = []
    for values, edges in (
        (of["a"] - of["b"], (0.5,)),
        (of["a"] - of["c"], (0.0,)),
        (of["d"], (-1, 1)),
    ):
        of_looks = []
        for look in looks:
            ends = [
                scipy.stats.ttest_1samp(values[:look], edge, alternative=side).pvalue
                for edge in edges
                for side in ("greater", "less")
            ]
            if len(edges) == 2:
                above_low, below_low, above_high, below_high = ends
                ends = [max(above_low, below_high), min(below_low, above_high)]
            of_looks.append(min(1.0, 2 * min(ends)))
        p.append(min(1.0, len(looks) * min(of_looks)))
    adjusted = []
    for i in range(3):
        sets = [s for k in (1, 2, 3) for s in itertools.combinations(range(3), k) if i in s]
        adjusted.append(max(min(1.0, len(s) * min(p[j] for j in s)) for s in sets))
    return adjusted


@pytest.mark.parametrize("seed", range(6))
def test_p_values_are_corrected_for_looks_and_claims(seed):
    runs = random_table(seed)
    expected = by_definition(runs, LOOKS)
    judged = claims.judge(COMPARED, runs, looks=LOOKS)
    assert [verdict.p_adjusted for verdict in judged] == pytest.approx(expected)
    for verdict, p in zip(judged, expected, strict=True):
        assert (verdict.outcome != "inconclusive") == (p < 0.05) == (verdict.look > 0)
    once = claims.judge(COMPARED, runs)
    assert [verdict.p_adjusted for verdict in once] == pytest.approx(by_definition(runs, (8,)))


@pytest.mark.parametrize("seed", range(6))
def test_the_verdict_is_that_of_the_deciding_interval(seed):
    for verdict in claims.judge(COMPARED, random_table(seed), looks=LOOKS):
        low, high = verdict.deciding
        covered = any(low < margin < high for margin in verdict.margins)
        assert covered == (verdict.outcome == "inconclusive")
        assert low <= verdict.low <= verdict.estimate <= verdict.high <= high


def test_a_verdict_that_was_reached_stays():
    values = {"a": [9.0, 9.1, 8.9, 9.05, 8.95, -30.0, -40.0, -35.0], "b": [0.0] * 8}
    claim = COMPARED[0]
    (first,) = claims.judge([claim], table({k: v[:5] for k, v in values.items()}), looks=LOOKS)
    (later,) = claims.judge([claim], table(values), looks=LOOKS)
    assert (first.outcome, later.outcome) == ("supported", "supported")
    assert later.n == later.look in LOOKS[:2]
    assert "with 8" in later.notes[-1]  # and the estimate with all seeds is told


def test_verdicts_depend_on_the_runs_table_alone():
    runs = random_table(3)
    shuffled = runs.sample(frac=1.0, random_state=0)
    expected = [replace(v, sample=None) for v in claims.judge(COMPARED, runs, looks=LOOKS)]
    found = [replace(v, sample=None) for v in claims.judge(COMPARED, shuffled, looks=LOOKS)]
    for a, b in zip(expected, found, strict=True):
        assert (a.outcome, a.look, a.notes) == (b.outcome, b.look, b.notes)
        assert (a.p_adjusted, *a.deciding) == pytest.approx((b.p_adjusted, *b.deciding))


def test_a_look_counts_once_all_its_runs_have_ended():
    values = {"a": [9.0, 9.1, 8.9], "b": [0.0, 0.1, 0.2]}
    runs = table(values)
    runs.loc[(runs["net"] == "b") & (runs["seed"] == 2), ["status", "decades"]] = [
        "missing",
        math.nan,
    ]
    (verdict,) = claims.judge(COMPARED[:1], runs, looks=LOOKS)
    assert (verdict.outcome, verdict.look) == ("inconclusive", 0)
    assert any("5 of 6 runs" in note for note in verdict.notes)
    runs.loc[runs["status"] == "missing", "status"] = "failed"  # ended, and is left out
    (verdict,) = claims.judge(COMPARED[:1], runs, looks=LOOKS)
    assert verdict.n == 2


def test_claims_may_be_at_different_looks():
    runs = random_table(0)
    runs = runs[runs["net"].isin(["a", "b"]) | (runs["seed"] < 3)]
    judged = claims.judge(COMPARED, runs, looks=LOOKS)
    assert [verdict.n for verdict in judged if not verdict.look] <= [8, 3, 3]
    assert judged[1].n == judged[2].n == 3


@dataclass(frozen=True)
class Own:
    """A claim that says what it was made with."""

    verdict: object
    text: str = "own"
    measure: str = "decades"
    cells: tuple = field(default=CELLS[:1])

    def __call__(self, runs, label=str):
        return self.verdict


def own(outcome: str, **fields) -> Verdict:
    return Verdict("own", outcome, "decades", 1.0, 0.5, 1.5, 8, rule="?", **fields)


def test_a_claim_without_p_value_is_judged_by_its_outcome_and_not_counted():
    runs = random_table(1)
    alone = claims.judge(COMPARED[:2], runs)
    *judged, without = claims.judge([*COMPARED[:2], Own(own("supported"))], runs)
    assert without.outcome == "supported"
    assert any("no correction" in note for note in without.notes)
    assert [v.p_adjusted for v in judged] == [v.p_adjusted for v in alone]
    *judged, with_p = claims.judge([*COMPARED[:2], Own(own("supported", p=0.04))], runs)
    p = sorted([*(v.p for v in alone), 0.04])
    steps = [factor * x for factor, x in zip((3, 2, 1), p, strict=True) if x <= 0.04]
    assert with_p.p_adjusted == pytest.approx(max(steps))
    assert min(v.p_adjusted for v in judged) == pytest.approx(min(1.0, 3 * p[0]))


@pytest.mark.parametrize("n", [0, 1])
def test_a_claim_without_p_value_keeps_its_outcome_for_a_single_value(n: int):
    (verdict,) = claims.judge([Own(replace(own("supported"), n=n))], random_table(0))
    assert verdict.outcome == "supported"
    assert any("no correction" in note for note in verdict.notes)


def test_two_pairs_decide_nothing_and_do_not_stand_for_later_looks():
    # The first two differences are nearly equal: their p-value is below that of all five.
    runs = table({"a": [41.0, 41.1, 21.0, 61.0, 31.0], "b": [1.0] * 5})
    expected = scipy.stats.ttest_1samp(runs["decades"][:5] - 1.0, 0.5).pvalue
    assert scipy.stats.ttest_1samp(runs["decades"][:2] - 1.0, 0.5).pvalue < expected < 0.025
    (verdict,) = claims.judge(COMPARED[:1], runs, looks=(2, 5))
    assert (verdict.outcome, verdict.look) == ("supported", 5)
    assert verdict.p_adjusted == pytest.approx(2 * expected)
    (early,) = claims.judge(COMPARED[:1], runs[runs["seed"] < 2], looks=(2, 5))
    assert (early.outcome, early.p_adjusted) == ("inconclusive", 1.0)
    assert all(map(math.isnan, early.deciding))


def test_a_claim_alone_that_its_p_value_does_not_decide_says_no_word_of_other_claims():
    (verdict,) = claims.judge([Own(own("supported", p=0.2))], random_table(0))
    assert verdict.outcome == "inconclusive"
    assert "0.2" in verdict.notes[-1]
    assert "claims" not in verdict.notes[-1]


@pytest.mark.parametrize("returned", [None, True, ("supported", 0.1)])
def test_a_claim_that_returns_no_verdict_is_an_error(returned):
    with pytest.raises(UserError, match=r"'own'.*returned.*Verdict"):
        claims.judge([Own(returned)], random_table(0))


def test_seeds_that_are_needed_and_futility():
    spread = [-1.0, 1.0, -0.9, 1.1, -1.1, 0.9, 1.0, -1.0]
    close = table({"a": [0.51 + x for x in spread], "b": [0.0] * 8})
    clear = table({"a": [1.55 + x for x in spread], "b": [0.0] * 8})
    (hopeless,) = claims.judge(COMPARED[:1], close, looks=LOOKS)
    (hopeful,) = claims.judge(COMPARED[:1], clear, looks=LOOKS)
    assert hopeless.outcome == hopeful.outcome == "inconclusive"
    assert hopeless.needed == inference.MOST_SEEDS
    assert not claims.worth_more_seeds(hopeless, LOOKS)
    assert 8 < hopeful.needed < 16
    assert claims.worth_more_seeds(hopeful, LOOKS)
    assert claims.seeds_needed(COMPARED[:1], clear, LOOKS) == [hopeful.needed]
    more = claims.seeds_needed(
        COMPARED, pd.concat([clear, table({"c": spread, "d": spread})]), LOOKS
    )
    assert more[0] > hopeful.needed  # of three claims, each faces a third of the level


def test_clean_seeds_prove_little_about_single_seeds():
    runs = table({"a": [0.1, 0.0, 0.2, 0.1, 0.0], "c": [1.0] * 5})
    (verdict,) = claims.judge(COMPARED[1:2], runs)
    assert verdict.outcome == "supported"
    assert any("45%" in note and "none of 5" in note for note in verdict.notes)
    assert verdict.worst == pytest.approx(-0.8)
    (open_one,) = claims.judge(COMPARED[1:2], table({"a": [0.9, 2.0, 0.1], "c": [1.0] * 3}))
    assert not any("seeds" in note for note in open_one.notes)


def test_within_names_the_runs_that_it_leaves_out():
    runs = table({"d": [0.1, 0.2, math.nan, math.nan, math.nan, 0.1]})
    runs["status"] = ["done", "done", "missing", "diverged", "done", "failed"]
    runs.loc[5, "decades"] = math.nan
    note = COMPARED[2](runs).notes[0]
    for part in ("4 of 6 runs", "1 missing", "1 diverged", "1 failed", "not finite"):
        assert part in note
    runs.loc[3, "decades"] = 5.0
    assert any("1 run diverged, counted as 5" in note for note in COMPARED[2](runs).notes)
