"""Builds a `ResNet` from flat settings, such as a config's `model.*`.

A part is chosen by name from a table (`CHOICES`): shortcut="scaled" is `shortcuts.Scaled()`. Some
settings are options of a part (`OPTIONS`): shortcut_scale=0.5 makes that `Scaled(factor=0.5)`. An
option is refused if the chosen part has no such field. All others are attributes of `ResNet`.
training/config/defaults.py lists all settings with their meanings.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from resnet_jax.errors import UserError, did_you_mean
from resnet_jax.models.branches import BRANCHES, STRIDE_ON
from resnet_jax.models.initializers import INITIALIZERS
from resnet_jax.models.layers import ACTIVATIONS, DTYPES
from resnet_jax.models.norms import NORMS
from resnet_jax.models.orders import ORDERS
from resnet_jax.models.residual_scaling import SCALINGS
from resnet_jax.models.resnet import ResNet
from resnet_jax.models.shortcuts import SHORTCUTS
from resnet_jax.models.stem_head import STEMS
from resnet_jax.models.stochastic_depth import RULES, StochasticDepth

T = TypeVar("T")

CHOICES: dict[str, Mapping[str, Any]] = {
    "stem": STEMS,
    "branch": BRANCHES,
    "shortcut": SHORTCUTS,
    "order": ORDERS,
    "branch_scale": SCALINGS,
    "normalization": NORMS,
    "activation": ACTIVATIONS,
    "initializer": INITIALIZERS,
    "dtype": DTYPES,
}
"""Settings that name a part, each with the table of its choices."""

OPTIONS: dict[str, tuple[str, str]] = {
    "stem_width": ("stem", "width"),
    "kernel_size": ("branch", "kernel_size"),
    "squeeze": ("branch", "squeeze"),
    "dropout": ("branch", "dropout"),
    "cardinality": ("branch", "cardinality"),
    "bottleneck_width": ("branch", "width"),
    "stride_on": ("branch", "stride_on"),
    "shortcut_scale": ("shortcut", "factor"),
    "gate_bias": ("shortcut", "bias"),
    "shortcut_dropout": ("shortcut", "rate"),
    "branch_constant": ("branch_scale", "factor"),
    "norm_groups": ("normalization", "groups"),
    "momentum": ("normalization", "momentum"),
    "epsilon": ("normalization", "epsilon"),
}
"""Settings that are options of a part: the setting that chooses it, and the part's field."""

DEPTH = ("survival", "survival_rule")
"""The settings of stochastic depth."""

_DEFAULTS = {
    field.name: field.default
    for field in fields(ResNet)
    if field.name not in ("stochastic_depth", "parent", "name")
}

SETTINGS = (*_DEFAULTS, *OPTIONS, *DEPTH)


def from_settings(stage_sizes: Sequence[int], **settings: Any) -> ResNet:
    """Builds a network from flat settings; the defaults are those of `ResNet` and its parts.

    Args:
      stage_sizes: units in each stage.
      **settings: names of parts, their options, and attributes of `ResNet`.

    Raises:
      UserError: an unknown setting or name, a number out of range, an option without effect, or
        parts that do not fit together.

    Example:
      >>> from_settings((1, 1, 1), shortcut="scaled", shortcut_scale=0.5).shortcut
      Scaled(factor=0.5)
    """
    for setting, value in settings.items():
        if setting not in SETTINGS:
            nearest = did_you_mean(setting, SETTINGS)
            raise UserError(f"networks have no setting {setting!r}; {nearest}")
        _check_range(setting, value)
    parts = {
        setting: choose(CHOICES[setting], value, setting) if setting in CHOICES else value
        for setting, value in settings.items()
        if setting in _DEFAULTS
    }
    for setting, (part, _) in OPTIONS.items():
        if setting in settings:
            chosen = parts.get(part, _DEFAULTS[part])
            parts[part] = _with_option(chosen, setting, settings[setting])
    depth = {setting: settings[setting] for setting in DEPTH if setting in settings}
    if "widths" in parts:
        parts["widths"] = tuple(parts["widths"])
    return ResNet(tuple(stage_sizes), **parts, stochastic_depth=_stochastic_depth(**depth))


def choose(table: Mapping[str, T], name: str, setting: str) -> T:
    """The entry of a table.

    Args:
      table: the choices, by name.
      name: the one to take.
      setting: the setting that names it, for the message.

    Raises:
      UserError: if the table has no such entry; the message names the nearest.

    Example:
      >>> choose({"basic": 2, "bottleneck": 3}, "basic", "branch")
      2
    """
    if name in table:
        return table[name]
    raise UserError(
        f"model setting {setting}={name!r} is unknown; {did_you_mean(str(name), table)}"
    )


def _with_option(part: Any, setting: str, value: Any) -> Any:
    """The part with an option set; unchanged if the value is the default of another choice."""
    choice, field = OPTIONS[setting]
    if setting == "stride_on":
        choose(STRIDE_ON, value, setting)
    if _has_field(part, field):
        return replace(part, **{field: value})
    having = {name: other for name, other in CHOICES[choice].items() if _has_field(other, field)}
    if any(getattr(other, field) == value for other in having.values()):
        return part
    needed = " or ".join(f"{choice}={name!r}" for name in having)
    raise UserError(f"{setting}={value} has no effect without {needed}")


def _has_field(part: Any, name: str) -> bool:
    return is_dataclass(part) and name in (field.name for field in fields(part))


def _stochastic_depth(
    survival: float = 1.0, survival_rule: str = "linear"
) -> StochasticDepth | None:
    rule = choose(RULES, survival_rule, "survival_rule")
    if survival == 1:
        if survival_rule != "linear":
            raise UserError(f"survival_rule={survival_rule!r} has no effect at survival=1")
        return None
    return StochasticDepth(survival, rule)


Range = tuple[Callable[[float], bool], str]

_RATE: Range = (lambda value: 0 <= value < 1, "is not in [0, 1)")
_COUNT: Range = (lambda value: value >= 1, "must be 1 or more")
_NOT_NEGATIVE: Range = (lambda value: value >= 0, "cannot be negative")

RANGES: dict[str, Range] = {
    **dict.fromkeys(("dropout", "unit_dropout", "shortcut_dropout", "momentum"), _RATE),
    **dict.fromkeys(("cardinality", "norm_groups"), _COUNT),
    **dict.fromkeys(("squeeze", "stem_width", "epsilon"), _NOT_NEGATIVE),
    "survival": (lambda value: 0 < value <= 1, "is a probability and not in (0, 1]"),
    "kernel_size": (lambda value: value >= 1 and value % 2 == 1, "must be an odd number"),
}
"""Predicate of each number's range, and the error message for numbers outside it."""


def _check_range(setting: str, value: Any) -> None:
    allowed, otherwise = RANGES.get(setting, (lambda _: True, ""))
    if not allowed(value):
        raise UserError(f"{setting}={value} {otherwise}")
