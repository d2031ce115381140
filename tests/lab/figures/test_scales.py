"""Scales: where settings are, what is seen of intervals, and where arrows are."""

import doctest

import numpy as np
import pytest
from matplotlib.figure import Figure

from resnet_jax.lab.figures import Final, layout, scales
from resnet_jax.lab.results.records import Records


def finals(made, values: dict, **axes) -> Records:
    """Records with the given values of measures, by the value of the only axis."""
    (axis,) = axes
    found = made(lambda **_: (), seeds=range(len(next(iter(values.values())))), **axes)
    errors = [values[row[axis]][row["seed"]] for _, row in found.runs.iterrows()]
    return Records(
        found.experiment, found.runs.assign(train_error=errors, length=errors), found.metrics, {}, 0
    )


def arrows(panel, markers: str) -> list[tuple[float, float]]:
    lines = [
        line for line in panel.lines if line.get_marker() in markers and not line.get_clip_on()
    ]
    return [(float(x), float(y)) for line in lines for x, y in line.get_xydata()]


@pytest.mark.parametrize(
    ("values", "scale"),
    [
        ((20, 32, 56), "linear"),
        ((0.1, 0.03, 0.01, 0.003), "log"),
        ((16, 32, 64), "log"),
        ((8, 20, 56, 110), "log"),
        ((0, 1, 100), "linear"),
    ],
)
def test_settings_are_at_their_values(values, scale, made):
    errors = {value: (i, i + 1.0, i + 2.0) for i, value in enumerate(values)}
    figure = Final(x="rate", measures=("train_error",)).draw(finals(made, errors, rate=values))
    (panel,) = figure.axes
    assert panel.get_xscale() == scale
    means = next(line for line in panel.lines if line.get_linestyle() != "None")
    assert list(means.get_xdata()) == sorted(values)
    assert list(means.get_ydata()) == [errors[value][1] for value in sorted(values)]
    np.testing.assert_allclose(panel.get_xticks(), sorted(values))
    low, high = panel.get_xlim()
    assert low < min(values) < max(values) < high


def test_truth_values_are_names(made):
    errors = {False: (1.0, 2.0), True: (3.0, 4.0)}
    figure = Final(x="nesterov", measures=("train_error",)).draw(
        finals(made, errors, nesterov=(False, True))
    )
    assert [each.get_text() for each in figure.axes[0].get_yticklabels()] == ["False", "True"]


@pytest.mark.parametrize(("second", "leaves"), [((60.0, 60.2), False), ((20.0, 100.0), True)])
def test_an_arrow_is_drawn_where_an_interval_leaves_the_axis_and_only_there(second, leaves, made):
    # Of two seeds, the interval reaches 12.7 times half their distance: 1.3 and 508.
    found = finals(made, {20: (10.0, 10.2), 56: second}, depth=(20, 56))
    (panel,) = Final(x="depth", measures=("length",)).draw(found).axes
    (bars,) = panel.collections
    reach = [y for segment in bars.get_segments() for y in segment[:, 1]]
    low, high = panel.get_ylim()
    assert (min(reach) < low, max(reach) > high) == (leaves, leaves)
    assert arrows(panel, "v^") == ([(56, low), (56, high)] if leaves else [])


def test_values_are_seen_beside_a_wide_interval(made):
    errors = {"a": (1.0, 1.1), "b": (1.0, 3.0)}
    found = finals(made, errors, kind=("a", "b"))
    figure = Figure()
    panel = figure.subplots()
    scales.limit(panel, np.array([1.0, 1.1, 3.0]), np.array([-10.0, 14.0]), "x")
    low, high = panel.get_xlim()
    assert low == pytest.approx(1 - 3 - 0.05 * 8)  # 1.5 times the range of the values, and a margin
    assert high == pytest.approx(3 + 3 + 0.05 * 8)
    drawn = Final(x="kind", measures=("train_error",)).draw(found)
    low, high = drawn.axes[0].get_xlim()
    assert low < 1 < 3 < high
    assert [y for _, y in arrows(drawn.axes[0], "<>")] == [1] * len(arrows(drawn.axes[0], "<>"))


def test_labels_that_would_overlap_are_left_out_but_not_the_ends():
    labels = ["20", "32", "44", "1202"]
    assert scales.spaced(labels, np.array([0.0, 1.0, 2.0, 3.0])) == labels
    assert scales.spaced(labels, np.array([0.0, 0.1, 1.0, 1.1])) == ["20", "", "", "1202"]


def test_long_labels_are_broken_into_lines():
    panel = Figure(figsize=(4, 2)).subplots()
    broken = layout.wrapped("Test error without one unit, median over units (%)", panel, "y")
    assert "\n" in broken
    assert broken.replace("\n", " ") == "Test error without one unit, median over units (%)"
    assert layout.wrapped("Test error (%)", panel, "y") == "Test error (%)"


@pytest.mark.parametrize(
    ("axis", "value", "words"),
    [
        ("family", "resnet", "Residual"),
        ("depth", 20, "20 layers"),
        ("shortcut", "A", "Shortcut A"),
        ("rate", 0.1, "Rate 0.1"),
        ("", "", ""),
    ],
)
def test_panels_are_named(axis, value, words, made):
    found = made(lambda **_: (), family=("resnet",))
    assert layout.panel_title(found, axis, value) == words


def test_the_examples_hold():
    assert doctest.testmod(scales)[0] == 0
    assert doctest.testmod(scales)[1] > 0
