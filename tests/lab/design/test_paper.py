"""A paper's numbers, declared in an experiment."""

import doctest

import pytest

from resnet_jax.errors import UserError
from resnet_jax.lab import Experiment, Paper
from resnet_jax.lab.design import paper as papers


def test_figures_may_be_a_function_of_the_axes():
    paper = Paper(source="?", figures=lambda depth: {20: 8.75, 56: "fail"}.get(depth))
    assert [paper.figure({"depth": depth}) for depth in (20, 32, 56)] == [8.75, None, "fail"]


@pytest.mark.parametrize(
    ("paper", "message"),
    [
        ({"figures": {20: "bad"}}, "figures returned 'bad' for {'depth': 20}"),
        ({"figures": lambda width: 1.0}, "figures failed for {'depth': 20}"),
        ({"networks": lambda width: "?"}, "networks failed for {'depth': 20}"),
        ({"measure": "test_eror"}, "did you mean 'test_error'"),
    ],
)
def test_a_paper_is_checked_when_the_experiment_is_made(paper, message):
    with pytest.raises(UserError) as caught:
        Experiment(
            question="?",
            base="b.py",
            axes={"depth": (20, 56)},
            paper=Paper(**{"source": "?", "figures": {}} | paper),
        )
    assert message in str(caught.value)


def test_its_examples_hold():
    ran = doctest.testmod(papers)
    assert ran.failed == 0
    assert ran.attempted > 0
