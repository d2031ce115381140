"""Overrides of a config on the command line: `--config.model.name=resnet56`."""

from collections.abc import Sequence

from absl import flags
from ml_collections import ConfigDict, config_flags

from resnet_jax.errors import UserError, did_you_mean
from resnet_jax.training import config as configs

ARGUMENTS = ("--config", "--workdir", "--config.KEY=VALUE")  # suggested for an unknown one


def config_from(file: str, overrides: Sequence[str]) -> ConfigDict:
    """Loads a config file and applies the overrides of a command line.

    Args:
      file: path of the config file, with an optional `:VARIANT`.
      overrides: such as `--config.model.name=resnet56`; tuples as `--config.a="(1, 2)"`.

    Raises:
      UserError: the file does not run, a setting does not exist, or a value has the wrong type;
        the message suggests the right one.
    """
    path, _, variant = file.partition(":")
    return with_overrides(configs.load(path, variant), overrides)


def with_overrides(config: ConfigDict, overrides: Sequence[str]) -> ConfigDict:
    """Applies the overrides of a command line and validates the result; see `config_from`."""
    for name in _names(overrides):
        if name not in configs.flatten(config):
            raise UserError(f"no setting '{name}': {did_you_mean(name, configs.flatten(config))}")
    values = flags.FlagValues()
    arguments = ["resnet-jax", *(each for each in overrides if not _is_none(each))]
    config_flags.DEFINE_config_dict("config", config, flag_values=values, sys_argv=arguments)
    try:
        left = values(arguments)[1:]
    except (flags.Error, ValueError, TypeError, SyntaxError) as error:
        raise UserError(f"{str(error).removeprefix('flag ')}{_expected(error, config)}") from None
    if left:
        raise UserError(f"unknown arguments: {' '.join(left)}")
    config = configs.override(config, dict.fromkeys(_set_to_none(overrides)))
    configs.validate(config)
    return config


def _names(overrides: Sequence[str]) -> list[str]:
    """The settings that are overridden, without `--config.`.

    Raises:
      UserError: an argument is not an override of the config.
    """
    given = [each.partition("=")[0] for each in overrides if each.startswith("--")]
    for flag in given:
        if not flag.startswith("--config."):
            raise UserError(f"unknown argument {flag}: {did_you_mean(flag, ARGUMENTS)}")
    return [flag.removeprefix("--config.") for flag in given]


def _set_to_none(overrides: Sequence[str]) -> list[str]:
    """The settings whose last override is None."""
    last = {each.partition("=")[0]: each for each in overrides}
    return _names([each for each in last.values() if _is_none(each)])


def _is_none(override: str) -> bool:
    """Whether it sets an optional number to None, which absl's flags of numbers cannot parse."""
    name, _, value = override.partition("=")
    return value == "None" and name.removeprefix("--config.") in configs.optional()


def _expected(error: Exception, config: ConfigDict) -> str:
    """The values that a setting accepts, if the error names the setting."""
    name = str(error).partition("--config.")[2].partition("=")[0]
    leaves = configs.flatten(config)
    if name not in leaves:
        return ""
    return f"; it takes {configs.takes(name, leaves[name])}"
