"""What the figures of probes show: known profiles go in, and are read back from what is drawn."""

import itertools
import json
import math
import re
from collections.abc import Callable, Iterable
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PolyCollection, QuadMesh
from matplotlib.figure import Figure

from resnet_jax.errors import UserError
from resnet_jax.lab.analysis.growth import Selection
from resnet_jax.lab.design.experiment import Experiment
from resnet_jax.lab.figures import HeatMap, Profile, Ratio, Responses, draw_all
from resnet_jax.lab.results.records import Records

SEEDS = (0, 1, 2)
FACTOR = {0: 0.5, 1: 1.0, 2: 2.0}  # of each seed: their geometric mean is 1
GROWTH = 1.2  # of a plain net's norm, for each unit towards the input

Row = dict[str, Any]


def unit(i: int, units: int, value: float, step: int = 0, **quantities: float) -> Row:
    """A record of the i-th unit of a network of three stages."""
    stage, place = divmod(i - 1, units // 3)
    return {
        "kind": "probe",
        "step": step,
        "of": "unit",
        "site": f"stage{stage + 1}/unit{place + 1:02d}",
        "stage": stage + 1,
        "unit": place + 1,
        "layer": "",
        "depth": i,
        "gradient_norm": value,
    } | quantities


def norm(family: str, units: int, i: int) -> float:
    """An exponential for plain networks, a power law for residual ones; 1 at the last unit."""
    return GROWTH ** (units - i) if family == "plain" else math.sqrt(units / i)


def at_start(family: str, depth: int, seed: int) -> list[Row]:
    units = (depth - 2) // 2
    return [unit(i, units, FACTOR[seed] * norm(family, units, i)) for i in range(1, units + 1)]


def made(
    rows: Callable[..., Iterable[Row]],
    seeds: Iterable[int] = SEEDS,
    status: Callable[..., str] = lambda **_: "done",
    figures: tuple = (),
    **axes: tuple,
) -> Records:
    """The records of a full grid, without files; a record is JSON on its way, as it would be."""
    experiment = Experiment(
        question="?",
        base="configs/digits.py",
        axes=axes,
        seeds=tuple(seeds),
        labels={"resnet": "residual", "depth": "layers"},
        figures=figures,
    )
    runs, metrics = [], []
    for values in itertools.product(*axes.values()):
        cell = dict(zip(axes, values, strict=True))
        for seed in seeds:
            run = "-".join(map(str, (*values, seed)))
            ended = status(**cell, seed=seed)
            runs.append({"run": run, **cell, "seed": seed, "status": ended})
            for row in rows(**cell, seed=seed) if ended != "missing" else ():
                metrics.append({"run": run, "split": np.nan, **json.loads(json.dumps(row))})
    columns = ["run", "kind", "split", "step"]
    table = pd.DataFrame(metrics) if metrics else pd.DataFrame(columns=columns)
    return Records(experiment, pd.DataFrame(runs), table, {}, 0)


@pytest.fixture
def grid() -> Records:
    return made(at_start, family=("plain", "resnet"), depth=(8, 20, 56))


def lines(figure: Figure, panel: int = 0) -> dict[str, Any]:
    """The lines of a panel that have a label."""
    return {
        line.get_label(): line
        for line in figure.axes[panel].lines
        if not line.get_label().startswith("_")
    }


def at_edge(figure: Figure, marker: str, panel: int = 0) -> list[float]:
    """The places along the horizontal axis of the marks at the edges of a panel."""
    axes = figure.axes[panel]
    marks = [
        x for x in axes.lines if x.get_marker() == marker and x.get_transform() != axes.transData
    ]
    return [float(x) for line in marks for x in line.get_xdata()]


def keys(figure: Figure) -> list[str]:
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


# Profile


def test_a_profile_is_the_geometric_mean_of_the_seeds_and_their_range(grid: Records):
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


def test_panels_stand_side_by_side_on_one_logarithmic_scale(grid: Records):
    figure = Profile(panels="family", lines="depth").draw(grid)
    plain, residual = figure.axes
    assert [each.get_title(loc="left") for each in figure.axes] == ["Plain", "Residual"]
    assert plain.get_yscale() == residual.get_yscale() == "log"
    assert plain.get_ylim() == residual.get_ylim()
    assert plain.get_ylabel() == "Gradient norm\n(nats per unit of weight)"
    assert plain.get_xlabel() == "Unit, from the input"
    assert list(lines(figure)) == ["8", "20", "56"]


def test_relative_depth_ends_at_one_for_every_network(grid: Records):
    figure = Profile(panels="family", lines="depth", x="relative").draw(grid)
    for line, units in zip(lines(figure).values(), (3, 9, 27), strict=True):
        np.testing.assert_allclose(line.get_xdata(), np.arange(1, units + 1) / units)
    assert figure.axes[0].get_xlabel() == "Unit / number of units"


def test_stage_ends_are_marked_between_the_units_and_on_the_line(grid: Records):
    figure = Profile(lines="depth", where={"family": "plain"}).draw(grid)
    ticks = [line for line in figure.axes[0].lines if line.get_marker() == "|"]
    np.testing.assert_allclose(ticks[1].get_xdata(), [3.5, 6.5])
    np.testing.assert_allclose(ticks[1].get_ydata(), [GROWTH**5.5, GROWTH**2.5])
    assert "stage boundary" in keys(figure)


def test_what_a_fit_leaves_out_is_drawn_open(grid: Records):
    profile = Profile(where={"family": "plain", "depth": 20}, selection=Selection(last=2))
    figure, caption = profile.draw(grid), profile.caption(grid)
    points = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
    by_fill = {line.get_markerfacecolor() == "white": list(line.get_xdata()) for line in points}
    assert by_fill == {False: [1, 2, 3, 5, 6], True: [4, 7, 8, 9]}
    assert {"fitted", "excluded from fits"} <= set(keys(figure))
    assert "open points are excluded (shape change, last units)." in caption


def test_the_caption_of_a_profile_says_what_is_drawn(grid: Records):
    profile = Profile(panels="family", lines="depth", says="Plain gradients explode.")
    assert profile.caption(grid) == (
        "Plain gradients explode. Gradient norm (Frobenius norm, not squared) of all convolution "
        "kernels of each unit, at initialization. Lines: geometric mean of 3 seeds. Bands: range "
        "of the seeds. Vertical ticks on a line: stage boundaries."
    )


def zero_branches(family: str, seed: int) -> list[Row]:
    """A residual network whose branches give exactly zero, but for the last unit in one seed."""
    values = {i: norm("plain", 9, i) * (family == "plain") for i in range(1, 10)}
    if seed == 0:
        values[9] = 1.0
    return [unit(i, 9, value) for i, value in values.items()]


def test_zeros_are_drawn_at_the_edge_and_named():
    found = made(zero_branches, family=("plain", "resnet"))
    profile = Profile(panels="family")
    figure, caption = profile.draw(found), profile.caption(found)
    assert at_edge(figure, "v", panel=0) == []
    assert at_edge(figure, "v", panel=1) == list(range(1, 10))
    assert "exactly zero" in keys(figure)
    assert "Triangles at the lower edge: exactly zero (9 sites)." in caption
    assert "Where only some seeds are so marked, the line is the mean of the others." in caption


def test_a_value_between_zeros_is_a_point_as_no_line_reaches_it():
    figure = Profile(panels="family").draw(made(zero_branches, family=("plain", "resnet")))
    points = [x for x in figure.axes[1].lines if x.get_marker() == "."]
    assert [(list(x.get_xdata()), list(x.get_ydata())) for x in points] == [([9], [1.0])]
    assert not any(len(x.get_xdata()) for x in figure.axes[0].lines if x.get_marker() == ".")


def test_marks_at_an_edge_stand_clear_of_the_lines():
    figure = Profile(panels="family").draw(made(zero_branches, family=("plain", "resnet")))
    low, high = np.log(figure.axes[1].get_ylim())
    (marks,) = [x for x in figure.axes[1].lines if x.get_marker() == "v"]
    assert low + (high - low) * marks.get_ydata()[0] < 0  # the logarithm of the least value, 1


def broken(seed: int) -> list[Row]:
    rows = [unit(i, 9, 1.0) for i in range(1, 10)]
    rows[0]["gradient_norm"] = math.inf
    del rows[1]["gradient_norm"]  # how a NaN is recorded
    return rows


def test_what_is_not_finite_is_drawn_at_the_edge_and_named():
    found = made(broken)
    figure, caption = Profile().draw(found), Profile().caption(found)
    assert at_edge(figure, "x") == [1, 2]
    assert keys(figure) == ["stage boundary", "not finite"]
    assert "Crosses at the upper edge: not finite (2 sites)." in caption
    assert "Where only some" not in caption


def test_marks_of_two_lines_at_an_edge_do_not_hide_each_other():
    found = made(lambda depth, seed: [unit(i, 9, 0.0) for i in range(1, 10)], depth=(20, 56))
    figure = Profile(lines="depth").draw(found)
    heights = {line.get_ydata()[0] for line in figure.axes[0].lines if line.get_marker() == "v"}
    assert len(heights) == 2


def test_crosses_stand_clear_of_the_line_below_them():
    def last_line(depth: int, seed: int) -> list[Row]:
        rows = [unit(i, 9, 2.0 - i / 10) for i in range(1, 10)]
        rows[0]["gradient_norm"] = math.inf if (depth, seed) == (56, 0) else 1.9
        return rows

    figure = Profile(lines="depth").draw(made(last_line, depth=(8, 20, 56)))
    low, high = np.log(figure.axes[0].get_ylim())
    (marks,) = [x for x in figure.axes[0].lines if x.get_marker() == "x"]
    assert low + (high - low) * marks.get_ydata()[0] > np.log(1.9)


@pytest.mark.parametrize(("scale", "words"), [(1.0, "0.1"), (1e6, "$\\mathdefault{10^{5}}$")])
def test_numbers_of_a_log_axis_are_plain_where_they_are_short(scale, words):
    figure = Profile().draw(made(lambda seed: [unit(i, 9, scale * 0.03 * i) for i in range(1, 10)]))
    axis = figure.axes[0].yaxis
    assert axis.get_major_formatter()(0.1 * scale) == words


def layers(seed: int) -> list[Row]:
    """Records of all kinds of sites: only one of them has the norm 7 at its depth."""
    rows = []
    for depth, layer in enumerate(("conv1", "conv2", "conv1", "conv2"), start=1):
        place = {"kind": "probe", "step": 0, "stage": 1, "unit": 1 + depth // 3, "depth": depth}
        path = f"stage1/unit0{1 + (depth - 1) // 2}"
        for of, site, value in (
            ("parameter", f"{path}/{layer}/kernel", 7.0),
            ("parameter", f"{path}/shortcut/conv/kernel", 5.0),
            ("activation", f"{path}/{layer}", 3.0),
        ):
            rows.append(place | {"of": of, "site": site, "layer": layer, "gradient_norm": value})
    return rows


def test_sites_are_chosen_by_kind_and_pattern():
    found = made(layers)
    kernels = Profile(of="parameter", sites="*/kernel").draw(found)
    (line,) = [x for x in kernels.axes[0].lines if len(x.get_xdata()) == 4]
    np.testing.assert_allclose(line.get_ydata(), 7.0)
    outputs = Profile(of="activation", sites="*/conv2").draw(found)
    (line,) = [x for x in outputs.axes[0].lines if len(x.get_xdata()) == 2]
    assert list(line.get_xdata()) == [2, 4]
    np.testing.assert_allclose(line.get_ydata(), 3.0)
    assert outputs.axes[0].get_ylabel() == "Gradient norm\n(nats per unit of signal)"
    assert outputs.axes[0].get_xlabel() == "Layer, from the input"


def test_two_sites_of_one_depth_make_no_profile():
    found = made(layers)
    with pytest.raises(UserError, match=r"shortcut/conv/kernel.*have the same depth"):
        Profile(of="parameter", sites=("*shortcut*", "*")).draw(found)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"quantity": "gradient_nrom"}, "did you mean 'gradient_norm'"),
        ({"quantity": "signal_std"}, "'signal_std' is not recorded for sites of kind 'unit'"),
        ({"of": "units"}, "did you mean 'unit'"),
    ],
)
@pytest.mark.parametrize("figure", [Profile, Ratio, HeatMap])
def test_a_quantity_that_does_not_exist_is_refused_before_anything_runs(figure, given, message):
    with pytest.raises(UserError, match=message):
        figure(**given)


def test_a_step_is_chosen_and_runs_without_it_are_counted():
    def trained(seed: int) -> list[Row]:
        return [unit(i, 3, 10.0**-step, step) for step in (0, 2 - seed // 2) for i in (1, 2, 3)]

    found = made(trained)
    profile = Profile(step=2)
    (line,) = [x for x in profile.draw(found).axes[0].lines if len(x.get_xdata()) == 3]
    np.testing.assert_allclose(line.get_ydata(), 0.01)
    assert "after 2 steps" in profile.caption(found)
    assert "1 of 3 runs has no such record and is not shown." in profile.caption(found)


# Ratio


def ratio_marks(figure: Figure) -> dict[str, list[float]]:
    return {label: list(line.get_ydata()) for label, line in lines(figure).items()}


def test_a_ratio_is_that_of_the_first_to_the_last_unit(grid: Records):
    figure = Ratio(lines="family").draw(grid)
    marks = ratio_marks(figure)
    np.testing.assert_allclose(marks["Plain"], [GROWTH**2, GROWTH**8, GROWTH**26])
    np.testing.assert_allclose(marks["Residual"], [3**0.5, 9**0.5, 27**0.5])
    assert figure.axes[0].get_yscale() == "log"
    assert figure.axes[0].get_ylabel() == "Gradient norm:\nfirst unit / last unit"


def spread(depth: int, seed: int) -> list[Row]:
    rows = at_start("plain", depth, seed)
    rows[0]["gradient_norm"] *= 4.0 ** (seed - 1)
    return rows


def test_every_seed_of_a_ratio_is_drawn_and_the_interval_is_that_of_the_logarithm():
    figure = Ratio().draw(made(spread, depth=(8, 20, 56)))
    drawn = [y for x in figure.axes[0].lines if x.get_fillstyle() == "none" for y in x.get_ydata()]
    expected = [GROWTH ** (n - 1) * 4.0**k for n in (3, 9, 27) for k in (-1, 0, 1)]
    np.testing.assert_allclose(sorted(drawn), sorted(expected))
    (bars,) = [x for x in figure.axes[0].collections if len(x.get_segments()) == 3]
    reach = math.log(4) * 4.302653 / math.sqrt(3)  # t(2) at 97.5%, the deviation being ln 4
    for (_, low), (_, high) in bars.get_segments():
        assert math.log(high / low) == pytest.approx(2 * reach, rel=1e-5)


def test_the_law_by_which_ratios_grow_goes_through_them(grid: Records):
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


def test_two_depths_are_not_enough_for_a_fit():
    found, ratio = made(at_start, depth=(8, 20), family=("plain",)), Ratio(lines="family")
    assert "fit" not in ratio.caption(found)
    assert keys(ratio.draw(found)) == ["Plain"]


def test_runs_without_a_ratio_are_named():
    def ends(depth: int, seed: int) -> list[Row]:
        first, last = {8: (0.0, 1.0), 20: (1.0, 0.0), 56: (1.0, 1.0)}[depth]
        return [unit(1, 3, first), unit(2, 3, 1.0), unit(3, 3, last)]

    found = made(ends, depth=(8, 20, 56))
    figure, caption = Ratio().draw(found), Ratio().caption(found)
    assert (len(at_edge(figure, "v")), len(at_edge(figure, "x"))) == (3, 3)
    assert max(at_edge(figure, "v")) < 20 < min(at_edge(figure, "x")) < 56
    assert "Triangles at the lower edge: the first value is zero (3 runs)." in caption
    assert "either value is not finite (3 runs)." in caption


def test_a_ratio_stands_against_depths():
    with pytest.raises(UserError, match="'plain', which is not a depth"):
        Ratio(x="family").draw(made(at_start, family=("plain",), depth=(8,)))


# HeatMap

PROBES = (0, 1, 10, 100)


def trained(family: str, seed: int) -> Iterable[Row]:
    """Norms of 10^-step/50 times those at the start, which are zero in the residual network."""
    for step in PROBES:
        for i in range(1, 10):
            zero = family == "resnet" and step == 0
            value = FACTOR[seed] * norm("plain", 9, i) * 10 ** (-step / 50)
            yield unit(i, 9, 0.0 if zero else value, step)
    for step in range(10, 101, 10):
        rate = 0.1 if step <= 50 else 0.01
        yield {"kind": "train", "step": step, "learning_rate": rate, "loss": 1.0}


def meshes(figure: Figure) -> list[QuadMesh]:
    return [x for axes in figure.axes[:2] for x in axes.collections if isinstance(x, QuadMesh)]


@pytest.mark.parametrize("steps", ["linear", "log"])
def test_a_heat_map_has_a_colour_for_each_unit_and_probe(steps):
    figure = HeatMap(panels="family", steps=steps).draw(made(trained, family=("plain", "resnet")))
    plain, residual = meshes(figure)
    expected = [[norm("plain", 9, i) * 10 ** (-step / 50) for step in PROBES] for i in range(1, 10)]
    np.testing.assert_allclose(plain.get_array(), expected)
    assert residual.get_array()[:, 0].mask.all()
    assert plain.norm is residual.norm
    np.testing.assert_allclose((plain.norm.vmin, plain.norm.vmax), (0.01, GROWTH**8))
    assert figure.axes[-1].get_ylabel() == "Gradient norm\n(nats per unit of weight)"


def test_cells_of_a_heat_map_lie_around_their_steps_and_units():
    figure = HeatMap(where={"family": "plain"}).draw(made(trained, family=("plain", "resnet")))
    corners = meshes(figure)[0].get_coordinates()
    np.testing.assert_allclose(corners[0, :, 0], [-0.5, 0.5, 5.5, 55, 145])
    np.testing.assert_allclose(corners[:, 0, 1], np.arange(0.5, 10))


def test_zeros_of_a_heat_map_are_hatched_and_named():
    found = made(trained, family=("plain", "resnet"))
    heat_map = HeatMap(panels="family")
    figure, caption = heat_map.draw(found), heat_map.caption(found)
    hatched = [x for x in figure.axes[1].collections if isinstance(x, PolyCollection)]
    (zeros,) = [x for x in hatched if x.get_hatch()]
    assert len(zeros.get_paths()) == 9
    assert all(path.vertices[:, 0].max() <= 0.5 for path in zeros.get_paths())
    assert "exactly zero" in keys(figure)
    assert "Striped: exactly zero in some seed (9 cells)." in caption
    assert "of its other seeds" not in caption


def test_drops_of_the_learning_rate_are_marked():
    found = made(trained, family=("plain", "resnet"))
    heat_map = HeatMap(panels="family")
    figure, caption = heat_map.draw(found), heat_map.caption(found)
    assert {x for line in figure.axes[0].lines for x in line.get_xdata() if x > 1} == {50}
    assert "Dashed lines: the learning rate drops to 0.01 at step 50." in caption


def test_a_cosine_has_no_drops():
    def smooth(seed: int) -> Iterable[Row]:
        yield from (unit(i, 3, 1.0, step) for step in (0, 100) for i in (1, 2, 3))
        for step in range(10, 101, 10):
            rate = 0.05 * (1 + math.cos(math.pi * step / 100))
            yield {"kind": "train", "step": step, "learning_rate": rate}

    assert "drops" not in HeatMap().caption(made(smooth))


def test_the_colours_of_a_heat_map_rise_in_grey():
    mapped = matplotlib.colormaps[meshes(HeatMap().draw(made(_still)))[0].cmap.name]
    grey = mapped(np.linspace(0, 1, 64))[:, :3] @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(grey) > 0).all()


def _still(seed: int) -> Iterable[Row]:
    return (unit(i, 3, float(i), step) for step in (0, 10) for i in (1, 2, 3))


# Responses


def responses(family: str, depth: int, seed: int) -> Iterable[Row]:
    """Responses that go up and down with the layer, and by seed by a hundredth."""
    for layer in range(depth - 1):
        value = (1.0 if family == "plain" else 0.4) + 0.1 * (layer * 7 % 5) + 0.01 * (seed - 1)
        yield {
            "kind": "probe",
            "step": 300,
            "of": "activation",
            "site": f"stage1/unit{(layer + 1) // 2:02d}/norm{1 + layer % 2}",
            "stage": 1,
            "unit": (layer + 1) // 2,
            "layer": f"norm{1 + layer % 2}",
            "depth": layer,
            "signal_std": value,
        }


def test_responses_are_drawn_in_order_and_the_largest_first():
    found = made(responses, family=("plain", "resnet"), depth=(8, 20))
    figure = Responses(lines="depth", families="family").draw(found)
    ordered, ranked = figure.axes
    assert len(ordered.lines) == len(ranked.lines) == 4
    expected = [0.4 + 0.1 * (layer * 7 % 5) for layer in range(19)]
    np.testing.assert_allclose(ordered.lines[3].get_ydata(), expected)
    np.testing.assert_allclose(ranked.lines[3].get_ydata(), sorted(expected, reverse=True))
    assert ordered.get_ylim() == ranked.get_ylim()
    assert ordered.get_ylim()[0] == 0


def test_responses_tell_depths_by_colour_and_families_by_dashes():
    found = made(responses, family=("plain", "resnet"), depth=(8, 20))
    figure = Responses(lines="depth", families="family").draw(found)
    drawn = figure.axes[0].lines
    assert [line.get_color() for line in drawn[:2]] == [line.get_color() for line in drawn[2:]]
    assert drawn[0].get_color() != drawn[1].get_color()
    assert [line.is_dashed() for line in drawn] == [True, True, False, False]
    assert keys(figure) == ["8", "20", "Plain", "Residual"]


def test_the_caption_of_responses_says_when_and_of_how_many():
    found = made(responses, family=("plain", "resnet"), depth=(8, 20))
    caption = Responses(lines="depth", families="family").caption(found)
    assert "each norm's output, at the last probe (after 300 steps)." in caption
    assert "Lines: mean of 3 seeds. Bands: range of the seeds." in caption


# All of them

ALL = (
    Profile(panels="family", lines="depth", selection=Selection()),
    Ratio(lines="family"),
    HeatMap(panels="family", where={"depth": 20}),
    Responses(lines="depth", families="family"),
)


def everything(family: str, depth: int, seed: int) -> Iterable[Row]:
    units = (depth - 2) // 2
    for step in (0, 300):
        yield from (unit(i, units, norm(family, units, i), step) for i in range(1, units + 1))
    yield from responses(family, depth, seed)


@pytest.mark.filterwarnings("error::UserWarning", "error::RuntimeWarning")
@pytest.mark.parametrize("status", ["missing", "failed"])
def test_figures_are_drawn_with_no_run_at_all(status, tmp_path):
    ended = lambda **_: status
    found = made(everything, status=ended, figures=ALL, family=("plain", "resnet"), depth=(8, 20))
    assert len(draw_all(found, tmp_path)) == 4
    for figure in ALL:
        caption = figure.caption(found)
        assert re.search(
            r"(12 of 12|6 of 6) runs have no such records and are not shown\.", caption
        )


@pytest.mark.filterwarnings("error::UserWarning", "error::RuntimeWarning")
def test_files_are_the_same_each_time_and_their_text_is_text(tmp_path):
    found = made(everything, figures=ALL, family=("plain", "resnet"), depth=(8, 20))
    first = {name: svg.read_bytes() for name, svg in draw_all(found, tmp_path).items()}
    again = {name: svg.read_bytes() for name, svg in draw_all(found, tmp_path).items()}
    assert first == again
    assert re.search(rb"<text[^>]*>Training step</text>", first["heat_map"])
    assert re.search(rb"\(nats per unit of weight\)</(text|tspan)>", first["profile"])


def test_one_seed_has_no_band_and_its_caption_speaks_of_none():
    found = made(everything, seeds=(0,), family=("plain",), depth=(8, 20))
    caption = Profile(lines="depth", where={"family": "plain"}).caption(found)
    assert "Lines: 1 seed." in caption
    assert "Bands" not in caption


def test_cells_that_the_grid_leaves_out_have_no_line():
    found = made(at_start, family=("plain", "resnet"), depth=(8, 20))
    kept = found.runs[(found.runs["family"] == "plain") | (found.runs["depth"] == 8)]
    found = Records(found.experiment, kept, found.metrics, {}, 0)
    figure = Profile(panels="family", lines="depth").draw(found)
    assert (list(lines(figure, 0)), list(lines(figure, 1))) == (["8", "20"], ["8"])


def test_captions_count_the_seeds_that_were_probed_and_keys_are_of_what_is_drawn():
    def status(family: str, depth: int, seed: int) -> str:
        lost = family == "plain" or depth == 8 or (depth, seed) == (20, 0)
        return "missing" if lost else "done"

    found = made(everything, status=status, family=("plain", "resnet"), depth=(8, 20, 56))
    drawings = {
        "Lines: geometric mean of 2 to 3 seeds.": Profile(panels="family", lines="depth"),
        ", geometric mean of 2 to 3 seeds.": HeatMap(panels="depth", where={"family": "resnet"}),
        "of the logarithm, 2 to 3 seeds).": Ratio(lines="family"),
        "Lines: mean of 2 to 3 seeds.": Responses(families="family", lines="depth"),
    }
    for words, drawing in drawings.items():
        assert words in drawing.caption(found)
    assert keys(Ratio(lines="family", fits=False).draw(found)) == ["Residual"]
    assert keys(drawings["Lines: mean of 2 to 3 seeds."].draw(found)) == [
        "20",
        "56",
        "Residual",
    ]
