"""Validation of a config: names, types, ranges and clashes of its settings."""

import functools
import math
from collections.abc import Mapping
from typing import Any

from ml_collections import ConfigDict

from resnet_jax.errors import UserError, did_you_mean
from resnet_jax.training.config.defaults import SETTINGS, base, flatten


def validate(config: ConfigDict) -> None:
    """Validates a config.

    Raises:
      UserError: it has other settings than `base()`, a value is out of range or of another type,
        settings clash, or one has no effect.
    """
    given, default = flatten(config), flatten(base())
    for name in given:
        if name not in default:
            raise UserError(f"no setting '{name}': {did_you_mean(name, default)}")
    if missing := [name for name in default if name not in given]:
        raise UserError(f"the setting '{missing[0]}' is missing; start a config from base()")
    for name, choices in _CHOICES.items():
        if given[name] not in choices:
            raise UserError(f"{name} = {given[name]!r}: {did_you_mean(str(given[name]), choices)}")
    for name in optional():
        require_type(name, given[name])
    for name, (low, high) in _RANGES.items():
        if not low <= given[name] <= high:
            limit = f"from {low} to {high}" if math.isfinite(high) else f"{low} or more"
            raise UserError(f"{name} = {given[name]}: must be {limit}")
    for name, kind in _ELEMENTS.items():
        if not all(isinstance(each, kind) for each in given[name]):
            raise UserError(f"{name} = {given[name]!r}: must be a tuple of {_PLURAL[kind]}")
    if given["data.mixup"] and given["data.cutmix"]:
        raise UserError(
            f"data.mixup = {given['data.mixup']} and data.cutmix = {given['data.cutmix']} exclude "
            "each other: set one of them to 0"
        )
    if math.frexp(given["train.loss_scale"])[0] != 0.5:
        raise UserError(
            f"train.loss_scale = {given['train.loss_scale']}: must be a power of two, so that "
            "scaling is exact"
        )
    _refuse_without_effect(given, default)
    if not given["model.name"]:
        raise UserError("model.name is empty: name a network, such as 'resnet20'")


def _refuse_without_effect(given: Mapping[str, Any], default: Mapping[str, Any]) -> None:
    for name, (other, values) in _BELONGS_TO.items():
        if given[name] != default[name] and given[other] not in values:
            choices = ", ".join(map(str, values))
            raise UserError(
                f"{name} = {given[name]} has no effect with {other} = {given[other]}: it belongs "
                f"to {choices}"
            )
    magnitude = given["data.rand_magnitude"]
    if magnitude != default["data.rand_magnitude"] and not given["data.rand_augment"]:
        raise UserError(
            f"data.rand_magnitude = {magnitude} has no effect without data.rand_augment"
        )


@functools.cache
def optional() -> Mapping[str, type]:
    """The settings that may be None, with the type of their other values."""
    return {name: kind for name, (kind, _) in SETTINGS.items() if isinstance(kind, type)}


def takes(name: str, value: Any) -> str:
    """What a setting takes, in words.

    Args:
      name: its dotted name.
      value: one of its values, as an example.
    """
    if name in optional():
        return f"{_ONE[optional()[name]]}; leave it out, or give None, for the network's own"
    return f"{kind_of(value)} such as {value!r}"


def require_type(name: str, value: Any) -> None:
    """Refuses a value of another type, for a setting that is None so far.

    A `ConfigDict` checks the types of all others by itself.
    """
    if name not in optional() or value is None:
        return
    if isinstance(value, bool) or not isinstance(value, optional()[name] | int):
        raise UserError(f"{name} = {value!r}: it takes {takes(name, value)}")


def kind_of(value: Any) -> str:
    """The type of a setting's value, with its article: `an int`."""
    name = type(value).__name__
    return f"an {name}" if name[0] in "aeiou" else f"a {name}"


_NEVER_NEGATIVE = (
    "data.crop_padding",
    "data.cutmix",
    "data.cutout",
    "data.image_size",
    "data.mixup",
    "data.rand_augment",
    "data.workers",
    "devices.count",
    "model.epsilon",
    "optimizer.clip_norm",
    "optimizer.clip_value",
    "optimizer.epsilon",
    "optimizer.l1",
    "optimizer.learning_rate",
    "optimizer.trust_coefficient",
    "optimizer.weight_decay",
    "probe.every",
    "schedule.drop_factor",
    "schedule.warmup_factor",
)
_FROM_ONE = (
    "data.synthetic.classes",
    "data.synthetic.num_test",
    "data.synthetic.num_train",
    "train.accumulate",
    "train.batch_size",
    "train.eval_batch_size",
    "train.keep_checkpoints",
    "train.log_steps",
    "train.loss_scale_period",
)
_SHARES = (
    "model.momentum",
    "optimizer.b1",
    "optimizer.b2",
    "optimizer.label_smoothing",
    "train.ema_decay",
)
_RANGES: dict[str, tuple[float, float]] = {
    "data.rand_magnitude": (0, 30),
    "data.rotate": (0, 180),
    "seed": (0, 2**32 - 1),
    "train.loss_scale": (2.0**-126, 2.0**127),
    **dict.fromkeys(_NEVER_NEGATIVE, (0, math.inf)),
    **dict.fromkeys(_FROM_ONE, (1, math.inf)),
    **dict.fromkeys(_SHARES, (0, 1)),
}
_ELEMENTS: dict[str, type | tuple[type, ...]] = {
    "data.synthetic.shape": int,
    "model.stage_sizes": int,
    "model.widths": int,
    "probe.sites": str,
    "probe.steps": int,
    "schedule.drop_epochs": (int, float),
    "schedule.drop_steps": int,
}
_ONE = {int: "a whole number", float: "a number"}
_PLURAL = {int: "whole numbers", str: "strings", (int, float): "numbers"}
_BELONGS_TO: dict[str, tuple[str, tuple[str, ...]]] = {
    "optimizer.b1": ("optimizer.name", ("adam", "adamw", "lamb")),
    "optimizer.b2": ("optimizer.name", ("adam", "adamw", "lamb", "rmsprop")),
    "optimizer.epsilon": ("optimizer.name", ("adam", "adamw", "lamb", "rmsprop", "adagrad")),
    "optimizer.momentum": ("optimizer.name", ("sgd", "rmsprop", "lars")),
    "optimizer.nesterov": ("optimizer.name", ("sgd", "rmsprop", "lars")),
    "optimizer.trust_coefficient": ("optimizer.name", ("lars",)),
    "train.loss_scale": ("model.dtype", ("float16",)),
    "train.loss_scale_period": ("model.dtype", ("float16",)),
}
"""Settings that have an effect only where another setting has one of some values.

Those of the schedule are left out, so that another schedule can be tried without removing a
recipe's drops.
"""
_CHOICES: dict[str, tuple[str, ...]] = {
    "devices.mapping": ("jit", "pmap"),
    "devices.batch_stats": ("sync", "per_replica"),
    "model.dtype": ("float32", "bfloat16", "float16", "float64"),
    "data.normalize": ("pixel", "channel", "none"),
    "optimizer.name": ("sgd", "rmsprop", "adagrad", "adam", "adamw", "lars", "lamb"),
    "optimizer.loss": ("cross_entropy", "mean_squared_error"),
    "optimizer.decay": ("all", "kernels"),
    "schedule.name": ("constant", "piecewise", "cosine"),
    "schedule.warmup": ("linear", "constant"),
}
