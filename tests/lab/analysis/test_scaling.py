"""Scaling laws: fits against scipy, coverage and named laws in simulations, and what has no fit."""

import math
import re
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from resnet_jax.lab.analysis import scaling
from resnet_jax.lab.design.experiment import Experiment
from resnet_jax.lab.results.records import Records

DEPTHS = np.array([20.0, 32.0, 56.0])
FIVE_DEPTHS = np.array([8.0, 20.0, 32.0, 56.0, 110.0])
UNEQUAL = (0.03, 0.1, 0.5)  # spreads that grow with depth, as those of plain networks do


def made(values, axes, seeds=5, measure="response") -> Records:
    """Records of a grid; `values(seed=..., **cell)` is a run's measure."""
    experiment = Experiment(
        question="?",
        base="configs/digits.py",
        axes=axes,
        seeds=range(seeds),
        measures=(measure,),
        diverged={measure: 9.0},
    )
    cells = [{}]
    for axis, along in axes.items():
        cells = [{**cell, axis: value} for cell in cells for value in along]
    rows = [
        {**cell, "seed": seed, "status": "done", measure: values(seed=seed, **cell)}
        for cell in cells
        for seed in range(seeds)
    ]
    return Records(experiment, pd.DataFrame(rows), pd.DataFrame(), {}, 0)


def power(seed, depth, **_):
    return 3.0 * depth ** (1.5 + 0.01 * seed)


def simulated(law, slope, sizes, spread, seeds=5, common=0.5, times=1000):
    """Coverage of b, and how often each law is named; runs of a seed share part of their noise."""
    rng = np.random.default_rng(0)
    mean = 1.0 + slope * scaling.regressor(law, sizes)
    own = rng.normal(size=(times, seeds, len(sizes))) * math.sqrt(1 - common)
    shared = rng.normal(size=(times, seeds, 1)) * math.sqrt(common)
    found = [scaling.fit(sizes, logs) for logs in mean + np.array(spread) * (own + shared)]
    fitted = [each.laws[law] for each in found]
    covered = sum(each.low <= slope <= each.high for each in fitted)
    return covered / times, Counter(each.better for each in found)


def test_the_fit_of_each_seed_is_a_regression_and_the_interval_is_students_t():
    logs = np.random.default_rng(3).normal(size=(4, 5)) + 0.9 * np.log(FIVE_DEPTHS)
    found = scaling.fit(FIVE_DEPTHS, logs)
    for law, z in (("power law", np.log(FIVE_DEPTHS)), ("exponential", FIVE_DEPTHS)):
        slopes = [stats.linregress(z, of_seed).slope for of_seed in logs]
        low, high = stats.t.interval(0.95, 3, np.mean(slopes), stats.sem(slopes))
        mean = stats.linregress(z, logs.mean(axis=0))
        fitted = found.laws[law]
        assert fitted.slope == pytest.approx(np.mean(slopes))
        assert (fitted.low, fitted.high) == pytest.approx((low, high))
        assert (fitted.intercept, fitted.r2) == pytest.approx((mean.intercept, mean.rvalue**2))


@pytest.mark.parametrize(("law", "slope"), [("power law", 1.0), ("exponential", 0.03)])
def test_three_depths_and_five_seeds_cover_the_slope_and_rarely_name_the_wrong_law(law, slope):
    covered, named = simulated(law, slope, DEPTHS, UNEQUAL, times=400)
    assert covered == pytest.approx(0.95, abs=0.03)  # 2.8 standard errors of the simulation
    wrong = ({"power law", "exponential"} - {law}).pop()
    assert named[wrong] <= 0.025 * 400


@pytest.mark.slow
@pytest.mark.parametrize("spread", [UNEQUAL, UNEQUAL[::-1], (0.3, 0.3, 0.3)])
@pytest.mark.parametrize("seeds", [3, 10])
@pytest.mark.parametrize(("law", "slope"), [("power law", 0.3), ("exponential", 0.1)])
def test_coverage_and_wrong_names_over_slopes_spreads_and_seeds(law, slope, spread, seeds):
    covered, named = simulated(law, slope, DEPTHS, spread, seeds)
    assert covered == pytest.approx(0.95, abs=0.025)
    wrong = ({"power law", "exponential"} - {law}).pop()
    assert named[wrong] <= 40  # of 1000; 3 standard errors above 2.5%


@pytest.mark.parametrize(
    ("mean", "std", "better"),
    [  # decades of gradient_norms: plain, residual, pre-activation
        ([-0.02, 0.76, 1.57, 2.98, 6.22], [0.02, 0.02, 0.08, 0.18, 0.37], "exponential"),
        ([-0.10, 0.18, 0.41, 0.67, 1.00], [0.01, 0.04, 0.04, 0.05, 0.07], "power law"),
        ([-0.12, 0.27, 0.52, 0.82, 1.17], [0.03, 0.02, 0.04, 0.05, 0.04], "power law"),
    ],
)
def test_gradients_explode_in_plain_networks_and_follow_a_power_law_in_residual_ones(
    mean, std, better
):
    """Yang et al. 2019: exponential in depth with batch norm, polynomial with shortcuts."""
    noise = np.random.default_rng(1).normal(size=(5, 5))

    def decades(depth, seed):
        place = list(FIVE_DEPTHS).index(depth)
        return mean[place] + std[place] * noise[seed, place]

    depths = {"depth": tuple(int(depth) for depth in FIVE_DEPTHS)}
    (found,) = scaling.fits(made(decades, depths, measure="decades"))
    assert found.scaling.better == better


def test_every_line_of_the_other_axes_is_fitted_and_its_curve_passes_through_the_means():
    axes = {"family": ("plain", "resnet"), "depth": (8, 20, 56)}

    def values(seed, family, depth):
        law = 1.02**depth if family == "plain" else math.sqrt(depth)
        return law * (1 + 0.001 * (seed - 2) * math.log(depth))

    plain, residual = scaling.fits(made(values, axes))
    assert (plain.cell, residual.cell) == ({"family": "plain"}, {"family": "resnet"})
    assert (plain.scaling.better, residual.scaling.better) == ("exponential", "power law")
    at = np.array([8.0, 30.0, 56.0])
    np.testing.assert_allclose(plain.scaling.curve("exponential", at), 1.02**at, rtol=1e-4)
    np.testing.assert_allclose(residual.scaling.curve("power law", at), np.sqrt(at), rtol=1e-4)


def test_a_measure_in_decades_is_a_logarithm_already():
    def decades(depth, seed):
        return math.log10(power(seed, depth)) - 4.0  # negative values are fitted too

    ratio, log = (
        made(power, {"depth": (8, 20, 56)}),
        made(decades, {"depth": (8, 20, 56)}, measure="decades"),
    )
    (of_ratio,), (of_log,) = scaling.fits(ratio), scaling.fits(log)
    slopes = [each.scaling.laws["power law"].slope for each in (of_ratio, of_log)]
    assert slopes[1] == pytest.approx(slopes[0])
    at = np.array([10.0, 40.0])
    drawn = scaling.in_unit(of_log.scaling.curve("power law", at), "decades")
    np.testing.assert_allclose(drawn, np.log10(of_ratio.scaling.curve("power law", at)) - 4.0)
    np.testing.assert_allclose(scaling.in_unit(at, "response"), at)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (lambda seed, depth: max(0.0, depth - 19.0 - seed), "4 of 15 .* 0 or below"),
        (lambda seed, depth: 2.0 + (3 * seed + depth // 12) % 5, "no trend"),
        (
            lambda seed, depth: {20: 1, 32: 9, 56: 5 + 0.1 * seed}[depth],
            r"neither law \(R² .* 0.\d",
        ),
        (lambda seed, depth: 3.0 * depth, "seeds do not differ"),
        (lambda seed, depth: depth if seed < 2 or depth < 50 else math.nan, "every point: 2"),
    ],
)
def test_what_has_no_fit_says_why(values, reason):
    (found,) = scaling.fits(made(values, {"depth": (20, 32, 56)}))
    assert found.scaling is None
    assert re.search(reason, found.reason)


def test_seeds_without_a_run_at_some_depth_are_counted():
    def values(seed, depth):
        return math.nan if depth == 32 and seed > 2 else power(seed, depth)

    (found,) = scaling.fits(made(values, {"depth": (20, 32, 56)}))
    assert (found.seeds, found.others, found.scaling.sizes) == (3, 4, (20, 32, 56))
    exponents = [1.5 + 0.01 * seed for seed in (0, 1, 2)]
    assert found.scaling.laws["power law"].slope == pytest.approx(np.mean(exponents))


@pytest.mark.parametrize(
    "values",
    [(20, 56), ("20", "32", "56"), (0, 1, 2), (False, True), ("wrn16-1", "wrn40-1", "wrn16-2")],
)
def test_axes_that_have_no_scaling(values):
    assert scaling.numeric_axes(made(lambda **_: 1.0, {"depth": values})) == []
