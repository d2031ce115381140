"""Config flags: `--config configs/digits.py --config.model.name=resnet56`."""

from collections.abc import Sequence

from absl import flags
from ml_collections import ConfigDict, config_flags

from resnet_jax.errors import UserError, did_you_mean
from resnet_jax.training import config as configs


def config_from(file: str, overrides: Sequence[str]) -> ConfigDict:
    """The config of a file with the overrides of a command line, checked.

    Args:
      file: path of the config file, which may end in `:VARIANT`.
      overrides: such as `--config.model.name=resnet56`; tuples as `--config.a="(1, 2)"`.

    Raises:
      UserError: the file does not run, a setting does not exist, or a value is of another type;
        the message suggests the right one.
    """
    path, _, variant = file.partition(":")
    return with_overrides(configs.load(path, variant), overrides)


def with_overrides(config: ConfigDict, overrides: Sequence[str]) -> ConfigDict:
    """A config with the overrides of a command line, checked; see `config_from`."""
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
    config = configs.override(config, dict.fromkeys(_cleared(overrides)))
    configs.check(config)
    return config


def _names(overrides: Sequence[str]) -> list[str]:
    """The settings that the overrides name, without `--config.`.

    Raises:
      UserError: an argument that is no override of the config.
    """
    given = [each.partition("=")[0] for each in overrides if each.startswith("--")]
    for flag in given:
        if not flag.startswith("--config."):
            raise UserError(f"unknown argument {flag}: {did_you_mean(flag, _ARGUMENTS)}")
    return [flag.removeprefix("--config.") for flag in given]


def _cleared(overrides: Sequence[str]) -> list[str]:
    """The settings that None is the last to be given to."""
    last = {each.partition("=")[0]: each for each in overrides}
    return _names([each for each in last.values() if _is_none(each)])


def _is_none(override: str) -> bool:
    """Whether it gives a number back to the zoo; the flag of a number would not read None."""
    name, _, value = override.partition("=")
    return value == "None" and name.removeprefix("--config.") in configs.optional()


def _expected(error: Exception, config: ConfigDict) -> str:
    """What a setting takes, if the error names the setting."""
    name = str(error).partition("--config.")[2].partition("=")[0]
    leaves = configs.flatten(config)
    if name not in leaves:
        return ""
    return f"; it takes {configs.takes(name, leaves[name])}"


_ARGUMENTS = ("--config", "--workdir", "--config.KEY=VALUE")
