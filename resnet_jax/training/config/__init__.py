"""The config of a run: settings and defaults, files, validation."""

from resnet_jax.training.config.checks import kind_of, optional, takes, validate
from resnet_jax.training.config.defaults import base, flatten
from resnet_jax.training.config.files import differences, from_dict, load, override, to_dict

__all__ = [
    "base",
    "differences",
    "flatten",
    "from_dict",
    "kind_of",
    "load",
    "optional",
    "override",
    "takes",
    "to_dict",
    "validate",
]
