"""Ratios of the first to the last unit, their interval and their fits, read from what is drawn."""

import math

import numpy as np
import pytest
from scipy import stats

from resnet_jax.errors import UserError
from resnet_jax.lab.figures import Ratio
from resnet_jax.lab.results.records import Records

GROWTH = 1.2  # as in conftest.py


def test_ratio_divides_first_unit_by_last_unit(grid: Records, lines):
    figure = Ratio(lines="family").draw(grid)
    marks = {label: list(line.get_ydata()) for label, line in lines(figure).items()}
    np.testing.assert_allclose(marks["Plain"], [GROWTH**2, GROWTH**8, GROWTH**26])
    np.testing.assert_allclose(marks["Residual"], [3**0.5, 9**0.5, 27**0.5])
    assert figure.axes[0].get_yscale() == "log"
    assert figure.axes[0].get_ylabel() == "Gradient norm:\nfirst unit / last unit"


def test_every_seed_is_drawn_and_the_interval_is_that_of_the_logarithm(made, at_start):
    def spread(depth, seed):
        rows = at_start("plain", depth, seed)
        rows[0]["gradient_norm"] *= 4.0 ** (seed - 1)
        return rows

    figure = Ratio().draw(made(spread, depth=(8, 20, 56)))
    drawn = [y for x in figure.axes[0].lines if x.get_alpha() for y in x.get_ydata()]
    expected = [GROWTH ** (n - 1) * 4.0**k for n in (3, 9, 27) for k in (-1, 0, 1)]
    np.testing.assert_allclose(sorted(drawn), sorted(expected))
    (bars,) = [x for x in figure.axes[0].collections if len(x.get_segments()) == 3]
    reach = math.log(4) * 4.302653 / math.sqrt(3)  # t(2) at 97.5%, the deviation being ln 4
    for (_, low), (_, high) in bars.get_segments():
        assert math.log(high / low) == pytest.approx(2 * reach, rel=1e-5)


def test_fits_recover_the_growth_laws(grid: Records, keys):
    figure, caption = Ratio(lines="family").draw(grid), Ratio(lines="family").caption(grid)
    fits = [line for line in figure.axes[0].lines if len(line.get_xdata()) == 200]
    assert len(fits) == 4
    exponential = fits[0]  # (depth - 2) / 2 units: the norm grows by the root of GROWTH per layer
    for depth, units in ((8, 3), (20, 9), (56, 27)):
        value = np.interp(depth, exponential.get_xdata(), np.log(exponential.get_ydata()))
        assert value == pytest.approx((units - 1) * math.log(GROWTH))
    assert f"Plain: exponential, a factor of {GROWTH**0.5:.3f} per layer (R² 1.000)" in caption
    assert "Residual: exponential" in caption
    assert {"exponential", "power law"} <= set(keys(figure))


def test_two_depths_have_no_fit(made, at_start, keys):
    found, ratio = made(at_start, depth=(8, 20), family=("plain",)), Ratio(lines="family")
    assert "fit" not in ratio.caption(found)
    assert keys(ratio.draw(found)) == ["Plain"]


def test_runs_without_a_ratio_are_marked_at_the_edges(made, unit, at_edge):
    def ends(depth, seed):
        first, last = {8: (0.0, 1.0), 20: (1.0, 0.0), 56: (1.0, 1.0)}[depth]
        return [unit(1, 3, first), unit(2, 3, 1.0), unit(3, 3, last)]

    found = made(ends, depth=(8, 20, 56))
    figure, caption = Ratio().draw(found), Ratio().caption(found)
    assert (len(at_edge(figure, "v")), len(at_edge(figure, "x"))) == (3, 3)
    assert (set(at_edge(figure, "v")), set(at_edge(figure, "x"))) == ({8}, {20})
    assert "zero (3 runs)" in caption
    assert "not finite (3 runs)" in caption


def test_ratio_needs_an_axis_of_depths(made, at_start):
    with pytest.raises(UserError, match=r"'ratio': .*'family' .*'plain'"):
        Ratio(x="family").draw(made(at_start, family=("plain",), depth=(8,)))


def test_caption_gives_intervals_and_the_law_that_fits_better(made, at_start):
    def spread(family, depth, seed):  # each seed has a rate and an exponent of its own
        rows = at_start(family, depth, 1)
        rows[0]["gradient_norm"] *= math.exp(0.001 * depth * (seed - 1))
        return rows

    families = ("plain", "resnet")
    found = made(spread, depth=(8, 20, 56), family=families)
    caption = Ratio(lines="family").caption(found)
    rates = [math.log(GROWTH) / 2 + 0.001 * k for k in (-1, 0, 1)]
    low, high = stats.t.interval(0.95, 2, np.mean(rates), stats.sem(rates))
    assert f"per layer (95% interval {math.exp(low):.4f} to {math.exp(high):.4f}, R²" in caption
    plain, residual = caption.split("Residual: exponential")
    assert "the exponential fits better" in plain
    assert "the power law fits better" in residual
