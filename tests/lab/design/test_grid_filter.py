"""Selecting a part of a grid with `--only`."""

import doctest

import pytest

from resnet_jax.errors import UserError
from resnet_jax.lab import Experiment
from resnet_jax.lab.design import grid_filter
from resnet_jax.lab.design.grid import Run

EXPERIMENT = Experiment(
    question="?",
    base="b.py",
    axes={
        "family": ("plain", "resnet"),
        "depth": (20, 56),
        "rate": (0.1, 0.01),
        "remedy": ("nothing", "norm, zero last"),
        "bias": (False, True),
    },
)


@pytest.mark.parametrize(
    ("texts", "only"),
    [
        (["depth=56"], {"depth": [56]}),
        (["depth=20,56", "family=plain"], {"depth": [20, 56], "family": ["plain"]}),
        (["depth=20", "depth=56"], {"depth": [20, 56]}),
        (["rate=1e-2"], {"rate": [0.01]}),
        (["remedy=norm, zero last"], {"remedy": ["norm, zero last"]}),
        (["bias=True"], {"bias": [True]}),
        ([], {}),
    ],
)
def test_values_are_typed_as_those_of_the_axis(texts, only):
    found = grid_filter.parse(EXPERIMENT, texts)
    assert found == only
    assert [type(v) for vs in found.values() for v in vs] == [
        type(v) for vs in only.values() for v in vs
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("dept=20", r"--only dept=20: .*no axis 'dept'; did you mean 'depth'\?"),
        ("family=plane", r"no value 'plane'; did you mean 'plain'\?"),
        ("depth=32", "no value '32'; known: 20, 56"),
        ("bias=1", "no value '1'"),
        ("depth", "write AXIS=VALUE"),
        ("depth=", "no value ''"),
    ],
)
def test_an_unknown_axis_or_value_is_one_line(text, message):
    with pytest.raises(UserError, match=message):
        grid_filter.parse(EXPERIMENT, [text])


def test_the_selected_runs_keep_the_order_of_the_grid():
    runs = [
        Run(f"{family}{depth}", {"family": family, "depth": depth}, 0, None)
        for family in ("plain", "resnet")
        for depth in (20, 32, 56)
    ]
    only = {"depth": (56, 20), "family": ("plain",)}
    assert [run.name for run in grid_filter.select(runs, only)] == ["plain20", "plain56"]
    assert grid_filter.select(runs, {}) == runs


@pytest.mark.parametrize(
    ("word", "value"), [("A", "A"), ("a", "a"), ("A,a", ["A", "a"]), ("IDENTITY", "Identity")]
)
def test_case_is_ignored_unless_a_value_matches_exactly(word, value):
    shortcuts = Experiment(question="?", base="b.py", axes={"h": ("A", "a", "Identity")})
    found = grid_filter.parse(shortcuts, [f"h={word}"])
    assert found == {"h": value if isinstance(value, list) else [value]}


def test_values_that_differ_only_in_case_are_not_guessed():
    shortcuts = Experiment(question="?", base="b.py", axes={"h": ("Ab", "aB")})
    with pytest.raises(UserError, match="no value 'AB'; did you mean 'Ab' or 'aB'"):
        grid_filter.parse(shortcuts, ["h=AB"])


@pytest.mark.parametrize(
    ("only", "message"),
    [
        (
            {"family": ["resnet"], "depth": [20, 56]},
            "--only family=resnet --only depth=20,56: no run is left",
        ),
        ({}, "the grid is empty"),
    ],
)
def test_a_selection_without_runs_is_refused(only, message):
    runs = [Run("plain20", {"family": "plain", "depth": 20}, 0, None)] if only else []
    with pytest.raises(UserError, match=message):
        grid_filter.select(runs, only)


def test_its_examples_hold():
    ran = doctest.testmod(grid_filter)
    assert ran.failed == 0
    assert ran.attempted > 0
