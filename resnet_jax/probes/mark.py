"""Marks: sites at places that are no module's output."""

from flax import linen as nn
from jaxtyping import Array, Float


class Mark(nn.Module):
    """The identity, under a name: `x = Mark(name="after_relu")(x)` makes a site of that path.

    It has no variables and, compiled, no cost. Outputs of modules are sites without it.
    (`Module.perturb` would leave a batch-shaped collection among the network's variables.)
    """

    @nn.compact
    def __call__(self, x: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
        """Returns what it is given."""
        return x
