"""The ranking of an axis's values, and its figure."""

import dataclasses
import math
import re
import shutil

import numpy as np
import pytest
from scipy import stats

from resnet_jax.lab.analysis import claims, ranking
from resnet_jax.lab.figures import Ranking
from resnet_jax.lab.results import records
from resnet_jax.lab.results.folder import Folder
from resnet_jax.lab.results.records import Records


def read(results: Folder) -> Records:
    return records.read(results)


def errors(found: Records, depth: int, family: str = "plain") -> np.ndarray:
    rows = found.runs[(found.runs["depth"] == depth) & (found.runs["family"] == family)]
    return rows.sort_values("seed")["train_error"].to_numpy()


def cell(depth: int) -> dict:
    return {"family": "plain", "depth": depth}


def test_values_are_ordered_by_effect(results: Folder):
    found = read(results)
    effects = ranking.rank(found, "depth", 32, "train_error", {"family": "plain"})
    assert [each.value for each in effects] == [20, 56]
    for each in effects:
        paired = errors(found, each.value) - errors(found, 32)
        low, high = stats.t.interval(0.95, 2, paired.mean(), stats.sem(paired))
        assert each.difference.mean == pytest.approx(paired.mean())
        assert each.difference.low <= low  # of errors, which have a long tail
        assert each.difference.high >= high
        claim = claims.Greater("?", "train_error", cell(each.value), cell(32))
        verdict = claim(found.runs)
        assert (each.difference.low, each.difference.high) == (verdict.low, verdict.high)
        assert each.mean == pytest.approx(errors(found, each.value).mean())


def test_value_without_runs_comes_last_and_has_no_effect(results: Folder):
    for seed in range(3):
        shutil.rmtree(results.runs / f"plain20-seed{seed}-abcdef")
    effects = ranking.rank(read(results), "depth", 32, "train_error", {"family": "plain"})
    assert [each.value for each in effects] == [56, 20]
    assert effects[-1].difference.n == 0
    assert math.isnan(effects[-1].mean)


def test_value_outside_the_grid_has_no_effect(results: Folder):
    found = read(results)
    runs = found.runs.query("family != 'resnet' or depth != 20")
    found = dataclasses.replace(found, runs=runs)
    effects = ranking.rank(found, "depth", 32, "train_error", {"family": "resnet"})
    assert [each.value for each in effects] == [56]
    figure = Ranking(axis="depth", than=32, panels="family").draw(found)
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["20", "56"]


def test_sentences_follow_the_intervals(results: Folder):
    found = read(results)
    effects = ranking.rank(found, "depth", 32, "train_error", {"family": "plain"})
    better, worse = ranking.sentences(effects, "train_error", "the plain network")
    uncorrected = r"\(.* not corrected for 2 comparisons\)"
    unit = "in percentage points"
    assert re.match(rf"Better for the plain network, {unit} {uncorrected}: 20 \(−", better)
    assert re.match(rf"Worse for the plain network, {unit} {uncorrected}: 56 \(\+", worse)


def test_one_run_is_too_few(results: Folder):
    for seed in (1, 2):
        shutil.rmtree(results.runs / f"plain20-seed{seed}-abcdef")
    effects = ranking.rank(read(results), "depth", 32, "train_error", {"family": "plain"})
    told = ranking.sentences(effects, "train_error", "the plain network")
    assert [each.split(" for ")[0] for each in told] == ["Worse", "Too few runs"]
    assert told[1].endswith(": 20.")


def test_the_figure_marks_each_difference_in_each_panel(results: Folder):
    found = read(results)
    drawing = Ranking(axis="depth", than=32, panels="family", says="What depth does.")
    figure = drawing.draw(found)
    for panel, family in zip(figure.axes, ("plain", "resnet"), strict=True):
        marks = next(line for line in panel.lines if line.get_marker() == "o")
        order = [20, 56]  # as in the first panel
        shown = dict(zip(marks.get_ydata(), marks.get_xdata(), strict=True))
        for place, depth in enumerate(order):
            paired = errors(found, depth, family) - errors(found, 32, family)
            assert shown[place] == pytest.approx(paired.mean())
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["20", "56"]
    assert "from “32”, paired by seed (mean of 3 seeds). " in drawing.caption(found)


def test_caption_counts_pairs(results: Folder):
    for run in ("plain32-seed0", "resnet56-seed1", "resnet56-seed2"):
        shutil.rmtree(results.runs / f"{run}-abcdef")
    drawing = Ranking(axis="depth", than=32, panels="family")
    assert "(mean of 1 to 3 seeds). " in drawing.caption(read(results))
    for seed in (1, 2):
        for run in ("plain32", "resnet32"):
            shutil.rmtree(results.runs / f"{run}-seed{seed}-abcdef")
    assert drawing.caption(read(results)).endswith("paired by seed (1 seed).")
