"""What a network is made of: shapes, parameters and multiply-adds, unit by unit."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn
from flax.traverse_util import flatten_dict

from resnet_jax.errors import UserError
from resnet_jax.models.resnet import ResNet
from resnet_jax.models.stem_head import STEMS, Head
from resnet_jax.models.unit import Unit
from resnet_jax.models.zoo.names import create
from resnet_jax.models.zoo.published import Published
from resnet_jax.models.zoo.published import network as published_of

Path = tuple[str, ...]

PARTS = (*STEMS.values(), Unit, Head)
"""The modules that get a row each."""

IMAGE_SHAPES = {
    "cifar": (32, 32, 3),
    "none": (32, 32, 3),
    "imagenet": (224, 224, 3),
    "deep": (224, 224, 3),
}
"""The images that a network is meant for, by its stem: (height, width, channels)."""

ASIDE = {"shortcut", "gate", "attention"}
"""What stands beside the layers that a network's depth counts."""


@dataclass(frozen=True)
class Row:
    """One unit, or the stem or the head.

    Attributes:
      stage: "stem", "stage1" and so on, "head".
      unit: "unit01" and so on; empty for stem and head.
      output: shape of its output for one image, without the batch.
      params: its trainable parameters.
      multiply_adds: those of its convolutions and dense layers, for one image.
    """

    stage: str
    unit: str
    output: tuple[int, ...]
    params: int
    multiply_adds: int


@dataclass(frozen=True)
class Summary:
    """A network, row by row from stem to head.

    Attributes:
      rows: stem, units, head.
      image_shape: (height, width, channels) of the image that was assumed.
      weighted_layers: the n of ResNet-n: convolutions and dense layers, those of shortcuts
        and of squeeze and excitation left out.
      published: what is published of it, if it was asked for by name.
    """

    rows: tuple[Row, ...]
    image_shape: tuple[int, int, int]
    weighted_layers: int
    published: Published | None = None

    @property
    def params(self) -> int:
        """Trainable parameters; batch statistics are none."""
        return sum(row.params for row in self.rows)

    @property
    def multiply_adds(self) -> int:
        """For one image; the papers call them FLOPs."""
        return sum(row.multiply_adds for row in self.rows)


def summarize_by_name(
    name: str, image_shape: tuple[int, int, int] | None = None, **overrides: Any
) -> Summary:
    """The summary of a network of the zoo, with what is published of it.

    Args:
      name: a name that `create` knows.
      image_shape: (height, width, channels); by default that of the images it is meant for.
      **overrides: other values for attributes of `ResNet`; of what they change, nothing is
        published.

    Raises:
      UserError: if there is no such network, attribute or choice.
    """
    model, as_published = create(name, **overrides), create(name)
    published = published_of(name) if model == as_published else None
    return replace(summarize(model, image_shape), published=published)


def summarize(model: ResNet, image_shape: tuple[int, int, int] | None = None) -> Summary:
    """Counts a network's parameters and multiply-adds, without running or initialising it.

    Multiply-adds are those of the convolutions, projections included, and of the dense layer;
    norms, activations, additions and pooling are left out. That gives the figures of He et al.
    2015, Table 1, except for the last digit of ResNet-50: 3.86e9, where the paper prints 3.8e9.
    (The 3.6e9 of its ResNet-34 are for option A.)

    Args:
      model: the network, such as `create` gives.
      image_shape: (height, width, channels); by default that of the images it is meant for.

    Returns:
      Rows and totals.
    """
    image_shape = image_shape or IMAGE_SHAPES[model.stem]
    if min(image_shape) < 1:
        raise UserError(f"an image of {image_shape} has no pixels: give height, width and channels")
    parts, outputs, params = _trace(model, image_shape)
    kernels = {path[:-1]: leaf for path, leaf in params.items() if path[-1] == "kernel"}
    work = {path: leaf.size * math.prod(outputs[path][:-1]) for path, leaf in kernels.items()}
    rows = tuple(
        Row(
            stage=part[0],
            unit="".join(part[1:]),
            output=outputs[part],
            params=sum(leaf.size for path, leaf in params.items() if _within(path, part)),
            multiply_adds=sum(count for path, count in work.items() if _within(path, part)),
        )
        for part in parts
    )
    weighted_layers = sum(not ASIDE & set(path) for path in kernels)
    return Summary(rows, image_shape, weighted_layers)


def _trace(
    model: ResNet, image_shape: tuple[int, int, int]
) -> tuple[list[Path], dict[Path, tuple[int, ...]], dict[Path, jax.ShapeDtypeStruct]]:
    """Paths of the parts in order, output shape of each module, shape of each parameter."""
    parts: list[Path] = []
    outputs: dict[Path, tuple[int, ...]] = {}

    def note(
        call: Callable, args: tuple, kwargs: dict, context: nn.module.InterceptorContext
    ) -> Any:
        output = call(*args, **kwargs)
        if context.method_name == "__call__":
            outputs[context.module.path] = output.shape[1:]
            if isinstance(context.module, PARTS):
                parts.append(context.module.path)
        return output

    image = jax.ShapeDtypeStruct((1, *image_shape), jnp.float32)
    with nn.intercept_methods(note):
        variables: Any = jax.eval_shape(model.init, jax.random.key(0), image)
    return parts, outputs, flatten_dict(variables["params"])


def _within(path: Path, part: Path) -> bool:
    return path[: len(part)] == part
