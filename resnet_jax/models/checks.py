"""What the settings of a network are held to: that it can be, and that they have an effect.

A network that can be and does not train, such as a plain one whose branches start at zero, is one
to be looked at, and is not refused.
"""

from dataclasses import fields
from typing import TYPE_CHECKING

from resnet_jax.errors import UserError
from resnet_jax.models.orders import ORDERS
from resnet_jax.models.shortcuts import READ_BY

if TYPE_CHECKING:
    from resnet_jax.models.resnet import ResNet

BELONGS_TO: dict[str, tuple[str, tuple[str, ...]]] = {
    "branch_constant": ("branch_scale", ("constant",)),
    "cardinality": ("branch", ("bottleneck",)),
    "bottleneck_width": ("branch", ("bottleneck",)),
    **{number: ("shortcut", names) for number, names in READ_BY.items()},
    "norm_groups": ("normalization", ("group",)),
    "momentum": ("normalization", ("batch",)),
    "stride_on": ("branch", ("bottleneck",)),
    "dropout": ("branch", ("basic", "bottleneck")),
    "stem_width": ("stem", ("cifar", "imagenet", "deep")),
}
"""Settings that say something only where another has one of some values."""

RATES = ("dropout", "unit_dropout", "shortcut_dropout", "momentum")


def check(model: "ResNet") -> None:
    """Raises a `UserError` if a network cannot be, or has a setting without effect."""
    _check_stages(model.stage_sizes, model.widths)
    _check_numbers(model)
    _check_effects(model)
    _check_zero_branches(model)


def _check_stages(sizes: tuple[int, ...], widths: tuple[int, ...]) -> None:
    if len(sizes) != len(widths):
        raise UserError(
            f"{len(sizes)} stages (stage_sizes={sizes}) need as many widths, not {widths}"
        )
    if not sizes or min(*sizes, *widths) < 1:
        raise UserError(f"stages need units and channels: stage_sizes={sizes}, widths={widths}")


def _check_numbers(model: "ResNet") -> None:
    if model.num_classes < 1:
        raise UserError(f"a network needs one class or more, not num_classes={model.num_classes}")
    for setting in RATES:
        if not 0 <= (value := getattr(model, setting)) < 1:
            raise UserError(f"{setting}={value} is not in [0, 1)")
    if not 0 < model.survival <= 1:
        raise UserError(f"survival={model.survival} is a probability above 0, and 1 at most")
    if model.epsilon < 0:
        raise UserError(f"epsilon={model.epsilon} is added to variances and cannot be negative")
    if model.kernel_size < 1 or model.kernel_size % 2 == 0:
        raise UserError(f"kernel_size={model.kernel_size} has no middle: choose an odd number")
    for setting in ("cardinality", "norm_groups"):
        if (value := getattr(model, setting)) < 1:
            raise UserError(f"{setting}={value} must be 1 or more")
    for width in model.widths if model.branch == "bottleneck" else ():
        if width * model.bottleneck_width < 64:
            raise UserError(
                f"bottleneck_width={model.bottleneck_width} leaves no channel in a stage of {width}"
            )
    for setting in ("squeeze", "stem_width"):
        if (value := getattr(model, setting)) < 0:
            raise UserError(f"{setting}={value} cannot be negative")


def _check_effects(model: "ResNet") -> None:
    defaults = {field.name: field.default for field in fields(model)}
    for setting, (other, values) in BELONGS_TO.items():
        if getattr(model, setting) != defaults[setting] and getattr(model, other) not in values:
            choices = " or ".join(f"{other}={value!r}" for value in values)
            raise UserError(f"{setting}={getattr(model, setting)} has no effect without {choices}")
    if model.survival_rule != defaults["survival_rule"] and model.survival == 1:
        raise UserError(f"survival_rule={model.survival_rule!r} has no effect at survival=1")

    if model.order == "one_norm" and model.branch == "single":
        raise UserError("order='one_norm' has its norm between convolutions: a single one has none")


def _check_zero_branches(model: "ResNet") -> None:
    if model.survival < 1 and model.shortcut == "none":
        raise UserError(
            f"survival={model.survival} leaves branches out, and shortcut='none' puts nothing in "
            "their place: what comes after would not depend on the image"
        )
    if model.branch_scale == "fixup" and model.normalization != "none":
        raise UserError("branch_scale='fixup' replaces norms: set normalization='none' with it")
    starts_at_zero = model.zero_init_residual or model.branch_scale == "fixup"
    if starts_at_zero and ORDERS[model.order].closing[-1:] == ("activation",):
        raise UserError(
            f"branches that start at zero stay there with order={model.order!r}: the activation "
            "before the addition has no gradient at zero; choose another order"
        )
