"""Settings of a run: the tree of them, config files, and what each setting takes."""

from resnet_jax.training.config.checks import check, kind_of, optional, refuse_type, takes
from resnet_jax.training.config.defaults import base, flatten
from resnet_jax.training.config.files import differences, from_dict, load, override, to_dict

__all__ = [
    "base",
    "check",
    "differences",
    "flatten",
    "from_dict",
    "kind_of",
    "load",
    "optional",
    "override",
    "refuse_type",
    "takes",
    "to_dict",
]
