"""Ranges of nuisance settings."""

import itertools

import pytest

from resnet_jax.errors import UserError
from resnet_jax.lab.design import ranges
from resnet_jax.lab.design.ranges import Times

OWN = {"optimizer.learning_rate": 0.01, "train.batch_size": 32, "optimizer.nesterov": False}


def test_combinations_are_the_product_in_the_order_of_the_settings():
    tune = {"optimizer.learning_rate": (0.1, 0.3), "optimizer.nesterov": [False, True]}
    found = ranges.combinations(tune, OWN)
    expected = itertools.product((0.1, 0.3), (False, True))
    assert [tuple(each.values()) for each in found] == list(expected)
    assert {tuple(each) for each in found} == {tuple(tune)}


def test_a_factor_multiplies_the_cells_own_value_without_rounding_errors():
    values = [0.001, 0.01, 0.1, 5.0]
    for value in values:
        found = Times(0.1, 0.3, 1, 3, 10).of("x", value)
        assert [f"{each:.4g}" for each in found] == [
            str(each).removesuffix(".0") for each in found
        ]  # 0.3, not 0.30…04
        assert found[2] == value
        assert found == pytest.approx([value * factor for factor in (0.1, 0.3, 1, 3, 10)])


def test_a_whole_number_stays_whole():
    found = Times(0.5, 2).of("train.batch_size", 32)
    assert found == (16, 64)
    assert all(isinstance(each, int) for each in found)


@pytest.mark.parametrize(
    ("name", "value", "factors"),
    [
        ("train.batch_size", 32, (0.3, 1)),
        ("optimizer.nesterov", True, (1, 2)),
        ("optimizer.weight_decay", 0.0, (1, 2)),
        ("model.name", "plain20", (1, 2)),
    ],
)
def test_what_cannot_be_multiplied_is_refused(name, value, factors):
    with pytest.raises(UserError, match=name):
        Times(*factors).of(name, value)


@pytest.mark.parametrize("factors", [(), (1,), (1, 1.0), (0, 1), (-1, 1), ("a", "b"), ((1, 2),)])
def test_factors_are_different_positive_numbers(factors):
    with pytest.raises(UserError, match="Times"):
        Times(*factors)


def test_labels_have_the_order_of_the_combinations():
    tune = {"optimizer.learning_rate": Times(0.3, 1), "optimizer.nesterov": (False, True)}
    words = ranges.labels(tune)
    assert len(words) == len(ranges.combinations(tune, OWN))
    assert words[1] == "×0.3, True"
