"""The layout of the package: folders import downwards only, and no file imports itself in a circle.

Every import counts, those inside functions and under TYPE_CHECKING too.
"""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import resnet_jax

PACKAGE = Path(resnet_jax.__file__).parent
MODULES = {
    ".".join(file.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__"): file
    for file in PACKAGE.rglob("*.py")
}

BASE = {"", "errors", "files", "renamed"}
FLOORS = (
    ("models",),
    ("data",),
    ("probes",),
    ("training.config",),
    ("training.step",),
    ("training.devices",),
    ("training.run",),
    ("lab.statistics", "lab.measures", "lab.formatting", "lab.inference"),
    ("lab.design",),
    ("lab.results",),
    ("lab.running", "lab.analysis"),
    ("lab.figures",),
    ("lab.reporting", "lab.studies"),
)
"""From the lowest up: a folder imports from those below it, and from its own floor."""
NOT_BELOW = {"data": {"models"}, "probes": {"data"}}


def below(own: str) -> set[str]:
    """The folders that the files of a folder may import, beside `BASE`."""
    height = next(height for height, floor in enumerate(FLOORS) if own in floor)
    lower = {each for floor in FLOORS[: height + 1] for each in floor}
    return (lower - NOT_BELOW.get(own, set())) | BASE


def imports(module: str) -> Iterator[str]:
    """The modules of the package that a module imports."""
    for node in ast.walk(ast.parse(MODULES[module].read_text())):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names if each.name in MODULES)
        elif isinstance(node, ast.ImportFrom) and node.module in MODULES:
            for each in node.names:
                full = f"{node.module}.{each.name}"
                yield full if full in MODULES else node.module


def folder(module: str) -> str:
    """The folder of a module, as `FLOORS` names it: with its room, in training and in the lab."""
    _, *parts = module.split(".")
    rooms = [".".join(parts[:length]) for length in (2, 1) if len(parts) >= length]
    named = {each for floor in FLOORS for each in floor}
    return next((room for room in rooms if room in named), ".".join(parts[:1]))


@pytest.mark.parametrize("module", sorted(MODULES))
def test_a_file_imports_from_the_folders_below_its_own(module):
    own = folder(module)
    if own in ("cli", "lab", "training"):  # the top floor, and facades that show what is below
        return
    allowed = BASE if own in BASE else below(own)
    for each in imports(module):
        assert folder(each) in allowed, f"{module} imports {each}"


def test_no_file_imports_itself_in_a_circle():
    try:
        TopologicalSorter({module: set(imports(module)) for module in MODULES}).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))
