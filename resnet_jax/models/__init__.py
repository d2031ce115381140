"""Residual networks: the unit as three functions, the networks built of it, and a zoo of names."""

from resnet_jax.models.initialize import initialize
from resnet_jax.models.resnet import ResNet
from resnet_jax.models.settings import from_settings
from resnet_jax.models.zoo import published
from resnet_jax.models.zoo.names import create, names
from resnet_jax.models.zoo.summary import NetworkSummary, summarize, summarize_by_name

__all__ = [
    "NetworkSummary",
    "ResNet",
    "create",
    "from_settings",
    "initialize",
    "names",
    "published",
    "summarize",
    "summarize_by_name",
]
