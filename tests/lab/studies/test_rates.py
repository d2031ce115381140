"""Rates measured at small sizes, against theory within their sampling error."""

import math

import numpy as np
import pytest

from resnet_jax.errors import UserError
from resnet_jax.lab.statistics import t_interval
from resnet_jax.lab.studies import rates
from resnet_jax.lab.studies.theory import zero_padded_rate

SMALL = {"width": 192, "units": 40, "batch": 16}  # one compiled unit serves several tests


def deviation(seeds: int, **settings) -> tuple[float, float]:
    """The 99.9% interval over seeds of the deviation from theory, in percent."""
    found = [rates.measure(seed=seed, **settings).final["deviation"] for seed in range(seeds)]
    return t_interval(np.array(found), confidence=0.999)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        pytest.param({"batch": 8}, marks=pytest.mark.slow),
        {"rectify": False},
        {"shortcut": 0.5},
        {"shortcut": 0.5, "layers": 2},
        {"shortcut": 1.0},
        {"shortcut": 1.0, "layers": 2},
    ],
    ids=str,
)
def test_rates_agree_with_theory_within_sampling_error(settings: dict):
    low, high = deviation(8, **SMALL | settings)
    assert low - 1 < 0 < high + 1  # one percent for the finite width
    assert high - low < 20


@pytest.mark.parametrize("linear", [pytest.param("circular", marks=pytest.mark.slow), "zero"])
def test_convolutions(linear: str):
    settings = {"linear": linear, "width": 24, "units": 16, "batch": 32, "size": 4}
    low, high = deviation(6, **settings)
    assert low - 2 < 0 < high + 2  # the theory for zeros is an approximation
    assert high - low < 20


def test_zero_padding_lowers_the_rate():
    sizes = [zero_padded_rate(size) for size in (2, 4, 8)]
    assert sizes == sorted(sizes)
    assert sizes[-1] < math.pi / (math.pi - 1)


def test_the_eigenvalue_of_zero_padding_is_that_of_its_matrix():
    """The greatest eigenvalue of the mean over the taps, from its matrix."""
    size = 5
    taps = np.zeros((size * size, size * size))
    for row, column in np.ndindex(size, size):
        for i, j in np.ndindex(3, 3):
            y, x = row + i - 1, column + j - 1
            if 0 <= y < size and 0 <= x < size:
                taps[row * size + column, y * size + x] = 1 / 9
    formula = ((1 + 2 * math.cos(math.pi / (size + 1))) / 3) ** 2
    assert np.linalg.eigvalsh(taps)[-1] == pytest.approx(formula)


def test_growth_is_exponential_in_plain_and_a_power_law_in_residual_networks():
    plain = rates.measure(seed=0, **SMALL).final
    residual = rates.measure(seed=0, **SMALL | {"shortcut": 1.0, "layers": 2}).final
    assert plain["exponential_r2"] > 0.99 > plain["power_r2"]
    assert residual["power_r2"] > 0.99 > residual["exponential_r2"]


def test_the_exponent_of_an_exact_profile():
    growth = 1 + 2.5 / np.arange(1, 31)
    gradient = np.append(np.cumprod(growth[::-1])[::-1], 1.0)
    assert rates.exponent(gradient) == pytest.approx(2.5)


def test_records_of_each_unit_and_the_output():
    records = rates.measure(seed=0, **SMALL).records
    assert [record["unit"] for record in records] == list(range(1, 42))
    assert records[-1]["gradient_norm"] == records[-1]["theory"] == 1
    # The gradient is largest at the input; the predicted norm grows by the root of the rate.
    assert records[0]["gradient_norm"] > 5
    assert records[3]["theory"] / records[4]["theory"] == pytest.approx(math.sqrt(1.590), rel=1e-3)


def test_settings_without_a_theory_have_no_prediction():
    assert math.isnan(rates.expected(shortcut=1.0, linear="zero", size=2))
    found = rates.measure(seed=0, **SMALL, shortcut=1.0, rectify=False)
    assert not {"theory", "deviation"} & set(found.final)
    assert "theory" not in found.records[0]


def test_runs_are_reproducible():
    assert rates.measure(seed=3, **SMALL) == rates.measure(seed=3, **SMALL)
    assert rates.measure(seed=3, **SMALL) != rates.measure(seed=4, **SMALL)


def test_the_keywords_are_the_settings_of_the_study():
    assert rates.STUDY.defaults["batch"] == 64
    assert "seed" not in rates.STUDY.defaults


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"shortcut": 1.5}, r"shortcut=1\.5.*from 0 to 1"),
        ({"batch": 3}, "batch=3"),
        ({"units": 8}, "units=8.*12"),
        ({"linear": "zeros"}, "did you mean 'zero'"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict, message: str):
    with pytest.raises(UserError, match=message):
        rates.measure(seed=0, **settings)
