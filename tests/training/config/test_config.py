import pytest

from resnet_jax import models
from resnet_jax.errors import UserError
from resnet_jax.training import config as configs
from resnet_jax.training.config import durations
from resnet_jax.training.config.network import build_model


def test_override_changes_a_copy():
    config = configs.base()
    changed = configs.override(config, {"model.name": "plain20", "optimizer.learning_rate": 1})
    assert (changed.model.name, changed.optimizer.learning_rate) == ("plain20", 1.0)
    assert config.model.name == "resnet20"
    assert configs.differences(config, changed) == [
        "model.name: 'resnet20' -> 'plain20'",
        "optimizer.learning_rate: 0.1 -> 1.0",
    ]


@pytest.mark.parametrize(
    ("settings", "hint"),
    [
        ({"model.nam": "plain20"}, "'model.name'"),
        ({"modle.name": "plain20"}, "'model.name'"),
        ({"train.steps": "many"}, "takes an int"),
        ({"train.steps": 1.5}, "takes an int"),
        ({"data.flip": 1}, "takes a bool"),
    ],
)
def test_a_wrong_setting_is_answered_with_the_right_one(settings, hint):
    with pytest.raises(UserError, match=hint):
        configs.override(configs.base(), settings)


@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        ("optimizer.name", "sdg", "'sgd'"),
        ("schedule.name", "step", "piecewise"),
        ("train.batch_size", 0, "1 or more"),
    ],
)
def test_validate_refuses_unknown_choices_and_values_out_of_range(name, value, hint):
    with pytest.raises(UserError, match=hint):
        configs.validate(configs.override(configs.base(), {name: value}))


@pytest.mark.parametrize(
    ("settings", "hint"),
    [
        (
            {"optimizer.name": "adam", "optimizer.nesterov": True},
            "sgd, rmsprop, lars",
        ),
        ({"optimizer.b1": 0.5}, "optimizer.b1 = 0.5 .*optimizer.name = sgd"),
        ({"train.loss_scale": 4.0}, "train.loss_scale = 4.0 .*float16"),
        ({"data.rand_magnitude": 3.0}, "3.0 .*data.rand_augment"),
    ],
)
def test_a_setting_without_effect_is_refused(settings, hint):
    with pytest.raises(UserError, match=hint):
        configs.validate(configs.override(configs.base(), settings))


def test_validate_refuses_a_setting_that_base_does_not_have():
    config = configs.base()
    config.train.stpes = 3
    with pytest.raises(UserError, match=r"train\.steps"):
        configs.validate(config)


def test_json_round_trip_keeps_every_setting():
    config = configs.override(configs.base(), {"schedule.drop_steps": (10, 20), "seed": 3})
    assert configs.from_dict(configs.to_dict(config)).to_dict() == config.to_dict()


def test_load_says_what_is_wrong_with_a_file(tmp_path):
    with pytest.raises(UserError, match=r"none\.py"):
        configs.load(tmp_path / "none.py")
    broken = tmp_path / "broken.py"
    broken.write_text("def get_config():\n    return 1 / 0\n")
    with pytest.raises(UserError, match="ZeroDivisionError"):
        configs.load(broken)


def test_epochs_become_steps():
    train = configs.override(configs.base(), {"train.epochs": 2.5}).train
    assert durations.total(train, steps_per_epoch=50_000 / 128) == 977


@pytest.mark.parametrize(
    ("settings", "hint"),
    [
        ({}, r"train\.steps or train\.epochs"),
        ({"train.steps": 10, "train.epochs": 1.0}, r"steps = 10 and epochs = 1\.0"),
        ({"train.epochs": 0.001}, r"epochs = 0\.001"),
        ({"train.steps": -1}, "steps and epochs .* negative"),
    ],
)
def test_a_duration_is_given_once(settings, hint):
    train = configs.override(configs.base(), settings).train
    with pytest.raises(UserError, match=hint):
        durations.total(train, steps_per_epoch=100)


def test_drops_must_increase():
    schedule = configs.override(configs.base(), {"schedule.drop_epochs": (3, 2)}).schedule
    with pytest.raises(UserError, match="increasing"):
        durations.moments(schedule, "drop", steps_per_epoch=100)


@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        ("model.survival", "half", "model.survival = .half.: .*number.*None"),
        ("model.squeeze", 1.5, "model.squeeze = 1.5: .*whole number.*None"),
        ("model.dropout", True, "model.dropout = True: .*number.*None"),
    ],
)
def test_optional_settings_are_checked_once_given(name, value, hint):
    with pytest.raises(UserError, match=hint):
        configs.override(configs.base(), {name: value})
    config = configs.base().copy_and_resolve_references()  # loses the types of Nones
    config.model[name.removeprefix("model.")] = value
    with pytest.raises(UserError, match=hint):
        configs.validate(config)


def test_settings_that_are_left_out_are_the_zoo_s(tiny):
    model = build_model(configs.override(tiny, {"model.name": "stochastic110"}), 10)
    assert model.widths == (8,)
    assert model.stochastic_depth == models.create("stochastic110").stochastic_depth
    assert configs.from_dict(configs.to_dict(tiny)).to_dict() == tiny.to_dict()


OWN = """
from flax import linen as nn

net = nn.Dense(10)
"""


@pytest.mark.parametrize(
    ("settings", "refused"),
    [
        ({}, None),
        ({"model.dtype": "float64"}, None),
        ({"model.dtype": "float16"}, None),
        ({"model.dtype": "bfloat16"}, "model.dtype = 'bfloat16'"),
        ({"model.shortcut": "A"}, "model.shortcut = 'A'"),
        ({"model.survival": 0.5}, "model.survival = 0.5"),
        ({"model.momentum": 0.99}, "model.momentum = 0.99"),
    ],
)
def test_settings_without_effect_on_a_users_network_are_refused(tmp_path, settings, refused):
    (tmp_path / "own.py").write_text(OWN)
    given = {"model.name": f"{tmp_path / 'own.py'}:net"} | settings
    config = configs.override(configs.base(), given)
    if not refused:
        assert build_model(config, 10) is not None
        return
    with pytest.raises(UserError, match=refused):
        build_model(config, 10)
