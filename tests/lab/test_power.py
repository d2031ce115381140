"""The number of seeds that a claim needs."""

import math

import pytest

from resnet_jax.lab import inference


@pytest.mark.parametrize("effect", [1.0, 5.0, 14.4, 100.0, 1e6])
def test_the_number_of_seeds_needed_is_the_smallest_that_has_the_power(effect):
    found = inference.needed(effect, 0.00125, tail=0.8)
    smallest = next(n for n in range(3, 100) if inference.power(effect, n, 0.00125, 0.8) >= 0.8)
    assert smallest <= found <= math.ceil(1.1 * smallest)  # in steps of a tenth beyond 20
