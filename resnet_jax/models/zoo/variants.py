"""Networks of later papers and of tutorials, by name.

    wrn28-10             Wide ResNet of 6n+4 layers, k times as wide (Zagoruyko and Komodakis 2016)
    resnext29-8x64d      ResNeXt of 9n+2 layers for CIFAR, C groups of d channels (Xie et al. 2017)
    stochastic110        ResNet of 6n+2 layers trained with stochastic depth (Huang et al. 2016)
    resnet50-d           ResNet-D (He et al. 2019)
    se-resnet50          squeeze and excitation (Hu et al. 2018)
    wide-resnet50-2, resnext50-32x4d, resnext101-32x8d    ImageNet networks, as in torchvision
    tutorial-...         networks of popular tutorials, see `TUTORIALS`

DenseNet is not among them: its units concatenate where y = h(x) + F(x) adds.
"""

import re
from collections.abc import Callable
from typing import Any

from resnet_jax.errors import UserError

Settings = dict[str, Any]
"""Settings of a network, see models/settings.py."""


def wide(depth: int, k: int) -> Settings:
    """WRN-depth-k of basic units in pre-activation order (arXiv 1605.07146, Table 1)."""
    units = _units(f"wrn{depth}-{k}", depth, layers_per_n=6, others=4)
    return {
        "stage_sizes": (units,) * 3,
        "widths": (16 * k, 32 * k, 64 * k),
        "stem_width": 16,
        "order": "preactivation",
        "shortcut": "B",
    }


def grouped(depth: int, cardinality: int, width: int) -> Settings:
    """ResNeXt-depth for CIFAR (arXiv 1611.05431, section 5.3)."""
    name = f"resnext{depth}-{cardinality}x{width}d"
    units = _units(name, depth, layers_per_n=9, others=2)
    return {
        "stage_sizes": (units,) * 3,
        "widths": (64, 128, 256),
        "branch": "bottleneck",
        "cardinality": cardinality,
        "bottleneck_width": width,
        "shortcut": "B",
        "stride_on": "conv2",
    }


def stochastic(depth: int) -> Settings:
    """ResNet-depth with stochastic depth: linear decay to 0.5 (arXiv 1603.09382, section 4)."""
    units = _units(f"stochastic{depth}", depth, layers_per_n=6, others=2)
    return {"stage_sizes": (units,) * 3, "shortcut": "A", "survival": 0.5}


def imagenet(*stage_sizes: int, **settings: Any) -> Settings:
    """An ImageNet network of bottlenecks (He et al. 2015, Table 1), with some settings changed."""
    return {
        "stage_sizes": stage_sizes,
        "widths": (64, 128, 256, 512),
        "num_classes": 1000,
        "stem": "imagenet",
        "branch": "bottleneck",
        "shortcut": "B",
        **settings,
    }


NAMED: dict[str, Settings] = {
    "resnet50-d": imagenet(3, 4, 6, 3, stem="deep", shortcut="D", stride_on="conv2"),
    "se-resnet50": imagenet(3, 4, 6, 3, squeeze=16),
    "wide-resnet50-2": imagenet(3, 4, 6, 3, bottleneck_width=128, stride_on="conv2"),
    "resnext50-32x4d": imagenet(3, 4, 6, 3, cardinality=32, bottleneck_width=4, stride_on="conv2"),
    "resnext101-32x8d": imagenet(
        3, 4, 23, 3, cardinality=32, bottleneck_width=8, stride_on="conv2"
    ),
}

TUTORIALS: dict[str, Settings] = {
    "tutorial-one-stage": {
        "stage_sizes": (4,),
        "widths": (64,),
        "stem": "imagenet",
        "shortcut": "identity_plus_conv",
    },
    "tutorial-unnormalized": {
        "stage_sizes": (4,),
        "widths": (64,),
        "stem": "none",
        "normalization": "none",
        "shortcut": "B",
    },
    "tutorial-four-stages": {
        "stage_sizes": (2, 2, 2, 2),
        "widths": (64, 128, 256, 512),
        "stem": "imagenet",
        "order": "identity_after_addition",
        "shortcut": "B",
    },
    "tutorial-four-stages-bottleneck": {
        "stage_sizes": (2, 2, 2, 2),
        "widths": (64, 128, 256, 512),
        "stem": "imagenet",
        "branch": "bottleneck",
        "order": "one_norm",
        "shortcut": "B",
    },
    "tutorial-dropout": {
        "stage_sizes": (6, 6, 6),
        "widths": (16, 32, 64),
        "order": "one_norm",
        "shortcut": "B",
        "unit_dropout": 0.5,
    },
    "tutorial-on-the-image": {
        "stage_sizes": (3,),
        "widths": (64,),
        "stem": "none",
        "shortcut": "B",
    },
}
"""The networks of configs/tutorials.py. Where a tutorial adds tensors of different shapes, shortcut
"B" inserts a projection; nothing else is changed.
"""

_FORMULAS: tuple[tuple[re.Pattern[str], Callable[..., Settings]], ...] = (
    (re.compile(r"wrn([1-9]\d*)-([1-9]\d*)"), wide),
    (re.compile(r"resnext([1-9]\d*)-([1-9]\d*)x([1-9]\d*)d"), grouped),
    (re.compile(r"stochastic([1-9]\d*)"), stochastic),
)

LISTED = (
    "wrn16-8",
    "wrn28-10",
    "wrn40-4",
    "resnext29-8x64d",
    "resnext29-16x64d",
    "stochastic110",
    "stochastic1202",
    *NAMED,
    *TUTORIALS,
)


def find(name: str) -> Settings | None:
    """The settings of a network of this file, or None if there is none of that name.

    Raises:
      UserError: if the name matches a formula that has no such depth.
    """
    known = NAMED | TUTORIALS
    if name in known:
        return dict(known[name])
    for pattern, make in _FORMULAS:
        if match := pattern.fullmatch(name):
            return make(*map(int, match.groups()))
    return None


def _units(name: str, depth: int, layers_per_n: int, others: int) -> int:
    """The n in depth = layers_per_n * n + others."""
    units, rest = divmod(depth - others, layers_per_n)
    if rest or units < 1:
        below = max(1, units) * layers_per_n + others
        raise UserError(
            f"no network is called {name!r}: {depth} layers are not {layers_per_n}n+{others}; the "
            f"nearest are {below} and {below + layers_per_n}"
        )
    return units
