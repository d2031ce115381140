"""The networks of the papers by name: family, depth and, if needed, a suffix.

    resnet56  plain56  preact110  resnet164  preact1001-bottleneck  resnet50  resnet50-basic

The family is `plain` (no shortcuts), `resnet` (original order) or `preact` (pre-activation).
Networks of one depth are twins: what a depth without suffix means does not depend on the family.

    18, 34, 50, 101, 152  ImageNet networks (He et al. 2015, Table 1), option B
    200                   ImageNet network of He et al. 2016, Table 5 (pre-activation), option B
    164, 1001             CIFAR networks of bottlenecks, 9n+2 layers (He et al. 2016), option B
    any other 6n+2        CIFAR networks of basic units (He et al. 2015, section 4.2), option A

A suffix selects a CIFAR network: `-basic` (6n+2 layers), `-bottleneck` (9n+2) or `-single` (3n+2,
units of one layer). Networks of later papers are in variants.py.
"""

import re
from typing import Any

from resnet_jax.errors import UserError, did_you_mean
from resnet_jax.models.resnet import ResNet
from resnet_jax.models.settings import from_settings
from resnet_jax.models.zoo import variants

FAMILIES: dict[str, dict[str, str]] = {
    "plain": {"order": "original", "shortcut": "none"},
    "resnet": {"order": "original"},
    "preact": {"order": "preactivation"},
}
"""Settings of each family, in addition to those of the depth."""

IMAGENET: dict[int, tuple[str, tuple[int, ...]]] = {
    18: ("basic", (2, 2, 2, 2)),
    34: ("basic", (3, 4, 6, 3)),
    50: ("bottleneck", (3, 4, 6, 3)),
    101: ("bottleneck", (3, 4, 23, 3)),
    152: ("bottleneck", (3, 8, 36, 3)),
    200: ("bottleneck", (3, 24, 36, 3)),
}
"""Depth -> branch and stage sizes (He et al. 2015, Table 1; 200: He et al. 2016, section 4)."""

LAYERS_PER_N = {"single": 3, "basic": 6, "bottleneck": 9}
"""CIFAR networks have this many layers times n (units per stage), plus 2."""

BOTTLENECK_DEPTHS = (164, 1001)
"""CIFAR depths that are bottlenecks in the paper (164 is 9 * 18 + 2, but also 6 * 27 + 2)."""

_LISTED = {
    "plain": (20, 32, 44, 56, 110, 1202, 18, 34),
    "resnet": (20, 32, 44, 56, 110, 1202, 164, 1001, 18, 34, 50, 101, 152),
    "preact": (20, 32, 44, 56, 110, 1202, 164, 1001, 200),
}

_NAME = re.compile(r"(?P<family>[a-z]+)(?P<depth>[1-9]\d{0,4})(-(?P<branch>[a-z]+))?")


def names() -> tuple[str, ...]:
    """The networks that the papers report; other depths of their formulas are names too."""
    papers = [f"{family}{depth}" for family, depths in _LISTED.items() for depth in depths]
    return (*papers, *variants.LISTED)


def create(name: str, num_classes: int | None = None, **overrides: Any) -> ResNet:
    """A network of the zoo.

    Args:
      name: one of `names()`, or another depth of a family's formula.
      num_classes: number of logits; by default 10 for a CIFAR network and 1000 for an ImageNet one.
      **overrides: settings to change, as in a config's `model.*`.

    Returns:
      The module, unbound and hashable.

    Raises:
      UserError: if there is no such network, setting or choice (the message names the nearest), or
        a setting would have no effect.

    Example:
      >>> create("resnet56", shortcut="B").stage_sizes
      (9, 9, 9)
    """
    settings = _settings(name)
    if num_classes is not None:
        settings["num_classes"] = num_classes
    return from_settings(**settings | overrides)


def _nearby() -> list[str]:
    """Names to suggest: those of `names()` and some small networks."""
    small = [f"{family}{depth}" for depth in (8, 14, 26, 38, 50) for family in FAMILIES]
    return list(dict.fromkeys([*names(), *small]))


def _settings(name: str) -> dict[str, Any]:
    """The settings of a network."""
    if (later := variants.find(name)) is not None:
        return later
    match = _NAME.fullmatch(name)
    if match is None or match["family"] not in FAMILIES:
        raise UserError(f"no network is called {name!r}; {did_you_mean(name, _nearby())}")
    family, depth, branch = match["family"], int(match["depth"]), match["branch"]
    if branch not in (None, *LAYERS_PER_N):
        raise UserError(f"no network is called {name!r}: a suffix is -{', -'.join(LAYERS_PER_N)}")
    if branch is None and depth in IMAGENET:
        return _imagenet(depth) | FAMILIES[family]
    branch = branch or ("bottleneck" if depth in BOTTLENECK_DEPTHS else "basic")
    units, rest = divmod(depth - 2, LAYERS_PER_N[branch])
    if rest or units < 1:
        raise UserError(_no_such_depth(name, family, depth, branch, explicit=bool(match["branch"])))
    return _cifar(branch, units) | FAMILIES[family]


def _cifar(branch: str, units: int) -> dict[str, Any]:
    return {
        "branch": branch,
        "stage_sizes": (units, units, units),
        "shortcut": "B" if branch == "bottleneck" else "A",
    }


def _imagenet(depth: int) -> dict[str, Any]:
    branch, sizes = IMAGENET[depth]
    return {
        "branch": branch,
        "stage_sizes": sizes,
        "widths": (64, 128, 256, 512),
        "num_classes": 1000,
        "stem": "imagenet",
        "shortcut": "B",
    }


def _no_such_depth(name: str, family: str, depth: int, branch: str, explicit: bool) -> str:
    """A message that names the nearest depths."""
    step, suffix = LAYERS_PER_N[branch], f"-{branch}" if explicit else ""
    below = max(1, (depth - 2) // step) * step + 2
    others = () if explicit else (*IMAGENET, *BOTTLENECK_DEPTHS)
    near = {below, below + step, *(other for other in others if abs(other - depth) <= 2)}
    listed = " and ".join(f"{family}{known}{suffix}" for known in sorted(near))
    return (
        f"no network is called {name!r}: {depth} layers are not {step}n+2, as CIFAR networks of "
        f"{branch} units have; the nearest are {listed}"
    )
