"""What the figures show, and that they show it legibly."""

import doctest
import itertools
import re
import shutil
from dataclasses import replace

import matplotlib.colors
import numpy as np
import pytest

from resnet_jax.lab.figures import Curves, Final, captions, draw_all, style
from resnet_jax.lab.figures.curves import seed_band
from resnet_jax.lab.results import records
from resnet_jax.lab.results.folder import Folder
from resnet_jax.lab.results.records import Records

DEEP_PLAIN = {"family": "plain", "depth": 56}


def read(results: Folder) -> Records:
    return records.read(results)


def recorded(found: Records, seed: int) -> np.ndarray:
    of_one = found.metrics["run"] == f"plain56-seed{seed}-abcdef"
    return found.metrics[of_one & (found.metrics["kind"] == "train")]["error"].to_numpy()


def test_band_is_mean_and_range_of_the_seeds(results: Folder):
    found = read(results)
    seeds = [recorded(found, seed) for seed in (0, 1, 2)]
    band = seed_band(found, "train_error", DEEP_PLAIN)
    assert list(band.index) == list(range(10, 301, 10))
    np.testing.assert_allclose(band["mean"], np.mean(seeds, axis=0))
    np.testing.assert_allclose(band["low"], np.min(seeds, axis=0))
    np.testing.assert_allclose(band["high"], np.max(seeds, axis=0))


def test_diverged_run_continues_at_its_declared_value(results: Folder, diverge):
    diverge("plain56-seed1-abcdef")  # its last record is that of step 50
    found = read(results)
    band = seed_band(found, "train_error", DEEP_PLAIN)
    others = (recorded(found, 0) + recorded(found, 2))[5:]
    np.testing.assert_allclose(band["mean"].loc[60:], (others + 90) / 3)
    assert (band["high"].loc[60:] == 90).all()
    assert band["high"].loc[50] < 90


def test_band_excludes_failed_and_missing_runs(results: Folder, fail):
    fail("plain56-seed0-abcdef")
    shutil.rmtree(results.runs / "plain56-seed1-abcdef")
    found = read(results)
    band = seed_band(found, "train_error", DEEP_PLAIN)
    np.testing.assert_allclose(band["mean"], recorded(found, 2))


def test_test_measures_come_from_evaluations(results: Folder):
    band = seed_band(read(results), "test_error", DEEP_PLAIN)
    assert list(band.index) == [300]


def test_curves_have_a_panel_and_a_line_for_each_value(results: Folder, lines):
    figure = Curves(panels="family", lines="depth").draw(read(results))
    plain, residual = figure.axes
    assert [each.get_title(loc="left") or each.get_title() for each in figure.axes] == [
        "Plain",
        "Residual",
    ]
    assert plain.get_ylabel() == "Training error (%)"
    assert plain.get_ylim() == residual.get_ylim()
    assert list(lines(figure, 1)) == ["20", "32", "56"]
    assert lines(figure)["56"].get_ydata()[-1] > 30 > lines(figure, 1)["56"].get_ydata()[-1]


def test_final_shows_every_seed_the_mean_and_its_interval(results: Folder, diverge):
    diverge("plain56-seed1-abcdef")
    found = read(results)
    panel = Final(x="depth", lines="family").draw(found).axes[0]
    deep = found.runs.query("family == 'plain' and depth == 56")["train_error"]
    means = next(line for line in panel.lines if line.get_label() == "Plain")
    assert means.get_ydata()[2] == pytest.approx(deep.mean())
    drawn = [y for line in panel.lines if line.get_markersize() < 7 for y in line.get_ydata()]
    assert {round(value, 9) for value in deep} <= {round(float(y), 9) for y in drawn}
    crosses = [line for line in panel.lines if line.get_marker() == "x" and len(line.get_ydata())]
    assert [list(cross.get_ydata()) for cross in crosses] == [[90.0]]
    assert panel.get_ylim()[1] <= 102


def test_named_values_are_listed_vertically_on_a_shared_scale(results: Folder):
    found = read(results)
    figure = Final(x="family", lines="depth").draw(found)
    train, test = figure.axes
    assert [label.get_text() for label in train.get_yticklabels()] == ["plain", "residual"]
    assert train.get_ylim() == (1.5, -0.5)  # the first at the top
    assert train.get_xlim() == test.get_xlim()
    assert train.get_xlim()[1] > found.runs["test_error"].max()
    means = next(line for line in test.lines if line.get_label() == "56")
    deep = found.runs.query("depth == 56").groupby("family")["test_error"].mean()
    assert means.get_xdata() == pytest.approx(deep[["plain", "resnet"]].to_numpy())
    assert all(line.get_linestyle() == "None" for line in train.lines if len(line.get_xdata()) > 1)


def test_captions_explain_marks_and_diverged_runs(results: Folder, diverge):
    diverge("plain56-seed1-abcdef")
    found = read(results)
    curves, final = found.experiment.figures
    caption = curves.caption(found)
    assert caption.startswith(
        "Deeper plain networks train worse. Lines: mean of 3 seeds. Thin lines"
    )
    assert re.search(r"Diverged runs \(1\) count as 90%", caption)
    assert re.search(r"over seeds \(3 seeds.*1 diverged run, counted as 90%", final.caption(found))


def lose(results: Folder, *cells: str, seeds: tuple[int, ...] = (0, 1, 2)) -> None:
    for cell in cells:
        for seed in seeds:
            shutil.rmtree(results.runs / f"{cell}-seed{seed}-abcdef")


def test_captions_count_seeds_of_nonempty_cells(results: Folder):
    lose(results, "plain20")
    lose(results, "plain32", seeds=(0,))
    found = read(results)
    curves, final = found.experiment.figures
    assert "mean of 2 to 3 seeds" in curves.caption(found)
    assert "2 to 3 seeds" in final.caption(found)


def test_single_seed_has_no_mean_and_no_band(results: Folder):
    cells = [f"{family}{depth}" for family in ("plain", "resnet") for depth in (20, 32, 56)]
    lose(results, *cells, seeds=(1, 2))
    found = read(results)
    curves, final = found.experiment.figures
    assert "Lines: 1 seed. Each point" in curves.caption(found)
    assert final.caption(found).endswith("Marks: 1 seed.")
    lose(results, *cells, seeds=(0,))
    assert "Lines: no seeds yet." in curves.caption(read(results))


def test_legend_omits_values_without_runs(results: Folder, keys):
    lose(results, "plain20", "plain32", "resnet20")
    found = read(results)
    figure = Curves(panels="family", lines="depth").draw(found)
    assert keys(figure) == ["32", "56"]  # 32 of the second panel alone
    assert keys(Final(x="family", lines="depth").draw(found)) == ["32", "56"]
    lose(results, "plain56")
    assert keys(Final(x="depth", lines="family").draw(read(results))) == ["Residual"]


def test_the_examples_hold():
    ran = doctest.testmod(captions)
    assert (ran.failed, ran.attempted) == (0, 2)


def test_files_are_reproducible_and_contain_text(results: Folder):
    found = read(results)
    curves = found.experiment.figures[:1]
    found = replace(found, experiment=replace(found.experiment, figures=curves))
    first = {name: svg.read_bytes() for name, svg in draw_all(found, results.figures).items()}
    again = {name: svg.read_bytes() for name, svg in draw_all(found, results.figures).items()}
    assert first == again
    assert re.search(rb"<text[^>]*>Training error \(%\)</text>", first["training_curves"])
    files = sorted(str(each.relative_to(results.figures)) for each in results.figures.rglob("*.*"))
    assert files == ["narrow/training_curves.svg", "training_curves.png", "training_curves.svg"]


def lightness(color: str) -> float:
    """L* of CIELAB, from 0 (black) to 100 (white)."""
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in matplotlib.colors.to_rgb(color)
    )
    return 116 * np.cbrt(0.2126 * red + 0.7152 * green + 0.0722 * blue) - 16


@pytest.mark.parametrize("values", [(20, 32, 56), (20, 32, 44, 56, 110)])
def test_numbers_darken_as_they_grow_so_that_gray_tells_them_apart(values):
    grays = [lightness(look.color) for look in style.looks(values).values()]
    assert max(grays) < 75  # stands out from white
    assert all(a - b > 10 for a, b in itertools.pairwise(grays))


def test_names_differ_in_marker_and_dashes_and_not_in_color_alone():
    looks = list(style.looks(("plain", "resnet", "preact")).values())
    for part in ("color", "marker", "dashes"):
        assert len({str(getattr(look, part)) for look in looks}) == 3
