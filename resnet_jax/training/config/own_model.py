"""Networks of the user's own: `FILE.py:VARIABLE` in the place of a name of the zoo."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from resnet_jax.errors import UserError, did_you_mean
from resnet_jax.files import errors_of, load_python_file

if TYPE_CHECKING:
    from flax import linen as nn


def is_own(name: str) -> bool:
    """Whether a model's name is that of a file's variable."""
    return ".py:" in name


def content(name: str) -> bytes:
    """What the file of a network of one's own holds; nothing for a name of the zoo.

    Raises:
      UserError: there is no such file.
    """
    if not is_own(name):
        return b""
    file = Path(name.rpartition(":")[0])
    if not file.is_file():
        raise UserError(f"model.name = {name!r}: there is no file {file}")
    return file.read_bytes()


def load(name: str, num_classes: int) -> "nn.Module":
    """The Linen module that a Python file defines.

    Args:
      name: `FILE.py:VARIABLE`. The variable is a module, or a function of the number of classes
        that returns one. Its `__call__` takes a batch of images and the keyword `train`.
      num_classes: for such a function.

    Raises:
      UserError: there is no such file or variable, it does not run, or it is no Linen module.
    """
    from flax import linen as nn  # other functions of this file do not need it

    file, _, variable = name.rpartition(":")
    if not Path(file).is_file():
        raise UserError(f"model.name = {name!r}: there is no file {file}")
    defined = vars(load_python_file(file))
    made: Any = defined.get(variable)
    if callable(made) and not isinstance(made, nn.Module):
        with errors_of(file):
            made = made(num_classes)
    if not isinstance(made, nn.Module):
        modules = [each for each, value in defined.items() if isinstance(value, nn.Module)]
        raise UserError(
            f"{file} defines no Linen module {variable!r}: {did_you_mean(variable, modules)}"
        )
    return made
