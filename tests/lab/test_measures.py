"""Measures: names with a description, of the package and of one's own."""

import copy
import doctest
import json
import pickle
from dataclasses import replace

import pandas as pd
import pytest

from resnet_jax import lab
from resnet_jax.lab import measures
from resnet_jax.lab.analysis import claims, tables
from resnet_jax.lab.measures import Measure, describe

MARGIN = Measure(
    "margin", "mean margin", "%", bounds=(0.0, 100.0), better="higher", long_tail="lower"
)
DEEP, SHALLOW = {"depth": 56}, {"depth": 20}


@pytest.fixture
def experiment() -> lab.Experiment:
    return lab.Experiment(
        question="?",
        base="configs/digits.py",
        axes={"depth": (20, 56)},
        measures=("train_error", MARGIN),
        derive={"margin": len},
        diverged={"train_error": 90.0, "margin": 0.0},
        figures=(
            lab.figures.Final(x="depth", measures=("train_error", "margin")),
            lab.figures.Ranking(axis="depth", than=20, measure="margin"),
        ),
        claims=(
            claims.Greater("?", "margin", DEEP, SHALLOW, margin=1.0),
            claims.Within("?", "train_error", DEEP),
        ),
    )


def table_of(values: dict[int, list[float]]) -> pd.DataFrame:
    rows = [
        {"depth": depth, "seed": seed, "status": "done", "train_error": 1.0, "margin": value}
        for depth, of_depth in values.items()
        for seed, value in enumerate(of_depth)
    ]
    return pd.DataFrame(rows)


def test_a_measure_is_its_name():
    assert MARGIN == "margin"
    assert {MARGIN: 1}["margin"] == 1
    assert json.dumps([MARGIN]) == '["margin"]'
    assert f"{MARGIN!r} {MARGIN}" == "'margin' margin"
    for other in (pickle.loads(pickle.dumps(MARGIN)), copy.deepcopy(MARGIN), replace(MARGIN)):
        assert (other, other.title, other.bounds) == ("margin", "mean margin (%)", (0.0, 100.0))


def test_defaults_follow_from_name_and_unit():
    assert Measure("my_own").words == "my own"
    assert Measure("speed", unit="km/h").unit_of_difference == "km/h"
    assert MARGIN.unit_of_difference == "percentage points"


def test_it_takes_the_place_of_its_name_in_claims_and_figures(experiment):
    of_claim, known = (claim.measure for claim in experiment.claims)
    assert describe(of_claim) is MARGIN
    assert not isinstance(known, Measure)
    final, ranking = experiment.figures
    assert [describe(each).title for each in final.measures] == [
        "training error (%)",
        "mean margin (%)",
    ]
    assert describe(ranking.measure) is MARGIN
    assert describe("margin").title == "margin"  # nothing is registered for other experiments


def test_it_shows_in_verdicts_and_tables(experiment):
    runs = table_of({20: [10.0, 11.0, 12.0, 10.5, 11.5], 56: [70.0, 75.0, 99.0, 98.0, 97.0]})
    verdict, _ = claims.judge(experiment.claims, runs, experiment.label)
    assert verdict.outcome == "supported"
    assert "percentage points" in verdict.numbers
    assert "mean margin" in verdict.rule
    table = tables.aggregate(runs, experiment)
    rows = table[table["measure"] == "margin"].set_index("depth")
    assert rows["high"].max() == 100.0
    readable = tables.for_reading(table, experiment)
    assert "mean margin (%)" in [row[1] for row in readable.rows]


def test_the_long_tail_of_a_measure_where_higher_is_better_is_the_lower_one():
    runs = table_of({20: [10.0, 11.0, 12.0, 10.5, 11.5], 56: [70.0, 75.0, 79.0, 78.0, 77.0]})
    claim = claims.Within("?", MARGIN, DEEP)
    verdict = claim(runs)
    assert verdict.estimate - verdict.low > 1.5 * (verdict.high - verdict.estimate)


def test_examples():
    assert doctest.testmod(measures).failed == 0
    assert doctest.testmod(measures).attempted > 0
