"""The forest plot: where its marks are, against the numbers of the verdicts."""

import math
from dataclasses import replace

import numpy as np
import pytest

from resnet_jax.lab.analysis.claims import Greater, NotGreater, Verdict, Within
from resnet_jax.lab.design.experiment import Experiment
from resnet_jax.lab.design.paper import Paper
from resnet_jax.lab.formatting import MINUS
from resnet_jax.lab.reporting.forest import Group, forest

DEEP, SHALLOW = {"depth": 56}, {"depth": 20}


def greater(measure: str = "train_error", margin: float = 1.0) -> Greater:
    return Greater("worse", measure, cell=DEEP, than=SHALLOW, margin=margin)


def verdict(
    estimate: float, half: float, measure: str = "train_error", margin: float = 1.0, **more
) -> Verdict:
    """A verdict with an interval of `half` to each side; the one that decides is twice as wide."""
    fields = {
        "text": "worse",
        "outcome": "supported",
        "measure": measure,
        "estimate": estimate,
        "low": estimate - half,
        "high": estimate + half,
        "n": 3,
        "rule": "a rule",
        "margins": (margin,),
        "deciding": (estimate - 2 * half, estimate + 2 * half),
        "values": {0: estimate - half / 3, 1: estimate, 2: estimate + half / 3},
    }
    return Verdict(**(fields | more))


def experiment(*claims, **more) -> Experiment:
    measures = ("train_error", "test_error", "decades")
    diverged = dict.fromkeys(measures, 90.0)
    axes = {"depth": (20, 56)}
    fields = {"axes": axes, "measures": measures, "diverged": diverged, "claims": claims}
    return Experiment(question="?", base="b.py", **fields, **more)


def value(group: Group, place: float) -> float:
    """The value at a place, by the numbers at the axis."""
    places = [at for at, _ in group.ticks]
    numbers = [float(words.replace(MINUS, "-")) for _, words in group.ticks]
    slope, intercept = np.polyfit(places, numbers, 1)
    return slope * place + intercept


def test_marks_are_where_the_axis_says():
    (group,) = forest(experiment(greater()), [verdict(12.0, 5.0)])
    (mark,) = group.marks
    assert len(group.ticks) >= 3
    assert value(group, mark.at) == pytest.approx(12.0, abs=0.02)
    assert value(group, mark.margins[0]) == pytest.approx(1.0, abs=0.02)
    assert value(group, mark.zero) == pytest.approx(0.0, abs=0.02)
    for bar, low, high in ((mark.interval, 7.0, 17.0), (mark.deciding, 2.0, 22.0)):
        ends = [value(group, end) for end in (bar.low, bar.high)]
        assert ends == pytest.approx([low, high], abs=0.02)
        assert not bar.below
        assert not bar.above
    assert [value(group, at) for at, _ in mark.seeds] == pytest.approx(
        [12 - 5 / 3, 12, 12 + 5 / 3], abs=0.02
    )
    assert "percentage points" in group.title


def test_an_interval_that_leaves_the_axis_is_cut_and_says_so():
    (group,) = forest(experiment(greater()), [verdict(12.0, 500.0)])
    (mark,) = group.marks
    assert 0 < mark.at < 100
    assert (mark.interval.low, mark.interval.high) == (0, 100)
    assert mark.interval.below
    assert mark.interval.above


def test_measures_and_sizes_have_axes_of_their_own():
    claims = (greater(), greater("decades"), greater(), greater())
    verdicts = [
        verdict(60.0, 5.0),
        verdict(2.0, 0.1, measure="decades"),
        verdict(0.3, 0.1),
        verdict(40.0, 5.0),
    ]
    groups = forest(experiment(*claims), verdicts)
    assert [[mark.number for mark in group.marks] for group in groups] == [[1, 4], [2], [3]]
    assert len({group.title for group in groups}) == 3
    small = groups[2].marks[0]  # the margin of 1 is not lost beside an axis up to 65
    assert small.margins[0] - small.at > 20


def test_values_and_differences_are_not_on_the_same_axis():
    within = Within("chance", "train_error", cell=DEEP, low=85.0)
    alone = verdict(89.0, 1.0, margins=(85.0,), counted="run")
    groups = forest(experiment(greater(), within), [verdict(60.0, 5.0), alone])
    assert [[mark.number for mark in group.marks] for group in groups] == [[1], [2]]
    assert groups[1].marks[0].zero is None
    assert not any("+" in words for _, words in groups[1].ticks)


@pytest.mark.parametrize(
    ("claim", "low", "high"),
    [
        (greater(), 1.0, None),
        (NotGreater("no worse", "train_error", cell=DEEP, than=SHALLOW, margin=1.0), None, 1.0),
        (Within("in", "train_error", cell=DEEP, low=1.0, high=4.0), 1.0, 4.0),
        (Within("in", "train_error", cell=DEEP, high=4.0), None, 4.0),
    ],
)
def test_where_a_claim_holds(claim, low, high):
    counted = "run" if isinstance(claim, Within) else "pair"
    margins = tuple(end for end in (low, high) if end is not None)
    (group,) = forest(experiment(claim), [verdict(2.0, 3.0, margins=margins, counted=counted)])
    holds = group.marks[0].holds
    assert holds.low == (0 if low is None else pytest.approx(group.marks[0].margins[0]))
    assert holds.high == (100 if high is None else pytest.approx(group.marks[0].margins[-1]))


def test_the_papers_number_is_that_of_the_same_difference():
    figures = {56: 6.97, 20: 8.75}
    paper = Paper(source="Table 6", figures=figures, measure="train_error")
    made = experiment(greater(), paper=paper)
    (group,) = forest(made, [verdict(-1.0, 3.0)])
    assert group.marks[0].paper_words == f"{MINUS}1.78"
    assert value(group, group.marks[0].paper) == pytest.approx(-1.78, abs=0.01)
    failing = replace(made, paper=replace(paper, figures=figures | {56: "fail"}))
    assert forest(failing, [verdict(-1.0, 3.0)])[0].marks[0].paper is None
    other = replace(made, paper=replace(paper, measure="test_error"))
    assert forest(other, [verdict(-1.0, 3.0)])[0].marks[0].paper is None


def test_without_numbers_there_is_an_axis_all_the_same():
    nothing = verdict(math.nan, math.nan, n=0, deciding=(math.nan, math.nan), values={})
    (group,) = forest(experiment(greater()), [nothing])
    assert group.ticks
    assert group.marks[0].at is None
    assert group.marks[0].interval is None
