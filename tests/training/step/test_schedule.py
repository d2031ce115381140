import math
from pathlib import Path

import jax.numpy as jnp
import pytest

from resnet_jax.errors import UserError
from resnet_jax.training import config as configs
from resnet_jax.training.step import schedule as schedules

CONFIGS = Path(__file__).parents[3] / "configs"


def schedule(**settings):
    settings = {name.replace("__", "."): value for name, value in settings.items()}
    config = configs.override(configs.base(), {"train.steps": 100} | settings)
    return schedules.from_config(config, steps_per_epoch=10.0)


def rate(of, step):
    return float(of(jnp.int32(step)))


@pytest.mark.parametrize(
    ("step", "expected"),
    [(0, 0.1), (31_999, 0.1), (32_000, 0.01), (47_999, 0.01), (48_000, 0.001), (63_999, 0.001)],
)
def test_cifar_recipe_of_he_2015(step, expected):
    config = configs.load(CONFIGS / "cifar10.py")
    assert rate(schedules.from_config(config, 50_000 / 128), step) == pytest.approx(expected)


@pytest.mark.parametrize(("step", "expected"), [(0, 0.01), (399, 0.01), (400, 0.1)])
def test_cifar_recipe_warms_up_resnet110(step, expected):
    config = configs.load(CONFIGS / "cifar10.py", "warmup")
    assert rate(schedules.from_config(config, 50_000 / 128), step) == pytest.approx(expected)


@pytest.mark.parametrize("step", [0, 1, 4, 5, 50, 99])
def test_cosine_after_a_linear_warmup(step):
    made = schedule(schedule__name="cosine", schedule__warmup_steps=5, schedule__warmup_factor=0.1)
    if step < 5:
        expected = 0.1 * (0.1 + 0.9 * (step + 1) / 5)
    else:
        expected = 0.1 * 0.5 * (1 + math.cos(math.pi * (step - 5) / 95))
    assert rate(made, step) == pytest.approx(expected, rel=1e-5)


def test_durations_in_epochs():
    made = schedule(schedule__name="piecewise", schedule__drop_epochs=(2, 4.5))
    rates = [rate(made, step) for step in (19, 20, 44, 45)]
    assert rates == pytest.approx([0.1, 0.01, 0.01, 0.001])


def test_drops_and_piecewise_belong_together():
    with pytest.raises(UserError, match="piecewise"):
        schedule(schedule__drop_steps=(5,))
    with pytest.raises(UserError, match="piecewise"):
        schedule(schedule__name="piecewise")


def test_a_warmup_longer_than_the_run_is_refused():
    with pytest.raises(UserError, match="longer than the run"):
        schedule(schedule__warmup_steps=101)
