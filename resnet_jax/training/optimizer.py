"""Optimizers: optax transformations made from settings that are data."""

from typing import Any

import jax
import jax.numpy as jnp
import optax
from flax import struct
from jaxtyping import Array, Float, PyTree
from ml_collections import ConfigDict


class Optimizer(struct.PyTreeNode):
    """The settings of an optimizer: numbers as leaves of a pytree, choices as static fields.

    Attributes:
      momentum: of SGD.
      b1: decay of Adam's mean of gradients.
      b2: decay of Adam's mean of squared gradients.
      epsilon: added to Adam's denominator.
      weight_decay: coefficient of L2; coupled (added to the gradient, as in the papers) for sgd
        and adam, decoupled for adamw (Loshchilov and Hutter 2019).
      clip_norm: largest global norm of the gradient, infinity for none.
      name: `sgd`, `adam` or `adamw`.
      nesterov: whether SGD's momentum is Nesterov's.
      decay: what decays: `all` parameters, as in He et al. 2015, or `kernels` only.
    """

    momentum: Float[Array, ""]
    b1: Float[Array, ""]
    b2: Float[Array, ""]
    epsilon: Float[Array, ""]
    weight_decay: Float[Array, ""]
    clip_norm: Float[Array, ""]
    name: str = struct.field(pytree_node=False)
    nesterov: bool = struct.field(pytree_node=False)
    decay: str = struct.field(pytree_node=False)

    def transformation(self, learning_rate: Float[Array, ""]) -> optax.GradientTransformation:
        """The optax transformation at one learning rate.

        Its state does not depend on the learning rate, so that each step makes its own.
        """
        decay = optax.add_decayed_weights(self.weight_decay, mask=self.decays)
        adam = optax.scale_by_adam(self.b1, self.b2, self.epsilon)
        stages = {
            "sgd": [decay, optax.trace(self.momentum, self.nesterov)],
            "adam": [decay, adam],
            "adamw": [adam, decay],
        }[self.name]
        return optax.chain(
            optax.clip_by_global_norm(self.clip_norm),
            *stages,
            optax.scale_by_learning_rate(learning_rate),
        )

    def decays(self, params: PyTree) -> PyTree:
        """A tree of booleans: which parameters the weight decay acts on.

        Chosen by name and not by rank, which would change if units were stacked.
        """

        def chosen(path: tuple[Any, ...], _: Array) -> bool:
            return self.decay == "all" or path[-1].key == "kernel"

        return jax.tree_util.tree_map_with_path(chosen, params)


def from_config(settings: ConfigDict) -> Optimizer:
    """The optimizer of `config.optimizer`."""
    clip_norm = settings.clip_norm or jnp.inf
    return Optimizer(
        momentum=jnp.float32(settings.momentum),
        b1=jnp.float32(settings.b1),
        b2=jnp.float32(settings.b2),
        epsilon=jnp.float32(settings.epsilon),
        weight_decay=jnp.float32(settings.weight_decay),
        clip_norm=jnp.float32(clip_norm),
        name=settings.name,
        nesterov=settings.nesterov,
        decay=settings.decay,
    )
