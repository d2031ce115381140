"""Inference over few seeds: against scipy, and by simulation for the values that occur here.

`table()` prints every simulated figure:

    python -c "from tests.lab import test_inference; print(test_inference.table())"

The guarantees hold for the mean of values that are normal, or exponential in the long tail. They
cannot hold where some seeds fail and none of these is among the first: of five seeds that fail with
a chance of one half, all or none do in 6%; of five that fail with a chance of one in twenty, none
does in 77%. No rule that decides at five seeds can tell. The tests say how often that goes wrong.
"""

import doctest
import functools
import math
from collections.abc import Callable

import numpy as np
import pytest
import scipy.stats

from resnet_jax.lab import inference, statistics
from resnet_jax.lab.formatting import count
from resnet_jax.lab.measures import Measure, describe

LOOKS = (5, 8, 12, 20)
TRIALS = 20_000
ERROR = describe("test_error")
PLAIN = Measure("decades", "decades")  # without tail, floor or bounds

Draw = Callable[[np.random.Generator, tuple[int, int]], np.ndarray]


def two_peaks(rate: float, low: float, high: float) -> Draw:
    """A seed in 1 / rate ends at the high value, give or take 0.3 points."""
    return lambda rng, size: (
        np.where(rng.random(size) < rate, high, low) + 0.3 * rng.normal(size=size)
    )


def counts(examples: int, rate: float, error: float) -> Draw:
    """Mistakes in percent of the examples; a share of seeds has any, the others none."""
    return lambda rng, size: (
        100 / examples * rng.binomial(examples, np.where(rng.random(size) < rate, error, 0.0))
    )


DRAWS: dict[str, tuple[Draw, float]] = {  # values in percent, and their true mean
    "normal": (lambda rng, size: rng.normal(10, 1, size), 10.0),
    "exponential": (lambda rng, size: 10 + rng.exponential(size=size), 11.0),
    "a third of normal": (lambda rng, size: rng.normal(10, 1 / 3, size), 10.0),
    "5 or 80": (two_peaks(0.5, 5, 80), 42.5),
    "0 or 90": (two_peaks(0.5, 0, 90), 45.0),
    "counts of 360": (counts(360, 0.6, 0.01), 0.6),
    "counts of 1437": (counts(1437, 0.5, 0.002), 0.1),
    "rare failures": (two_peaks(0.05, 5, 80), 8.75),
}
PAIRS = {  # what the claim is about, and what it is compared with
    "both normal": ("normal", "normal"),
    "exponential, upper tail": ("exponential", "constant"),
    "exponential, lower tail": ("constant", "exponential"),
    "both exponential": ("exponential", "exponential"),
    "exponential against normal": ("exponential", "normal"),
    "exponential against less normal": ("exponential", "a third of normal"),
    "5 or 80 against normal": ("5 or 80", "normal"),
    "normal against 5 or 80": ("normal", "5 or 80"),
    "0 or 90 against normal": ("0 or 90", "normal"),
    "counts of 360": ("counts of 360", "counts of 360"),
    "counts of 1437": ("counts of 1437", "counts of 1437"),
    "rare failures against normal": ("rare failures", "normal"),
    "normal against rare failures": ("normal", "rare failures"),
}
EXAMPLES = {"counts of 360": 360, "counts of 1437": 1437}
PEAKED = ("5 or 80 against normal", "normal against 5 or 80", "0 or 90 against normal")
SKEWED = [pair for pair in PAIRS if pair not in PEAKED and "rare" not in pair]


def drawn(name: str, rng: np.random.Generator, trials: int) -> tuple[np.ndarray, float]:
    if name == "constant":
        return np.full((trials, max(LOOKS)), 5.0), 5.0
    draw, mean = DRAWS[name]
    return draw(rng, (trials, max(LOOKS))), mean


def one_sided(t: np.ndarray, n: int, share: np.ndarray) -> np.ndarray:
    """`inference.tail_p` of many trials, each with its share of the variance in the tail."""
    grid = np.array([0.0, *inference.TAIL_SHARES[1:]])
    known = np.where(share <= inference.TAIL_SHARES[0], 0, np.searchsorted(grid, share - 1e-9))
    p = np.empty(len(t))
    for each in np.unique(known):
        p[known == each] = inference.tail_p(t[known == each], n, grid[each])
    return p


def p_values(
    a: np.ndarray, b: np.ndarray, margin: float, measure: Measure, examples: float
) -> tuple[np.ndarray, np.ndarray]:
    """One-sided p-values, above and below, of the differences of many trials at once."""
    n, floor = a.shape[1], 100 / examples if examples > 0 else 0.0
    spread = np.maximum((a - b).std(axis=1, ddof=1), floor)
    t = ((a - b).mean(axis=1) - margin) / (spread / math.sqrt(n))
    of_a, of_b = (np.maximum(each.var(axis=1, ddof=1), floor**2) for each in (a, b))
    odds = inference.CAUTION if measure.long_tail else 0.0
    lower, upper = (odds * x / (odds * x + y) for x, y in ((of_b, of_a), (of_a, of_b)))
    return one_sided(t, n, lower), one_sided(-t, n, upper)


@functools.cache
def at_looks(pair: str, trials: int = TRIALS) -> tuple[np.ndarray, np.ndarray]:
    """One-sided p-values at the true mean: above and below, by trial and look."""
    rng = np.random.default_rng(sum(map(ord, pair)))
    (a, mean_a), (b, mean_b) = (drawn(name, rng, trials) for name in PAIRS[pair])
    examples = EXAMPLES.get(pair, math.nan)
    found = [p_values(a[:, :n], b[:, :n], mean_a - mean_b, ERROR, examples) for n in LOOKS]
    above, below = zip(*found, strict=True)
    return np.stack(above, axis=1), np.stack(below, axis=1)


def false_verdicts(pair: str, claims: int, skipped: int = 0) -> float:
    """The chance of any false verdict, in either direction, over all looks but the first few.

    Every claim is true to its margin exactly, so that Holm's first step, Bonferroni's, decides.
    """
    above, below = (each[:, skipped:] for each in at_looks(pair))
    p = (len(LOOKS) - skipped) * 2 * np.minimum(above, below).min(axis=1)
    return 1 - (1 - float(np.mean(claims * p < 0.05))) ** claims


@functools.cache
def coverage(name: str, n: int, trials: int = TRIALS) -> float:
    """How often the 95% interval of the mean of one cell covers it."""
    rng = np.random.default_rng([n, *name.encode()])
    draw, mean = DRAWS[name]
    values = draw(rng, (trials, n))
    floor = 100 / EXAMPLES[name] if name in EXAMPLES else 0.0
    error = np.maximum(values.std(axis=1, ddof=1), floor) / math.sqrt(n)
    t = (values.mean(axis=1) - mean) / error
    p = np.minimum(inference.tail_p(t, n), inference.tail_p(-t, n, 1.0))
    return float(np.mean(p >= 0.025))  # bounds do not change it: the mean is within them


def decided_by(effect: float, claims: int, measure: Measure, trials: int = 5000) -> list[float]:
    """The chance that a claim with so large an effect, in deviations, is decided at each look."""
    rng, std = np.random.default_rng(round(100 * effect)), math.sqrt(0.5)
    a, b = (rng.normal(mean, std, (trials, max(LOOKS))) for mean in (50 + effect, 50))
    found = [2 * p_values(a[:, :n], b[:, :n], 0.0, measure, math.nan)[0] for n in LOOKS]
    p = len(LOOKS) * claims * np.minimum.accumulate(found, axis=0)
    return list(np.mean(p < 0.05, axis=1))


def peeking(looks: tuple[int, ...], trials: int = 20_000) -> float:
    """False verdicts of Student's t at 5% if seeds are added as long as nothing is decided."""
    values = np.random.default_rng(3).normal(size=(trials, max(looks)))
    p = [scipy.stats.ttest_1samp(values[:, :look], 0, axis=1).pvalue for look in looks]
    return float(np.mean(np.min(p, axis=0) < 0.05))


def table() -> str:
    """All simulated figures, as text."""
    rows = [f"False verdicts over the looks {LOOKS}, truth at the margin; 5% is meant"]
    heads = [f"{count(k, 'claim')}{of}" for of in ("", ", from 8") for k in (1, 5)]
    rows += [" " * 34 + "".join(f"{head:>18}" for head in heads)]
    for pair in PAIRS:
        shares = [false_verdicts(pair, k, skipped) for skipped in (0, 1) for k in (1, 5)]
        rows.append(f"{pair:34}" + "".join(f"{share:18.1%}" for share in shares))
    rows += ["", "Coverage of the 95% interval of the mean of one cell, by number of seeds"]
    numbers = (3, 5, 8, 12, 20)
    rows += [f"{'':34}" + "".join(f"{n:8}" for n in numbers)]
    for name in DRAWS:
        rows.append(f"{name:34}" + "".join(f"{coverage(name, n):8.1%}" for n in numbers))
    rows += ["", f"Decided by look {LOOKS}, of claims with an effect in standard deviations"]
    for measure, words in ((PLAIN, "no tail"), (ERROR, "an error")):
        for claims in (1, 5):
            for effect in (1, 2, 4, 8):
                shares = "".join(f"{each:8.0%}" for each in decided_by(effect, claims, measure))
                rows.append(
                    f"{words}, {count(claims, 'claim')}, effect {effect}".ljust(34) + shares
                )
    rows += ["", "Without correction: 3 seeds, then 10: " + f"{peeking((3, 10)):.1%}"]
    rows += [f"Without correction: {LOOKS}: " + f"{peeking(LOOKS):.1%}"]
    return "\n".join(rows)


@pytest.mark.slow
@pytest.mark.parametrize("claims", [1, 5])
@pytest.mark.parametrize("pair", SKEWED)
def test_false_verdicts_over_all_looks_and_claims_are_at_most_5_percent(pair, claims):
    assert false_verdicts(pair, claims) < 0.05 + 3 * standard_error(claims)


def standard_error(claims: int) -> float:
    """Of the share of false verdicts among the trials, if it is 5%."""
    return claims * math.sqrt(0.05 / claims / TRIALS)


@pytest.mark.slow
@pytest.mark.parametrize("pair", PEAKED)
def test_five_seeds_at_one_of_two_peaks_are_a_false_verdict_and_eight_are_rare(pair):
    assert 0.0625 - 0.012 < false_verdicts(pair, 1) < 0.0625 + 0.03  # 2 / 2^5 and a little
    assert false_verdicts(pair, 1, skipped=1) < 0.05
    assert false_verdicts(pair, 5, skipped=1) < 0.05 + 3 * standard_error(5)


@pytest.mark.slow
@pytest.mark.parametrize("n", [3, 5, 8, 12, 20])
@pytest.mark.parametrize("name", [name for name in DRAWS if "rare" not in name])
def test_intervals_cover_the_mean(name, n):
    # Of two peaks, all of n seeds are at one with a chance of 2 / 2^n: a quarter for three seeds.
    least = 0.945 - 2 * 0.5**n if name in ("5 or 80", "0 or 90") else 0.945
    assert coverage(name, n) > min(least, 1 - 2 * 0.5**n - 0.01)


@pytest.mark.slow
def test_rare_failures_are_not_seen():
    """No interval of so few seeds covers the mean more often than a failure is among them."""
    for n in (3, 5, 8):
        assert coverage("rare failures", n) < 1 - 0.95**n + 0.06
    assert inference.share_at_most(0, 5) == pytest.approx(1 - 0.05 ** (1 / 5))


@pytest.mark.slow
@pytest.mark.parametrize("claims", [1, 5])
def test_large_effects_are_decided_at_the_first_look(claims):
    assert decided_by(8, claims, PLAIN)[0] > 0.95
    shares = decided_by(2, claims, PLAIN)
    assert shares == sorted(shares)
    assert shares[-1] > 0.99


@pytest.mark.parametrize("pair", PAIRS)
def test_the_simulation_is_of_what_samples_compute(pair):
    rng, n = np.random.default_rng(0), 5
    (a, _), (b, _) = (drawn(name, rng, 8) for name in PAIRS[pair])
    a, b = a[:, :n] + 1e-3 * rng.normal(size=(8, n)), b[:, :n]  # no two are equal
    examples = EXAMPLES.get(pair, math.nan)
    found = [
        inference.difference(dict(enumerate(x)), dict(enumerate(y)), ERROR, examples)
        for x, y in zip(a, b, strict=True)
    ]
    above, below = p_values(a, b, 1.0, ERROR, examples)
    assert above == pytest.approx([each.p_above(1.0) for each in found])
    assert below == pytest.approx([each.p_below(1.0) for each in found])


def test_looking_again_without_correction_makes_more_false_verdicts():
    assert peeking((3, 10)) == pytest.approx(0.093, abs=0.006)


@pytest.mark.parametrize("n", [3, 5, 20])
def test_without_tail_and_floor_it_is_students_t(n):
    values = np.random.default_rng(n).normal(3, 2, n)
    found = inference.sample(values, PLAIN)
    for side, p in (("greater", found.p_above), ("less", found.p_below)):
        theirs = scipy.stats.ttest_1samp(values, 1.0, alternative=side)
        assert p(1.0) == pytest.approx(theirs.pvalue)
    for confidence in (0.95, 0.999):
        theirs = scipy.stats.ttest_1samp(values, 0).confidence_interval(confidence)
        assert found.interval(confidence) == pytest.approx(theirs)


@pytest.mark.parametrize("n", [3, 5, 12])
def test_bounds_hold_for_exponential_values(n):
    """At the true mean, "it is less" is found in 2.5%; Student's t finds it in 11% or so."""
    values = np.random.default_rng(n).exponential(size=(20_000, n))
    t = (1 - values.mean(1)) / scipy.stats.sem(values, axis=1)
    assert np.mean(inference.tail_p(t, n, 1.0) < 0.025) == pytest.approx(0.025, abs=0.004)
    assert np.mean(inference.tail_p(t, n, 1.0) < 0.0025) == pytest.approx(0.0025, abs=0.0015)
    assert np.mean(scipy.stats.t.sf(t, n - 1) < 0.025) > 0.08


@pytest.mark.parametrize("tail", [0.0, 0.4, 1.0])
def test_critical_values_invert_p_values(tail):
    for n in (3, 5, 12):
        found = [inference.critical(level, n, tail) for level in (0.025, 1e-3, 1e-4, 1e-6)]
        assert inference.tail_p(np.array(found), n, tail) == pytest.approx(
            [0.025, 1e-3, 1e-4, 1e-6], rel=0.02
        )
        students = scipy.stats.t.isf([0.025, 1e-3, 1e-4, 1e-6], n - 1)
        assert np.all(np.array(found) >= students * (1 - 1e-9))


def test_the_far_tail_goes_on_as_the_simulation():
    """Beyond its last hundred trials the p-value follows from theory, as a larger one shows."""
    rng = np.random.default_rng(0)
    values = rng.exponential(size=(1_000_000, 3)) - 1
    t = -values.mean(1) / (values.std(1, ddof=1) / math.sqrt(3))
    for place in (150.0, 300.0):
        share = np.mean(t > place)
        assert inference.tail_p(place, 3, 1.0) == pytest.approx(share, rel=0.35)


def test_the_interval_is_where_p_values_do_not_reject():
    found = inference.difference(
        {0: 9.0, 1: 6.0, 2: 8.0, 3: 20.0, 4: 7.5}, dict.fromkeys(range(5), 5.0), ERROR, 360
    )
    for confidence in (0.95, 0.99):
        low, high = found.interval(confidence)
        level = (1 - confidence) / 2
        one_trial = 1 / 200_000
        assert found.p_above(low) == pytest.approx(level, abs=2 * one_trial)
        assert found.p_below(high) == pytest.approx(level, abs=2 * one_trial)
    assert high - found.mean > found.mean - low  # the long tail is that of the first cell


def test_equal_errors_have_an_interval_and_equal_numbers_have_none():
    low, high = inference.sample([0.0] * 3, ERROR, 360).interval()
    assert low == 0.0
    assert high >= 100 / 360 / math.sqrt(3) * scipy.stats.t.isf(0.025, 2)
    for values in ([0.0] * 3, [2.0, 2.0 + 1e-15, 2.0]):
        found = inference.sample(values, PLAIN)
        assert all(map(math.isnan, found.interval()))
        assert (found.p_above(1.0), found.p_below(1.0)) == (1.0, 1.0)


def test_intervals_stay_within_bounds():
    assert inference.sample([0.0, 3.0, 0.1], ERROR).interval()[0] == 0.0
    assert inference.sample([99.0, 90.0, 99.5], ERROR).interval()[1] == 100.0
    assert (
        inference.difference({0: 90.0, 1: 99.0, 2: 0.0}, {0: 0, 1: 0, 2: 1}, ERROR).interval()[1]
        == 100.0
    )


def test_values_that_are_not_finite_are_left_out():
    assert inference.sample([1.0, math.nan, 3.0, math.inf], ERROR).values == (1.0, 3.0)
    found = inference.difference({0: 1.0, 1: math.nan, 3: 2.0}, {0: 0.5, 1: 1.0, 2: 3.0}, ERROR)
    assert found.values == (0.5,)
    assert math.isnan(found.p_above(0.0))


@pytest.mark.parametrize(
    ("tail", "least"), [(0.0, 3), pytest.param(1.0, 5, marks=pytest.mark.slow)]
)
def test_needed_seeds_decide_four_times_in_five(tail, least):
    for effect in (0.7, 1.5, 4.0):
        n = inference.needed(effect, 0.0125, tail)
        assert n >= least or not tail
        t = np.random.default_rng(n).normal(effect, size=(20_000, n))
        t = t.mean(1) / scipy.stats.sem(t, axis=1)
        assert np.mean(inference.tail_p(t, n, tail) < 0.0125) > 0.78
        power = inference.power(effect, n, 0.0125, tail)
        assert np.mean(inference.tail_p(t, n, tail) < 0.0125) == pytest.approx(power, abs=0.012)
    assert inference.needed(1e-6, 0.025) == inference.MOST_SEEDS


def test_interval_over_examples_agrees_with_scipy():
    for mistakes, examples in ((0, 360), (6, 360), (1437, 1437)):
        theirs = scipy.stats.binomtest(mistakes, examples).proportion_ci(method="wilson")
        ours = inference.of_examples(100 * mistakes / examples, examples)
        assert ours == pytest.approx((100 * theirs.low, 100 * theirs.high), abs=1e-9)
    assert all(map(math.isnan, inference.of_examples(1.0, math.nan)))


def test_what_clean_seeds_prove_agrees_with_scipy():
    for found, n in ((0, 5), (1, 8), (3, 20)):
        theirs = scipy.stats.binomtest(found, n).proportion_ci(0.90, method="exact").high
        assert inference.share_at_most(found, n) == pytest.approx(theirs)
    assert inference.share_at_most(4, 4) == 1.0


def test_examples():
    assert doctest.testmod(inference).failed == 0
    assert doctest.testmod(inference).attempted > 0
    assert statistics.CONFIDENCE == 0.95
