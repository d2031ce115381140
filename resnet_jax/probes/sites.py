"""Sites: the places of a network at which something is measured, in network order."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from resnet_jax.errors import UserError, did_you_mean
from resnet_jax.probes.walk import Path, Walk

STAGE = re.compile(r"stage_?(\d+)", re.IGNORECASE)
UNIT = re.compile(r"\w*(?:unit|block)_?(\d+)", re.IGNORECASE)
"""Names of a stage and of a unit: stage2, unit03, but also Linen's own, such as MyBlock_2."""

KERNEL, SHORTCUT = "kernel", "shortcut"


@dataclass(frozen=True)
class Site:
    """A place, and where in the network it is.

    Attributes:
      path: its name, such as "stage1/unit03/conv2".
      kind: "activation" (the output of a module), "parameter" or "unit".
      stage: number in the name of the stage that it is in; 0 in none.
      unit: number in the name of the unit that it is in; 0 in none.
      layer: what its module is called within stage and unit, such as "conv2", "shortcut/conv",
        "stem/norm"; empty for a unit itself.
      depth: of a unit and of its boundary, which unit it is in network order, from 1. Else which
        weighted layer it is or comes after, from 0, the stem's; projections are not counted.
      position: orders sites: by when their modules finish; parameter, unit, activation.
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
    """The chosen sites of one network, by kind, each kind in network order.

    Attributes:
      activations: outputs of modules.
      parameters: single parameters.
      units: modules whose name is a unit's and that have kernels.
      frozen: paths of the norms, chosen or not, that use running statistics (evaluation mode).
    """

    activations: tuple[Site, ...]
    parameters: tuple[Site, ...]
    units: tuple[Site, ...]
    frozen: tuple[str, ...]


def lay_out(walk: Walk, parameters: Iterable[Path], sites: str | Sequence[str] = "*") -> Layout:
    """The sites of a network that have a chosen path.

    Args:
      walk: the network's modules.
      parameters: paths of its parameters.
      sites: one pattern or several, as of a shell, where * matches slashes too.

    Raises:
      UserError: a pattern that no site matches.
    """
    patterns = (sites,) if isinstance(sites, str) else tuple(sites)
    every = list(_every(walk, list(parameters)))
    for pattern in patterns:
        if not any(fnmatchcase(site.path, pattern) for site in every):
            near = did_you_mean(pattern, dict.fromkeys(site.path for site in every))
            raise UserError(f"no site of the network matches {pattern!r}; {near}")
    chosen = [
        replace(site, position=position)
        for position, site in enumerate(every)
        if any(fnmatchcase(site.path, pattern) for pattern in patterns)
    ]
    activations, parameter_sites, units = (
        tuple(site for site in chosen if site.kind == kind)
        for kind in ("activation", "parameter", "unit")
    )
    frozen = tuple("/".join(visit.path) for visit in walk if visit.frozen)
    return Layout(activations, parameter_sites, units, frozen)


def kernels_within(unit: str, parameters: Iterable[str]) -> list[str]:
    """The kernels of a unit's branch; those of its shortcut are left apart."""
    below = [path.split("/") for path in parameters if path.startswith(f"{unit}/")]
    return ["/".join(path) for path in below if path[-1] == KERNEL and SHORTCUT not in path]


def _every(walk: Walk, parameters: list[Path]) -> Iterator[Site]:
    """All sites in network order; positions are left open."""
    owners = {visit.path for visit in walk}
    owned: dict[Path, list[Path]] = {}
    for path in parameters:
        owned.setdefault(_owner(path, owners), []).append(path)
    names = ["/".join(path) for path in parameters]
    layer, units = -1, 0
    for visit in walk:
        path, own = visit.path, owned.get(visit.path, [])
        if any(name[-1] == KERNEL and SHORTCUT not in name for name in own):
            layer += 1
        for parameter in own:
            yield _site(parameter, parameter[:-1], "parameter", layer)
        is_unit = _is_unit(path) and bool(kernels_within("/".join(path), names))
        if is_unit:
            units += 1
            yield _site(path, path, "unit", units)
        if visit.array and path:
            yield _site(path, path, "activation", units if is_unit else layer)


def _owner(parameter: Path, owners: set[Path]) -> Path:
    """The innermost module that was called and has the parameter below it."""
    path = parameter[:-1]
    while path and path not in owners:
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
