"""The walk through a network: its modules in the order in which they finish, without running it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import PyTree

Path = tuple[str, ...]


@dataclass(frozen=True)
class Visit:
    """One module that was called.

    Attributes:
      path: names of the modules from the outermost to it; empty for the outermost itself.
      array: whether its output is one array of floating-point numbers, which can be tapped.
      frozen: whether it normalises by running statistics, as in evaluation mode.
    """

    path: Path
    array: bool
    frozen: bool


Walk = tuple[Visit, ...]


def walk(function: Callable[[PyTree], Any], params: PyTree) -> Walk:
    """The modules that a function of parameters calls, each once, in the order of their outputs.

    Args:
      function: calls the network; it is traced for its shapes alone.
      params: the network's parameters.
    """
    visits: dict[Path, Visit] = {}

    def note(call: Callable, args: tuple, kwargs: dict, context: nn.module.InterceptorContext):
        output = call(*args, **kwargs)
        if context.method_name == "__call__":
            path = context.module.path
            visits.setdefault(path, Visit(path, _is_array(output), _frozen(context.module, kwargs)))
        return output

    with nn.intercept_methods(note):
        jax.eval_shape(function, params)
    return tuple(visits.values())


def _is_array(output: Any) -> bool:
    return isinstance(output, jax.Array) and (
        output.ndim > 0 and jnp.issubdtype(output.dtype, jnp.floating)
    )


def _frozen(module: nn.Module, kwargs: dict[str, Any]) -> bool:
    return isinstance(module, nn.BatchNorm) and bool(
        kwargs.get("use_running_average", module.use_running_average)
    )
