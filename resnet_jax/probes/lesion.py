"""Lesions: what a trained network still does with units dropped (Veit et al. 2016, Figs. 3 and 5).

Nothing is trained again and norms keep their running statistics (arXiv 1605.06431, section 4). A
residual unit that is dropped loses its branch and passes on f(h(x)), where shapes change too. A
plain unit is nothing but its branch, and passes on its input, which it can where shapes agree.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, Float, PyTree

from resnet_jax.errors import UserError, did_you_mean
from resnet_jax.models import ResNet
from resnet_jax.models.shortcuts import SHORTCUTS
from resnet_jax.models.unit import Unit
from resnet_jax.models.zoo.summary import IMAGE_SHAPES, PARTS

Variables = Mapping[str, PyTree]


@dataclass(frozen=True)
class Part:
    """The stem, a unit or the head, out of its network.

    Attributes:
      path: its name in the network, such as "stage1/unit03".
      module: itself, without name; the same for equal parts, which share one compiled program.
      keeps_shape: whether its output has the shape of its input.
    """

    path: str
    module: nn.Module
    keeps_shape: bool

    @property
    def droppable(self) -> bool:
        """Whether it is a unit with something to pass on in place of its output."""
        return isinstance(self.module, Unit) and (self.keeps_shape or not self.plain)

    @property
    def plain(self) -> bool:
        """Whether it is a unit without shortcut."""
        return isinstance(self.module, Unit) and self.module.shortcut is SHORTCUTS["none"]


def droppable(model: ResNet) -> tuple[str, ...]:
    """Paths of the units that can be dropped, in network order: of a residual network all.

    Example:
      >>> droppable(create("plain14"))
      ('stage1/unit01', 'stage1/unit02', 'stage2/unit02', 'stage3/unit02')
    """
    parts = _parts(model, IMAGE_SHAPES[model.stem])
    return tuple(part.path for part in parts if part.droppable)


def lesioned_logits(
    model: ResNet,
    variables: Variables,
    images: Float[Array, "b h w c"],
    dropped: Collection[str],
) -> Float[Array, "b classes"]:
    """What a network makes of images with some units dropped, in evaluation mode.

    Args:
      model: the network.
      variables: its variables; unchanged.
      images: as the network takes them.
      dropped: paths of the units, such as ("stage1/unit03",); with none, the network's own logits.

    Raises:
      UserError: no such unit, or one of a plain net that changes the shape.
    """
    parts = _parts(model, images.shape[1:])
    _check(parts, dropped)
    return _walk(parts, variables, images, dropped)


def each_lesion(
    model: ResNet, variables: Variables, images: Float[Array, "b h w c"]
) -> dict[str, Float[Array, "b classes"]]:
    """The same for each droppable unit by its path, that unit alone dropped.

    Units below the dropped one are computed once for all.
    """
    parts = _parts(model, images.shape[1:])
    logits, x = {}, images
    for position, part in enumerate(parts):
        if part.droppable:
            logits[part.path] = _walk(parts[position:], variables, x, (part.path,))
        x = _walk((part,), variables, x)
    return logits


def _walk(
    parts: Iterable[Part], variables: Variables, x: Array, dropped: Collection[str] = ()
) -> Array:
    """Takes images, or the output of the part before, through parts in their order."""
    for part in parts:
        lesion = part.path in dropped
        if not (lesion and part.plain):
            x = _run(part.module, _variables_of(part, variables), x, lesion)
    return x


@partial(jax.jit, static_argnames=("module", "lesion"))
def _run(module: nn.Module, variables: Variables, x: Array, lesion: bool) -> Any:
    with nn.intercept_methods(_without_branch if lesion else _as_it_is):
        return module.apply(variables, x)


def _as_it_is(call: Callable, args: tuple, kwargs: dict, context: Any) -> Any:
    return call(*args, **kwargs)


def _without_branch(call: Callable, args: tuple, kwargs: dict, context: Any) -> Any:
    """Takes zero for the s F(x) of a unit, which is then not computed."""
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
    """Stem, units and head of a network, in order, from a trace of it."""
    parts = []

    def note(call: Callable, args: tuple, kwargs: dict, context: nn.module.InterceptorContext):
        output, module = call(*args, **kwargs), context.module
        if context.method_name == "__call__" and isinstance(module, PARTS):
            nameless = module.clone(parent=None, name=None)
            parts.append(Part("/".join(module.path), nameless, output.shape == args[0].shape))
        return output

    image = jax.ShapeDtypeStruct((1, *image_shape), jnp.float32)
    with nn.intercept_methods(note):
        jax.eval_shape(model.init, jax.random.key(0), image)
    return tuple(parts)


def _check(parts: Iterable[Part], dropped: Iterable[str]) -> None:
    units = {part.path: part for part in parts if isinstance(part.module, Unit)}
    for path in dropped:
        if path not in units:
            raise UserError(f"the network has no unit {path!r}; {did_you_mean(path, units)}")
        if not units[path].droppable:
            raise UserError(
                f"the plain unit {path!r} changes the shape and cannot be dropped; "
                "droppable(model) lists those that can"
            )
