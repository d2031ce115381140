"""Where modules were before: kept results name them by their old paths.

A report may run an experiment file of an earlier version again, whose imports have to be found; and
a finished run has the digests of the files that made it, under the paths that they had.
"""

import functools
import importlib
import json
import sys
from collections.abc import Mapping, Sequence
from importlib import resources
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType


@functools.cache
def _table() -> dict[str, dict[str, str]]:
    """`modules`, from old names to new ones, and digests by path: `code` before, `now` after."""
    return json.loads(resources.files(__package__).joinpath("renamed.json").read_text("utf-8"))


class Finder(MetaPathFinder, Loader):
    """Imports a module by its old name; asked only where there is none of that name."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of a module that was renamed, else None."""
        package, _, module = name.partition(".")
        if package != __package__ or module not in _table()["modules"]:
            return None
        return ModuleSpec(name, self)

    def exec_module(self, module: ModuleType) -> None:
        """Puts the module of today in the place of the empty one."""
        renamed = _table()["modules"][module.__name__.partition(".")[2]]
        sys.modules[module.__name__] = importlib.import_module(f"{__package__}.{renamed}")


def current(code: Mapping[str, str]) -> dict[str, str]:
    """The digests of a run's files under the paths of today.

    Files were moved and rewritten without a change of any number (tests/test_unchanged.py holds
    that). A run of the last code before that counts as one of the first code after it, but for the
    files in which it differed from that last code.

    Args:
      code: digests by path, as a run recorded them.

    Returns:
      Digests by path: the given ones, unless they are of the old paths.
    """
    old, now, modules = (_table()[key] for key in ("code", "now", "modules"))
    if not code or all(path in now or path not in old for path in code):
        return dict(code)
    differing = {path: digest for path, digest in code.items() if old.get(path) != digest}
    return now | {_path(path, modules): digest for path, digest in differing.items()}


def _path(path: str, modules: Mapping[str, str]) -> str:
    module = path.removesuffix(".py").replace("/", ".")
    return modules.get(module, module).replace(".", "/") + ".py"
