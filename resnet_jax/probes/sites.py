"""Sites: the places of a network that can be probed, found by tracing it."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, Float, PyTree

from resnet_jax.errors import UserError, did_you_mean

STAGE = re.compile(r"stage_?(\d+)", re.IGNORECASE)
UNIT = re.compile(r"\w*(?:unit|block)_?(\d+)", re.IGNORECASE)
"""Names of stages and units: stage2 and unit03, but also Linen's default names (MyBlock_2)."""

KERNEL, SHORTCUT = "kernel", "shortcut"

Path = tuple[str, ...]


@dataclass(frozen=True)
class Site:
    """A place in a network.

    Attributes:
      path: its name, such as "stage1/unit03/conv2".
      kind: "activation" (the output of a module), "parameter" or "unit".
      stage: number of the enclosing stage, from its name; 0 outside of stages.
      unit: number of the enclosing unit within its stage, from its name; 0 outside of units.
      layer: path of the module within its stage and unit, such as "conv2", "shortcut/conv" or
        "stem/norm"; empty for a unit.
      depth: for a unit and its output, the index of the unit in the network, from 1. For other
        sites, the index of the weighted layer that they belong to or follow, from 0 (the stem);
        projection shortcuts are not counted.
      position: index in network order: by the time at which the site's module returns, its
        parameters first, then the unit, then the output.
    """

    path: str
    kind: str
    stage: int
    unit: int
    layer: str
    depth: int
    position: int


@dataclass(frozen=True)
class Layout:
    """The selected sites of a network by kind, each kind in network order.

    Attributes:
      activations: outputs of modules.
      parameters: single parameters.
      units: modules named as units that have kernels.
      frozen: paths of all norms that use running statistics (evaluation mode), selected or not.
    """

    activations: tuple[Site, ...]
    parameters: tuple[Site, ...]
    units: tuple[Site, ...]
    frozen: tuple[str, ...]


class Mark(nn.Module):
    """The identity, as a named module: `x = Mark(name="after_relu")(x)` makes x a site.

    For values that are not the output of any module. It has no variables and no cost once compiled.
    (`Module.perturb` would add a collection of the batch's shape to the network's variables.)
    """

    @nn.compact
    def __call__(self, x: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
        """Returns x."""
        return x


@dataclass(frozen=True)
class ModuleCall:
    """A module that was called.

    Attributes:
      path: names of the modules from the network (excluded) to this one.
      tappable: whether the output is one floating-point array of at least one dimension.
      frozen: whether it is a BatchNorm in evaluation mode.
    """

    path: Path
    tappable: bool
    frozen: bool


def trace_calls(function: Callable[[PyTree], Any], params: PyTree) -> tuple[ModuleCall, ...]:
    """The modules that a function calls, in the order in which they first return.

    Args:
      function: applies the network. It is traced for shapes only (`jax.eval_shape`).
      params: the network's parameters.
    """
    calls: dict[Path, ModuleCall] = {}

    def note(
        call: Callable, args: tuple, kwargs: dict, context: nn.module.InterceptorContext
    ) -> Any:
        output, module = call(*args, **kwargs), context.module
        if context.method_name == "__call__":
            found = ModuleCall(module.path, _tappable(output), _frozen(module, kwargs))
            calls.setdefault(module.path, found)
        return output

    with nn.intercept_methods(note):
        jax.eval_shape(function, params)
    return tuple(calls.values())


def select_sites(
    calls: Iterable[ModuleCall], parameters: Iterable[Path], patterns: str | Sequence[str] = "*"
) -> Layout:
    """The sites whose path matches a pattern.

    Args:
      calls: the network's modules, from `trace_calls`.
      parameters: paths of the network's parameters.
      patterns: one or several shell patterns; * matches slashes too.

    Raises:
      UserError: a pattern matches no site.
    """
    patterns = (patterns,) if isinstance(patterns, str) else tuple(patterns)
    calls = tuple(calls)
    sites = [replace(site, position=at) for at, site in enumerate(_sites(calls, list(parameters)))]
    for pattern in patterns:
        if not any(fnmatchcase(site.path, pattern) for site in sites):
            near = did_you_mean(pattern, dict.fromkeys(site.path for site in sites))
            raise UserError(f"no site of the network matches {pattern!r}; {near}")
    selected = [site for site in sites if any(fnmatchcase(site.path, each) for each in patterns)]
    activations, parameter_sites, units = (
        tuple(site for site in selected if site.kind == kind)
        for kind in ("activation", "parameter", "unit")
    )
    frozen = tuple("/".join(call.path) for call in calls if call.frozen)
    return Layout(activations, parameter_sites, units, frozen)


def kernels_within(unit: str, parameters: Iterable[str]) -> list[str]:
    """Paths of the kernels of a unit's branch; those of its shortcut are excluded."""
    below = [path.split("/") for path in parameters if path.startswith(f"{unit}/")]
    return ["/".join(path) for path in below if path[-1] == KERNEL and SHORTCUT not in path]


def _tappable(output: Any) -> bool:
    return isinstance(output, jax.Array) and (
        output.ndim > 0 and jnp.issubdtype(output.dtype, jnp.floating)
    )


def _frozen(module: nn.Module, kwargs: dict[str, Any]) -> bool:
    return isinstance(module, nn.BatchNorm) and bool(
        kwargs.get("use_running_average", module.use_running_average)
    )


def _sites(calls: Sequence[ModuleCall], parameters: list[Path]) -> Iterator[Site]:
    """All sites in network order, with position 0."""
    modules = {call.path for call in calls}
    parameters_of: dict[Path, list[Path]] = {}
    for path in parameters:
        parameters_of.setdefault(_owner(path, modules), []).append(path)
    names = ["/".join(path) for path in parameters]
    layer, units = -1, 0
    for call in calls:
        path, own = call.path, parameters_of.get(call.path, [])
        if any(name[-1] == KERNEL and SHORTCUT not in name for name in own):
            layer += 1
        for parameter in own:
            yield _site(parameter, parameter[:-1], "parameter", layer)
        is_unit = _is_unit(path) and bool(kernels_within("/".join(path), names))
        if is_unit:
            units += 1
            yield _site(path, path, "unit", units)
        if call.tappable and path:
            yield _site(path, path, "activation", units if is_unit else layer)


def _owner(parameter: Path, modules: set[Path]) -> Path:
    """The innermost called module that contains a parameter."""
    path = parameter[:-1]
    while path and path not in modules:
        path = path[:-1]
    return path


def _is_unit(path: Path) -> bool:
    return bool(path) and UNIT.fullmatch(path[-1]) is not None


def _site(path: Path, module: Path, kind: str, depth: int) -> Site:
    stages = [match[1] for part in module if (match := STAGE.fullmatch(part))]
    units = [match[1] for part in module if (match := UNIT.fullmatch(part))]
    layer = [part for part in module if not (STAGE.fullmatch(part) or UNIT.fullmatch(part))]
    return Site(
        path="/".join(path),
        kind=kind,
        stage=int(stages[-1]) if stages else 0,
        unit=int(units[-1]) if units else 0,
        layer="/".join(layer),
        depth=max(0, depth),
        position=0,
    )
