"""Lesions: the logits of a trained network with units dropped (Veit et al. 2016, Figs. 3 and 5).

Nothing is retrained and norms keep their running statistics (arXiv 1605.06431, section 4). Dropping
a residual unit removes its branch: it outputs f(h(x)), also where the shape changes. A plain unit
is nothing but its branch: dropping it passes its input on, which needs equal shapes.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, Float, PyTree

from resnet_jax.errors import UserError, did_you_mean
from resnet_jax.models import ResNet
from resnet_jax.models.shortcuts import none
from resnet_jax.models.unit import Unit
from resnet_jax.models.zoo.summary import PARTS

Variables = Mapping[str, PyTree]


@dataclass(frozen=True)
class Part:
    """The stem, a unit or the head as a standalone module.

    Attributes:
      path: its path in the network, such as "stage1/unit03".
      module: the unbound module without name, so that equal units share one compiled program.
      keeps_shape: whether the output has the shape of the input.
    """

    path: str
    module: nn.Module
    keeps_shape: bool

    @property
    def droppable(self) -> bool:
        """Whether it is a unit that can be dropped."""
        return isinstance(self.module, Unit) and (self.keeps_shape or not self.plain)

    @property
    def plain(self) -> bool:
        """Whether it is a unit without a shortcut."""
        return isinstance(self.module, Unit) and self.module.shortcut is none


def droppable(model: ResNet) -> tuple[str, ...]:
    """Paths of the units that can be dropped, in network order; in a residual network, all.

    Example:
      >>> droppable(create("plain14"))
      ('stage1/unit01', 'stage1/unit02', 'stage2/unit02', 'stage3/unit02')
    """
    parts = _parts(model, model.stem.image_shape)
    return tuple(part.path for part in parts if part.droppable)


def lesioned_logits(
    model: ResNet,
    variables: Variables,
    images: Float[Array, "b h w c"],
    dropped: Collection[str],
) -> Float[Array, "b classes"]:
    """The logits of a network with some units dropped, in evaluation mode.

    Args:
      model: the network.
      variables: its variables; not modified.
      images: the batch, as the network takes it.
      dropped: paths of the units, such as ("stage1/unit03",); if empty, the network is intact.

    Raises:
      UserError: there is no such unit, or it is a plain one that changes the shape.
    """
    parts = _parts(model, images.shape[1:])
    _validate(parts, dropped)
    return _apply(parts, variables, images, dropped)


def each_lesion(
    model: ResNet, variables: Variables, images: Float[Array, "b h w c"]
) -> dict[str, Float[Array, "b classes"]]:
    """The logits with one unit dropped at a time, by the path of the dropped unit.

    The units before the dropped one are computed once for all lesions. The arguments are those of
    `lesioned_logits`.
    """
    parts = _parts(model, images.shape[1:])
    logits, x = {}, images
    for position, part in enumerate(parts):
        if part.droppable:
            logits[part.path] = _apply(parts[position:], variables, x, (part.path,))
        x = _apply((part,), variables, x)
    return logits


def _apply(
    parts: Iterable[Part], variables: Variables, x: Array, dropped: Collection[str] = ()
) -> Array:
    """Applies parts in order to images or to the output of the part before them."""
    for part in parts:
        lesion = part.path in dropped
        if not (lesion and part.plain):
            x = _run(part.module, _variables_of(part, variables), x, lesion)
    return x


@partial(jax.jit, static_argnames=("module", "lesion"))
def _run(module: nn.Module, variables: Variables, x: Array, lesion: bool) -> Any:
    with nn.intercept_methods(_drop_branch) if lesion else nullcontext():
        return module.apply(variables, x)


def _drop_branch(call: Callable, args: tuple, kwargs: dict, context: Any) -> Any:
    """Replaces the s F(x) of a unit by 0, without computing it."""
    return 0.0 if context.method_name == Unit.residual.__name__ else call(*args, **kwargs)


def _variables_of(part: Part, variables: Variables) -> dict[str, PyTree]:
    """The part's own variables."""
    own = {}
    for collection, tree in variables.items():
        for name in part.path.split("/"):
            tree = tree.get(name, {})
        own[collection] = tree
    return own


@lru_cache
def _parts(model: ResNet, image_shape: tuple[int, int, int]) -> tuple[Part, ...]:
    """Stem, units and head of a network in order, found by tracing it."""
    parts = []

    def note(
        call: Callable, args: tuple, kwargs: dict, context: nn.module.InterceptorContext
    ) -> Any:
        output, module = call(*args, **kwargs), context.module
        if context.method_name == "__call__" and isinstance(module, PARTS):
            nameless = module.clone(parent=None, name=None)
            parts.append(Part("/".join(module.path), nameless, output.shape == args[0].shape))
        return output

    image = jax.ShapeDtypeStruct((1, *image_shape), jnp.float32)
    with nn.intercept_methods(note):
        jax.eval_shape(model.init, jax.random.key(0), image)
    return tuple(parts)


def _validate(parts: Iterable[Part], dropped: Iterable[str]) -> None:
    units = {part.path: part for part in parts if isinstance(part.module, Unit)}
    for path in dropped:
        if path not in units:
            raise UserError(f"the network has no unit {path!r}; {did_you_mean(path, units)}")
        if not units[path].droppable:
            raise UserError(
                f"the plain unit {path!r} changes the shape and cannot be dropped; "
                "droppable(model) lists the units that can be"
            )
