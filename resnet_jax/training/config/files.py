"""Configs: loading from files, overriding, comparing, and conversion to JSON types."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ml_collections import ConfigDict

from resnet_jax.errors import UserError, did_you_mean
from resnet_jax.files import errors_of, load_python_file
from resnet_jax.training.config.checks import kind_of, require_type, takes, validate
from resnet_jax.training.config.defaults import base, flatten


def load(path: str | Path, variant: str = "") -> ConfigDict:
    """Loads and validates the config that a Python file's `get_config()` returns.

    Args:
      path: the file.
      variant: argument of `get_config`, unless empty.

    Raises:
      UserError: there is no such file, it raises, or it returns no valid config.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"there is no config file {path}")
    module = load_python_file(path)
    if not hasattr(module, "get_config"):
        raise UserError(f"{path} defines no function get_config()")
    with errors_of(path):
        config = module.get_config(*([variant] if variant else []))
    if not isinstance(config, ConfigDict):
        raise UserError(f"{path}: get_config() returns {kind_of(config)} in place of a ConfigDict")
    validate(config)
    return config


def override(config: ConfigDict, settings: Mapping[str, Any]) -> ConfigDict:
    """A copy of a config with some settings changed.

    Args:
      config: a config made from `base()`.
      settings: new values by dotted name, `{"model.name": "plain20"}`.

    Raises:
      UserError: the config has no such setting, or a value has another type.
    """
    config = config.copy_and_resolve_references()
    for name, value in settings.items():
        *parents, leaf = name.split(".")
        branch: Any = config
        for parent in parents:
            branch = branch.get(parent) if isinstance(branch, ConfigDict) else None
        if not isinstance(branch, ConfigDict) or leaf not in branch:
            raise UserError(f"no setting '{name}': {did_you_mean(name, flatten(config))}")
        require_type(name, value)
        try:
            branch[leaf] = value
        except TypeError:
            raise UserError(
                f"{name} = {value!r} is {kind_of(value)}; it takes {takes(name, branch[leaf])}"
            ) from None
    return config


def differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """The settings that differ, one line each: `model.name: 'plain20' -> 'resnet20'`."""
    ours, theirs = flatten(to_dict(one)), flatten(to_dict(other))
    names = dict.fromkeys([*ours, *theirs])
    return [
        f"{name}: {ours.get(name)!r} -> {theirs.get(name)!r}"
        for name in names
        if ours.get(name) != theirs.get(name)
    ]


def to_dict(config: Mapping[str, Any]) -> dict[str, Any]:
    """A config as plain JSON types (tuples become lists)."""
    plain = config.to_dict() if isinstance(config, ConfigDict) else dict(config)
    return json.loads(json.dumps(plain))


def from_dict(plain: Mapping[str, Any]) -> ConfigDict:
    """The config whose `to_dict` is given; settings that it lacks have their defaults.

    Raises:
      UserError: there is no such setting, or a value has another type.
    """
    leaves = flatten(dict(plain))
    return override(
        base(), {name: tuple(v) if isinstance(v, list) else v for name, v in leaves.items()}
    )
