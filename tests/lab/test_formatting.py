"""Numbers in words."""

import doctest
import math

import pytest

from resnet_jax.lab import formatting


def test_examples():
    assert doctest.testmod(formatting).failed == 0
    assert doctest.testmod(formatting).attempted > 0


def test_number_that_rounds_to_zero_has_no_minus():
    assert formatting.number(-0.001, 2) == "0.00"
    assert formatting.number(-0.006, 2) == "\N{MINUS SIGN}0.01"


def test_values_have_units():
    assert formatting.with_unit(90.0, "train_error") == "90%"
    assert formatting.with_unit(2.302, "train_loss", 1) == "2.3 nats"
    assert formatting.with_unit(3.0, "gradient_norm") == "3"
    assert formatting.difference(1.0, "test_error") == "1 percentage point"
    assert formatting.difference(0.5, "test_error") == "0.5 percentage points"


@pytest.mark.parametrize("spreads", [[], [0.0, math.nan]])
def test_decimals_without_a_spread(spreads):
    assert formatting.decimals(spreads) == 2
