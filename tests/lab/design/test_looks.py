"""Declared looks: the numbers of seeds at which claims are judged."""

import pytest

from resnet_jax.errors import UserError
from resnet_jax.lab import Experiment, Until
from resnet_jax.lab.design.looks import until


def experiment(**fields) -> Experiment:
    return Experiment(question="?", base="b.py", axes={"depth": (20, 56)}, **fields)


def test_a_look_has_the_seeds_of_the_one_before_and_more():
    made = experiment(seeds=Until(looks=(3, 5), start=7))
    assert made.looks == (3, 5)
    assert made.first_seeds == made.seeds_at(3) == (7, 8, 9)
    assert made.seeds_at(5)[:3] == made.first_seeds


def test_fixed_seeds_are_one_look():
    made = experiment(seeds=(4, 9))
    assert (made.looks, made.first_seeds) == ((2,), (4, 9))


@pytest.mark.parametrize("looks", [(), (5, 5), (8, 5), (1, 5), (2.5,), "58", 5, (True, 5)])
def test_looks_that_do_not_increase_are_refused(looks):
    with pytest.raises(UserError, match="looks"):
        Until(looks=looks)


@pytest.mark.parametrize(
    ("seeds", "looks"), [((0, 1, 2), (3, 5, 8)), ((4,), (2, 5, 8)), (range(9), (9,))]
)
def test_fixed_seeds_become_the_first_look(seeds, looks):
    made = until(seeds, looks=(5, 8))
    assert (made.looks, made.start) == (looks, seeds[0])


def test_it_must_be_clear_which_seed_comes_next():
    with pytest.raises(UserError, match=r"consecutive.*\(0, 2\)"):
        until((0, 2))
