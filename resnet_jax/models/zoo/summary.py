"""Output shapes, parameters and multiply-adds of a network, unit by unit."""

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
from resnet_jax.models.stem_head import Head, Stem
from resnet_jax.models.unit import Unit
from resnet_jax.models.zoo.names import create
from resnet_jax.models.zoo.published import Published
from resnet_jax.models.zoo.published import network as published_of

Path = tuple[str, ...]

PARTS = (Stem, Unit, Head)
"""The modules that have a row each."""

NOT_COUNTED = {"shortcut", "gate", "attention"}
"""Submodules whose layers do not count towards a network's depth."""


@dataclass(frozen=True)
class Row:
    """A unit, the stem or the head.

    Attributes:
      stage: "stem", "stage1", ..., "head".
      unit: "unit01", ...; empty for stem and head.
      output: output shape without the batch axis.
      params: number of trainable parameters.
      multiply_adds: of convolutions and dense layers, for one image.
    """

    stage: str
    unit: str
    output: tuple[int, ...]
    params: int
    multiply_adds: int


@dataclass(frozen=True)
class NetworkSummary:
    """The rows of a network, and totals.

    Attributes:
      rows: stem, units, head.
      image_shape: (height, width, channels) of the input.
      weighted_layers: the n of ResNet-n: convolutions and dense layers, without those of shortcuts
        and of squeeze-and-excitation.
      published: published results, if it was summarized by name.
    """

    rows: tuple[Row, ...]
    image_shape: tuple[int, int, int]
    weighted_layers: int
    published: Published | None = None

    @property
    def params(self) -> int:
        """Number of trainable parameters, without batch statistics."""
        return sum(row.params for row in self.rows)

    @property
    def multiply_adds(self) -> int:
        """For one image; the papers call them FLOPs."""
        return sum(row.multiply_adds for row in self.rows)


def summarize_by_name(
    name: str, image_shape: tuple[int, int, int] | None = None, **overrides: Any
) -> NetworkSummary:
    """Summarizes a network of the zoo, with its published results.

    Args:
      name: a name that `create` knows.
      image_shape: (height, width, channels); by default that of the data set the stem is for.
      **overrides: settings to change; a changed network has no published results.

    Raises:
      UserError: if there is no such network, setting or choice.
    """
    model, as_published = create(name, **overrides), create(name)
    published = published_of(name) if model == as_published else None
    return replace(summarize(model, image_shape), published=published)


def summarize(model: ResNet, image_shape: tuple[int, int, int] | None = None) -> NetworkSummary:
    """Counts a network's parameters and multiply-adds, without running or initializing it.

    Multiply-adds are those of convolutions (with projections) and the dense layer; norms,
    activations, additions and pooling are not counted. This gives the figures of He et al. 2015,
    Table 1, except for the last digit of ResNet-50: 3.86e9, where the paper prints 3.8e9. (The
    3.6e9 of its ResNet-34 are for option A.)

    Args:
      model: the network.
      image_shape: (height, width, channels); by default that of the data set the stem is for.

    Raises:
      UserError: if a side of the image is not positive.
    """
    image_shape = image_shape or model.stem.image_shape
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
    weighted_layers = sum(not NOT_COUNTED & set(path) for path in kernels)
    return NetworkSummary(rows, image_shape, weighted_layers)


def _trace(
    model: ResNet, image_shape: tuple[int, int, int]
) -> tuple[list[Path], dict[Path, tuple[int, ...]], dict[Path, jax.ShapeDtypeStruct]]:
    """Paths of the parts in network order, output shapes of modules, shapes of parameters."""
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
