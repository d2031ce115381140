"""The residual unit as three functions, and the networks built of it."""

from resnet_jax.models.initialize import initialize
from resnet_jax.models.network import ResNet
from resnet_jax.models.summary import Summary, summarize, summarize_by_name
from resnet_jax.models.zoo import create, names

__all__ = ["ResNet", "Summary", "create", "initialize", "names", "summarize", "summarize_by_name"]
