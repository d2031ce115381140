"""The residual unit as three functions, and the networks built of it."""

from resnet_jax.models.initialize import initialize
from resnet_jax.models.resnet import ResNet
from resnet_jax.models.zoo import published
from resnet_jax.models.zoo.names import create, names
from resnet_jax.models.zoo.summary import Summary, summarize, summarize_by_name

__all__ = [
    "ResNet",
    "Summary",
    "create",
    "initialize",
    "names",
    "published",
    "summarize",
    "summarize_by_name",
]
