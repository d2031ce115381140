"""What a page can show of the marks of a figure: the attributes of the SVG against the records."""

import html
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.text import Text

from resnet_jax.lab.figures import (
    Curves,
    Final,
    HeatMap,
    Profile,
    Ranking,
    Ratio,
    Responses,
    base,
    interactive,
    style,
)
from resnet_jax.lab.figures.style import NARROW, WIDE
from resnet_jax.lab.results import records
from resnet_jax.lab.results.folder import Folder
from resnet_jax.lab.results.records import Records

KINDS = (
    Curves(panels="family", lines="depth"),
    Final(x="depth", lines="family"),
    Final(x="family", lines="depth", name="names"),
    Ranking(axis="depth", than=20, panels="family"),
)
PROBED = (
    Profile(panels="family", lines="depth"),
    Ratio(lines="family"),
    HeatMap(panels="family", where={"depth": 20}),
    Responses(lines="depth", families="family"),
)


@pytest.fixture
def probed(made, at_start, responses) -> Records:
    """Plain and residual networks of three depths: units at initialization, responses."""

    def rows(**cell):
        return [*at_start(**cell), *responses(**cell)]

    return made(rows, family=("plain", "resnet"), depth=(8, 20, 56))


def groups(svg: str) -> list[dict]:
    """The data attributes of each group that has some."""
    found = []
    for attributes in re.findall(r"<g ((?:data-\w+=\"[^\"]*\" ?)+)>", svg):
        pairs = re.findall(r"data-(\w+)=\"([^\"]*)\"", attributes)
        found.append({name: json.loads(html.unescape(value)) for name, value in pairs})
    return found


def attributes(drawing, found: Records, folder: Path) -> list[dict]:
    file = folder / "drawn.svg"
    base._write_svg(drawing.draw(found), file)
    return groups(file.read_text())


def test_learning_curves_have_the_runs_and_values_of_seeds(results: Folder, tmp_path):
    found = records.read(results)
    drawn = attributes(KINDS[0], found, tmp_path)
    seeds = [each for each in drawn if "run" in each]
    assert {each["run"] for each in seeds} == set(found.runs["run"])
    for each in seeds:
        trained = found.metrics[(found.metrics["run"] == each["run"])]
        trained = trained[trained["kind"] == "train"]
        np.testing.assert_allclose(each["x"], trained["step"].astype(float))
        np.testing.assert_allclose(each["y"], trained["error"].astype(float), rtol=1e-4)
        run = found.runs.set_index("run").loc[each["run"]]
        assert (each["seed"], each["series"]) == (run["seed"], [str(run["depth"])])
        assert each["name"] == f"{run['depth']} layers"
    plain, residual = (each for each in drawn if "panel" in each)
    assert (plain["panel"], residual["panel"]) == ("Plain", "Residual")
    assert residual["ylabel"] == "Training error (%)"  # the axis is shared
    assert plain["xlim"] == residual["xlim"]
    keys = [each["key"] for each in drawn if "key" in each]
    assert sorted(keys) == ["20", "20", "32", "32", "56", "56"]  # of the text, and of the line
    assert {name for each in drawn for name in each.get("series", ())} == set(keys)


@pytest.mark.parametrize(("drawing", "value"), [(KINDS[1], "y"), (KINDS[2], "x")])
def test_final_measures_have_the_runs_and_values_of_seeds(drawing, value, results, tmp_path):
    found = records.read(results)
    drawn = attributes(drawing, found, tmp_path)
    points = [
        point
        for each in drawn
        if "run" in each
        for point in zip(each["run"], each[value], each["at"], strict=True)
    ]
    names = {"plain": "plain", "resnet": "residual"}
    for measure in ("train_error", "test_error"):
        for run in found.runs.itertuples():
            at = str(run.depth) if value == "y" else names[run.family]
            assert (run.run, float(f"{getattr(run, measure):.5g}"), at) in points
    assert len(points) == 2 * len(found.runs)
    means = next(each for each in drawn if "note" in each)  # of plain, or of 20 layers
    axis, line, along = ("family", "plain", "depth") if value == "y" else ("depth", 20, "family")
    expected = found.runs[found.runs[axis] == line].groupby(along)["train_error"].mean()
    np.testing.assert_allclose(means[value], expected, rtol=1e-4)
    assert all(re.fullmatch(r"mean of 3 seeds, 95% interval .* to .*", x) for x in means["note"])


def test_titles_name_the_run_and_text_is_escaped():
    figure = Figure()
    (line,) = figure.subplots().plot([1, 2], [3, 4])
    interactive.mark(line, 'a "b" <c>', x=[1, 2], y=[3, np.nan], run="r&1", seed=7)
    assert interactive.data_of(line)["y"] == [3, None]
    out = io.StringIO()
    figure.savefig(out, format="svg")
    svg = interactive.with_attributes(out.getvalue())
    assert "<title>a &quot;b&quot; &lt;c&gt;; seed 7, run r&amp;1; 1: 3, 2: None</title>" in svg
    (data,) = groups(svg)
    assert (data["series"], data["run"]) == (['a "b" <c>'], "r&1")


@pytest.mark.parametrize("drawing", [*KINDS, *PROBED], ids=lambda each: each.name)
def test_narrow_figures_are_stacked_in_one_size_of_type_with_the_runs_of_all_seeds(
    drawing, results, probed
):
    found = probed if drawing in PROBED else records.read(results)
    with rc_context(style.STYLE):
        figure = drawing.draw(found, NARROW)
    assert sizes_of_type(figure) == {style.TYPE}
    assert figure.get_figwidth() <= NARROW.width
    places = [axes.get_subplotspec() for axes in figure.axes if axes.get_title(loc="left")]
    assert all(place.colspan == range(1) for place in places)
    runs = [np.atleast_1d(each["run"]) for each in interactive.marked(figure) if "run" in each]
    if not isinstance(drawing, HeatMap):
        shown = found.runs  # a ranking leaves out its baseline
        shown = shown[shown["depth"] != 20] if isinstance(drawing, Ranking) else shown
        assert set(np.concatenate(runs)) == set(shown["run"])


@pytest.mark.parametrize("drawing", [KINDS[0], PROBED[0]], ids=lambda each: each.name)
def test_wide_figures_have_the_same_size_of_type(drawing, results, probed):
    with rc_context(style.STYLE):
        figure = drawing.draw(probed if drawing in PROBED else records.read(results), WIDE)
    assert sizes_of_type(figure) == {style.TYPE}
    assert figure.get_figwidth() <= WIDE.width


def sizes_of_type(figure: Figure) -> set[float]:
    texts = [each for each in figure.findobj(Text) if each.get_text()]
    for axes in figure.axes:
        texts += [*axes.get_xticklabels(), *axes.get_yticklabels()]
    return {each.get_fontsize() for each in texts}


def test_cells_of_a_heat_map_have_the_geometric_means(probed, norm):
    heat_map = HeatMap(panels="family", where={"depth": 20})
    panels = heat_map.draw(probed).axes
    cells = interactive.data_of(panels[0])["cells"]
    expected = [[norm("plain", 9, i)] for i in range(1, 10)]
    np.testing.assert_allclose(cells["values"], expected, rtol=1e-4)
    np.testing.assert_allclose(cells["y"], np.arange(10) / 9, atol=1e-4)
    assert (cells["steps"], cells["sites"][0]) == ([0], "stage1/unit01")
    assert cells["note"] == "geometric mean of 3 seeds"
