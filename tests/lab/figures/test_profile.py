"""Profiles: known values go in, and are read back from what is drawn."""

import math

import numpy as np
import pytest

from resnet_jax.errors import UserError
from resnet_jax.lab.analysis.growth import Selection
from resnet_jax.lab.figures import HeatMap, Profile, Ratio
from resnet_jax.lab.results.records import Records

GROWTH = 1.2  # as in conftest.py


def test_profile_is_geometric_mean_and_range_of_the_seeds(grid: Records, norm, lines):
    figure = Profile(panels="family", lines="depth").draw(grid)
    for panel, family in enumerate(("plain", "resnet")):
        drawn = lines(figure, panel)["56"]
        expected = [norm(family, 27, i) for i in range(1, 28)]
        np.testing.assert_array_equal(drawn.get_xdata(), range(1, 28))
        np.testing.assert_allclose(drawn.get_ydata(), expected)
        bands = figure.axes[panel].collections
        reached = bands[2].get_paths()[0].vertices[:, 1]
        assert reached.min() == pytest.approx(min(expected) / 2)
        assert reached.max() == pytest.approx(max(expected) * 2)
    plain, residual = figure.axes
    assert [each.get_title(loc="left") for each in figure.axes] == ["Plain", "Residual"]
    assert plain.get_yscale() == residual.get_yscale() == "log"
    assert plain.get_ylim() == residual.get_ylim()
    assert plain.get_ylabel() == "Gradient norm\n(nats per unit of weight)"
    assert plain.get_xlabel() == "Unit, from the input"
    assert list(lines(figure)) == ["8", "20", "56"]


def test_relative_depth_ends_at_one(grid: Records, lines):
    figure = Profile(panels="family", lines="depth", x="relative").draw(grid)
    for line, units in zip(lines(figure).values(), (3, 9, 27), strict=True):
        np.testing.assert_allclose(line.get_xdata(), np.arange(1, units + 1) / units)
    assert figure.axes[0].get_xlabel() == "Unit / number of units"


def test_stage_boundaries_are_marked_on_the_line(grid: Records, keys):
    figure = Profile(lines="depth", where={"family": "plain"}).draw(grid)
    ticks = [line for line in figure.axes[0].lines if line.get_marker() == "|"]
    np.testing.assert_allclose(ticks[1].get_xdata(), [3.5, 6.5])
    np.testing.assert_allclose(ticks[1].get_ydata(), [GROWTH**5.5, GROWTH**2.5])
    assert "stage boundary" in keys(figure)


def test_points_excluded_from_fits_are_open(grid: Records, keys):
    profile = Profile(where={"family": "plain", "depth": 20}, selection=Selection(last=2))
    figure, caption = profile.draw(grid), profile.caption(grid)
    points = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
    by_fill = {line.get_markerfacecolor() == "white": list(line.get_xdata()) for line in points}
    assert by_fill == {False: [1, 2, 3, 5, 6], True: [4, 7, 8, 9]}
    assert {"fitted", "excluded from fits"} <= set(keys(figure))
    assert "(shape change, last units)" in caption


def test_profile_caption(grid: Records):
    caption = Profile(panels="family", lines="depth", says="It grows.").caption(grid)
    assert caption.startswith("It grows. Gradient norm (")
    for part in ("Frobenius norm", "initialization", "geometric mean of 3 seeds", "bands", "stage"):
        assert part in caption
    for part in ("not finite", "zero", "open points", "not shown"):
        assert part not in caption


@pytest.fixture
def zero_branches(made, unit, norm) -> Records:
    """Residual networks whose branches give exactly zero, but for the last unit in one seed."""

    def rows(family, seed):
        values = {i: norm("plain", 9, i) * (family == "plain") for i in range(1, 10)}
        if seed == 0:
            values[9] = 1.0
        return [unit(i, 9, value) for i, value in values.items()]

    return made(rows, family=("plain", "resnet"))


def test_zeros_are_marked_at_the_lower_edge_clear_of_the_line(zero_branches, at_edge, keys):
    profile = Profile(panels="family")
    figure, caption = profile.draw(zero_branches), profile.caption(zero_branches)
    assert at_edge(figure, "v", panel=0) == []
    assert at_edge(figure, "v", panel=1) == list(range(1, 10))
    assert "exactly zero" in keys(figure)
    assert "exactly zero (9 sites)" in caption
    assert "the mean of the others" in caption
    low, high = np.log(figure.axes[1].get_ylim())
    (marks,) = [x for x in figure.axes[1].lines if x.get_marker() == "v"]
    assert low + (high - low) * marks.get_ydata()[0] < 0  # the logarithm of the least value, 1


def test_value_between_zeros_is_a_point(zero_branches):
    figure = Profile(panels="family").draw(zero_branches)
    points = [x for x in figure.axes[1].lines if x.get_marker() == "."]
    assert [(list(x.get_xdata()), list(x.get_ydata())) for x in points] == [([9], [1.0])]
    assert not any(len(x.get_xdata()) for x in figure.axes[0].lines if x.get_marker() == ".")


def test_nonfinite_values_are_marked_at_the_upper_edge(made, unit, at_edge, keys):
    def broken(seed):
        rows = [unit(i, 9, 1.0) for i in range(1, 10)]
        rows[0]["gradient_norm"] = math.inf
        del rows[1]["gradient_norm"]  # how a NaN is recorded
        return rows

    found = made(broken)
    figure, caption = Profile().draw(found), Profile().caption(found)
    assert at_edge(figure, "x") == [1, 2]
    assert keys(figure) == ["stage boundary", "not finite"]
    assert "not finite (2 sites)" in caption
    assert "the mean of the others" not in caption


def test_edge_marks_of_two_lines_do_not_overlap(made, unit):
    found = made(lambda depth, seed: [unit(i, 9, 0.0) for i in range(1, 10)], depth=(20, 56))
    figure = Profile(lines="depth").draw(found)
    heights = {line.get_ydata()[0] for line in figure.axes[0].lines if line.get_marker() == "v"}
    assert len(heights) == 2


def test_crosses_are_clear_of_the_lines(made, unit):
    def last_line(depth, seed):
        rows = [unit(i, 9, 2.0 - i / 10) for i in range(1, 10)]
        rows[0]["gradient_norm"] = math.inf if (depth, seed) == (56, 0) else 1.9
        return rows

    figure = Profile(lines="depth").draw(made(last_line, depth=(8, 20, 56)))
    low, high = np.log(figure.axes[0].get_ylim())
    (marks,) = [x for x in figure.axes[0].lines if x.get_marker() == "x"]
    assert low + (high - low) * marks.get_ydata()[0] > np.log(1.9)


@pytest.mark.parametrize(("scale", "words"), [(1.0, "0.1"), (1e6, "$\\mathdefault{10^{5}}$")])
def test_log_axis_has_plain_numbers_in_a_moderate_range(scale, words, made, unit):
    figure = Profile().draw(made(lambda seed: [unit(i, 9, scale * 0.03 * i) for i in range(1, 10)]))
    axis = figure.axes[0].yaxis
    assert axis.get_major_formatter()(0.1 * scale) == words


@pytest.fixture
def layers(made) -> Records:
    """Records of all kinds of sites: only one of them has the norm 7 at its depth."""

    def rows(seed):
        for depth, layer in enumerate(("conv1", "conv2", "conv1", "conv2"), start=1):
            place = {"kind": "probe", "step": 0, "stage": 1, "unit": 1 + depth // 3, "depth": depth}
            path = f"stage1/unit0{1 + (depth - 1) // 2}"
            for of, site, value in (
                ("parameter", f"{path}/{layer}/kernel", 7.0),
                ("parameter", f"{path}/shortcut/conv/kernel", 5.0),
                ("activation", f"{path}/{layer}", 3.0),
            ):
                yield place | {"of": of, "site": site, "layer": layer, "gradient_norm": value}

    return made(rows)


def test_sites_are_selected_by_kind_and_pattern(layers):
    kernels = Profile(of="parameter", sites="*/kernel").draw(layers)
    line = next(x for x in kernels.axes[0].lines if len(x.get_xdata()) == 4)
    np.testing.assert_allclose(line.get_ydata(), [7.0] * 4)
    outputs = Profile(of="activation", sites="*/conv2").draw(layers)
    line = next(x for x in outputs.axes[0].lines if len(x.get_xdata()) == 2)
    assert list(line.get_xdata()) == [2, 4]
    np.testing.assert_allclose(line.get_ydata(), 3.0)
    assert outputs.axes[0].get_ylabel() == "Gradient norm\n(nats per unit of signal)"
    assert outputs.axes[0].get_xlabel() == "Layer, from the input"


def test_sites_of_equal_depth_are_refused(layers):
    with pytest.raises(UserError, match=r"conv1/kernel' and .*shortcut/conv/kernel' .* same depth"):
        Profile(of="parameter", sites=("*shortcut*", "*")).draw(layers)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"quantity": "gradient_nrom"}, "did you mean 'gradient_norm'"),
        ({"quantity": "signal_std"}, "'signal_std' .* 'unit'"),
        ({"of": "units"}, "did you mean 'unit'"),
    ],
)
@pytest.mark.parametrize("figure", [Profile, Ratio, HeatMap])
def test_unknown_quantity_is_refused_at_construction(figure, given, message):
    with pytest.raises(UserError, match=message):
        figure(**given)


def test_runs_without_the_selected_step_are_counted(made, unit):
    def trained(seed):
        return [unit(i, 3, 10.0**-step, step) for step in (0, 2 - seed // 2) for i in (1, 2, 3)]

    found = made(trained)
    profile = Profile(step=2)
    line = next(x for x in profile.draw(found).axes[0].lines if len(x.get_xdata()) == 3)
    np.testing.assert_allclose(line.get_ydata(), [0.01] * 3)
    assert "after 2 steps" in profile.caption(found)
    assert "1 of 3 runs" in profile.caption(found)


def test_single_seed_has_no_band(made, at_start):
    found = made(at_start, seeds=(0,), family=("plain",), depth=(8, 20))
    caption = Profile(lines="depth", where={"family": "plain"}).caption(found)
    assert "Lines: 1 seed." in caption
    assert "bands" not in caption


def test_cells_outside_the_grid_have_no_line(made, at_start, lines):
    found = made(at_start, family=("plain", "resnet"), depth=(8, 20))
    kept = found.runs[(found.runs["family"] == "plain") | (found.runs["depth"] == 8)]
    found = Records(found.experiment, kept, found.metrics, {}, 0)
    figure = Profile(panels="family", lines="depth").draw(found)
    assert (list(lines(figure, 0)), list(lines(figure, 1))) == (["8", "20"], ["8"])
