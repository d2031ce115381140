"""Files: executing a user's Python file, writing files and sections of pages, the cache folder.

Like `errors`, this module may be imported from every folder.
"""

import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from resnet_jax.errors import UserError, one_line

Explain = Callable[[Exception], str]


def load_python_file(path: str | Path, explain: Explain = one_line) -> ModuleType:
    """Executes a user's Python file: a config, an experiment or a network.

    It is neither imported nor run by `runpy`: an import would leave bytecode beside the file and a
    name in `sys.modules`, and `runpy` clears the globals that functions of the file still need.

    Args:
      path: the file.
      explain: turns an exception of the file into a line.

    Returns:
      A module with what the file defines.

    Raises:
      UserError: there is no such file, or it raises; the message names the file and the line.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"there is no file {path}")
    # A name that no file can import, so that an `optax.py` may import optax.
    module = ModuleType(f"<{path.name}>")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module  # dataclasses look up the module of their annotations
    try:
        with errors_of(path, explain):
            exec(compile(path.read_bytes(), str(path), "exec"), module.__dict__)
    finally:
        sys.modules.pop(module.__name__, None)
    return module


@contextmanager
def errors_of(path: str | Path, explain: Explain = one_line) -> Iterator[None]:
    """Turns an exception raised by a user's file into a `UserError` naming the file and the line.

    Args:
      path: the file, of which the `with` block executes something.
      explain: turns the exception into a line.
    """
    try:
        yield
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in frames if frame.filename == str(Path(path))]
        told = explain(error)
        if isinstance(error, SyntaxError) and error.filename == str(Path(path)):
            lines, told = [error.lineno], f"{type(error).__name__}: {error.msg}"
        line = f", line {lines[-1]}" if lines else ""
        raise UserError(f"{path}{line}: {told}") from error


def write_atomically(path: Path, text: str) -> None:
    """Writes a file whole or not at all, even if the process is killed."""
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    scratch.write_text(text)
    scratch.replace(path)


def write_section(page: Path, name: str, text: str) -> None:
    """Replaces the text between `<!-- NAME -->` and `<!-- end of NAME -->` in a Markdown page.

    Raises:
      UserError: there is no such page, or it lacks one of the two lines.
    """
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    old = page.read_text(encoding="utf-8") if page.is_file() else ""
    before, _, rest = old.partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise UserError(f"{page}: add the lines {begin} and {end} where the table belongs")
    page.write_text(f"{before}{begin}\n{text}{end}{after}", encoding="utf-8")


def user_cache() -> Path:
    """The package's cache folder: `$RESNET_JAX_CACHE`, else `resnet_jax` in `$XDG_CACHE_HOME`.

    The latter is `~/.cache` unless set.
    """
    caches = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(os.environ.get("RESNET_JAX_CACHE") or f"{caches}/resnet_jax").expanduser()
