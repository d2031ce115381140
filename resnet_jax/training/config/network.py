"""The network that a config names: one of the zoo, or the user's own, `FILE.py:VARIABLE`.

JAX and Flax are imported where a network is built: reports use the other functions without them.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ml_collections import ConfigDict

from resnet_jax.errors import UserError, did_you_mean
from resnet_jax.files import errors_of, load_python_file
from resnet_jax.training.config.defaults import base

if TYPE_CHECKING:
    from flax import linen as nn


def build_model(config: ConfigDict, num_classes: int) -> "nn.Module":
    """Builds the network of `config.model`; an empty setting leaves the choice to the zoo.

    A name such as `my_net.py:model` is a network of the user's own (see `load_own`). Of the other
    settings of `config.model`, only `dtype` matters then: float64 gives it variables and inputs of
    64 bits, float16 scales its loss.

    Raises:
      UserError: the zoo has no such name or setting, or a setting cannot reach the user's network.
    """
    name = config.model.name
    if not is_own(name):
        from resnet_jax import models

        return models.create(name, num_classes, **network_settings(config.model))
    default = base().model
    for key, value in config.model.items():
        effective = key == "name" or (key == "dtype" and value in ("float16", "float64"))
        if not effective and value != default[key]:
            raise UserError(
                f"model.{key} = {value!r} has no effect on {name}, which is defined by its file: "
                "leave the setting out, and change the file"
            )
    return load_own(name, num_classes)


def network_settings(settings: ConfigDict) -> dict[str, Any]:
    """The settings of `config.model` that are given: neither the name nor what is left empty."""
    return {
        key: value
        for key, value in settings.items()
        if key != "name" and value not in ("", None, ())
    }


def is_own(name: str) -> bool:
    """Whether a model's name stands for a variable of a user's file."""
    return ".py:" in name


def own_source(name: str) -> bytes:
    """The content of the file of a user's network; empty for a network of the zoo.

    Raises:
      UserError: there is no such file.
    """
    return _own_file(name).read_bytes() if is_own(name) else b""


def load_own(name: str, num_classes: int) -> "nn.Module":
    """Loads a Linen module from a Python file.

    Args:
      name: `FILE.py:VARIABLE`. The variable is a module, or a function from the number of classes
        to one. Its `__call__` takes a batch of images and the keyword `train`.
      num_classes: argument of such a function.

    Raises:
      UserError: there is no such file or variable, the file raises, or it is no Linen module.
    """
    from flax import linen as nn

    file, variable = _own_file(name), name.rpartition(":")[2]
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


def _own_file(name: str) -> Path:
    file = Path(name.rpartition(":")[0])
    if not file.is_file():
        raise UserError(f"model.name = {name!r}: there is no file {file}")
    return file
