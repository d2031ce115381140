"""Selecting a part of a grid with `--only`."""

import csv
import doctest
import io
import itertools

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
        (["remedy=norm, zero last,nothing"], {"remedy": ["norm, zero last", "nothing"]}),
        (['remedy=nothing,"norm, zero last"'], {"remedy": ["nothing", "norm, zero last"]}),
        (["remedy=norm, zero last", "remedy=nothing"], {"remedy": ["norm, zero last", "nothing"]}),
        (["depth=20, 56"], {"depth": [20, 56]}),
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
        ("depth=20,", "no value ''"),
        ("remedy=norm, zero last,nothin", r"no value 'nothin'; did you mean 'nothing'\?"),
        ("remedy=norm,nothing", "no value 'norm'; known: nothing, norm, zero last"),
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


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ('"a,b"', ["a,b"]),
        ('"a","b"', ["a", "b"]),
        ("b,a", ["b", "a"]),
        ('b,"a,b"', ["b", "a,b"]),
    ],
)
def test_a_list_that_can_be_split_in_two_ways_needs_quotes(text, values):
    either = Experiment(question="?", base="b.py", axes={"h": ("a", "b", "a,b")})
    with pytest.raises(UserError, match='--only h=a,b: can be read as "a,b" or as "a","b"'):
        grid_filter.parse(either, ["h=a,b"])
    assert grid_filter.parse(either, [f"h={text}"]) == {"h": values}


def test_any_list_of_an_axis_is_read_as_it_was_written():
    """Brute force: every ordered choice of the values of an axis, some with commas."""
    values = ("32", "32, one layer", "one layer", 56, 0.1)
    grid = Experiment(question="?", base="b.py", axes={"net": values})
    chosen = [each for n in (1, 2, 3) for each in itertools.permutations(values, n)]
    for each in chosen:
        (text,) = csv_line(each)
        assert grid_filter.parse(grid, [f"net={text}"]) == {"net": list(each)}
        if len({"32", "one layer"} & set(each)) < 2 and "32, one layer" not in each:
            plain = ",".join(map(str, each))
            assert grid_filter.parse(grid, [f"net={plain}"]) == {"net": list(each)}


def csv_line(values) -> list[str]:
    file = io.StringIO()
    csv.writer(file, quoting=csv.QUOTE_NONNUMERIC).writerow(values)
    return file.getvalue().splitlines()


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
        (
            {"remedy": ["norm, zero last", "none"], "depth": [1]},
            '--only remedy="norm, zero last",none',
        ),
        ({}, "the grid is empty"),
    ],
)
def test_a_selection_without_runs_is_refused(only, message):
    runs = (
        [Run("plain20", {"family": "plain", "depth": 20, "remedy": "norm"}, 0, None)]
        if only
        else []
    )
    with pytest.raises(UserError, match=message):
        grid_filter.select(runs, only)


def test_its_examples_hold():
    ran = doctest.testmod(grid_filter)
    assert ran.failed == 0
    assert ran.attempted > 0
