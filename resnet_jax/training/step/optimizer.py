"""Optimizers: optax transformations whose hyperparameters are leaves of a pytree."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax
from flax import struct
from jaxtyping import Array, Float, PyTree
from ml_collections import ConfigDict

from resnet_jax.training.step.precision import number


class Optimizer(struct.PyTreeNode):
    """The hyperparameters of an optimizer: numbers are leaves, choices are static fields.

    The updates, for a gradient g, weights w, learning rate r and momentum m; |.| is the norm of one
    parameter array, all else is elementwise:

      sgd      v <- m v + g;                                          w <- w - r v
      rmsprop  s <- b2 s + (1 - b2) g^2; v <- m v + g / (sqrt(s) + e);  w <- w - r v
               (Tieleman and Hinton 2012, Coursera lecture 6.5, there without momentum)
      adagrad  s <- s + g^2;                             w <- w - r g / sqrt(s + e)
               (Duchi, Hazan and Singer 2011, there with e outside the root)
      adam, adamw  Kingma and Ba 2015; Loshchilov and Hutter 2019
      lars     v <- m v + r c |w| / |g| g;                              w <- w - v
               (You, Gitman and Ginsburg 2017, algorithm 1, with |g + d w| for their |g| + d |w|)
      lamb     u = adam's step + d w;                    w <- w - r |w| / |u| u
               (You et al. 2019, algorithm 2, phi the identity)

    If numerator or denominator of a ratio of norms is zero, as for a scale that starts at zero, the
    ratio is 1.

    Attributes:
      momentum: m of sgd, rmsprop and lars; 0 for none.
      b1: decay of the mean gradient in adam, adamw and lamb.
      b2: decay of the mean squared gradient in adam, adamw, lamb and rmsprop.
      epsilon: e, added to the denominator by all but sgd and lars.
      weight_decay: d, the coefficient of L2. In sgd, rmsprop, adagrad, adam and lars it is coupled:
        d w is added to the clipped gradient. In adamw and lamb it is decoupled: d w is added to the
        step, in lamb before the ratio is taken.
      clip_norm: largest global norm of the gradient; infinity for no clipping.
      clip_value: largest absolute value of an element of the gradient, applied after `clip_norm`;
        None for no clipping.
      l1: coefficient of the penalty l1 |w|_1, whose subgradient l1 sign(w) is added to the clipped
        gradient, for every optimizer; None for none.
      trust_coefficient: c of lars; None for the others.
      name: a key of `STAGES`.
      nesterov: whether to use Nesterov momentum.
      decay: which parameters L2, L1 and the ratios of lars and lamb apply to: `all`, as in He et
        al. 2015, or `kernels` only.
    """

    momentum: Float[Array, ""]
    b1: Float[Array, ""]
    b2: Float[Array, ""]
    epsilon: Float[Array, ""]
    weight_decay: Float[Array, ""]
    clip_norm: Float[Array, ""]
    clip_value: Float[Array, ""] | None
    l1: Float[Array, ""] | None
    trust_coefficient: Float[Array, ""] | None
    name: str = struct.field(pytree_node=False)
    nesterov: bool = struct.field(pytree_node=False)
    decay: str = struct.field(pytree_node=False)

    def transformation(self, learning_rate: Float[Array, ""]) -> optax.GradientTransformation:
        """The optax transformation at one learning rate.

        Its state does not depend on the learning rate, so that each step can make a new one.
        """
        clip = [] if self.clip_value is None else [optax.clip(self.clip_value)]
        l1 = [] if self.l1 is None else [add_l1(self.l1, self.decays)]
        return optax.chain(
            optax.clip_by_global_norm(self.clip_norm),
            *clip,
            *l1,
            *STAGES[self.name](self, optax.scale_by_learning_rate(learning_rate)),
        )

    def decays(self, params: PyTree) -> PyTree:
        """A tree of booleans: which parameters L2, L1 and ratios apply to.

        Selected by name and not by rank, which stacked units (`nn.scan`) would change.
        """

        def selected(path: tuple[Any, ...], _: Array) -> bool:
            return self.decay == "all" or path[-1].key == "kernel"

        return jax.tree_util.tree_map_with_path(selected, params)

    @property
    def _l2(self) -> optax.GradientTransformation:
        return optax.add_decayed_weights(self.weight_decay, mask=self.decays)

    @property
    def _adam(self) -> optax.GradientTransformation:
        return optax.scale_by_adam(self.b1, self.b2, self.epsilon)

    @property
    def _rms(self) -> optax.GradientTransformation:
        return optax.scale_by_rms(self.b2, self.epsilon, eps_in_sqrt=False)

    @property
    def _rss(self) -> optax.GradientTransformation:
        return optax.scale_by_rss(0.0, self.epsilon)

    @property
    def _trace(self) -> optax.GradientTransformation:
        return optax.trace(self.momentum, self.nesterov)

    @property
    def _ratio(self) -> optax.GradientTransformation:
        coefficient = 1.0 if self.trust_coefficient is None else self.trust_coefficient
        ratio = optax.scale_by_trust_ratio(trust_coefficient=coefficient)
        return optax.masked(ratio, self.decays)


_Stages = Callable[[Optimizer, optax.GradientTransformation], list[optax.GradientTransformation]]

STAGES: dict[str, _Stages] = {
    "sgd": lambda o, rate: [o._l2, o._trace, rate],
    "rmsprop": lambda o, rate: [o._l2, o._rms, o._trace, rate],
    "adagrad": lambda o, rate: [o._l2, o._rss, rate],
    "adam": lambda o, rate: [o._l2, o._adam, rate],
    "adamw": lambda o, rate: [o._adam, o._l2, rate],
    # The rate comes before the momentum, as in the paper: each gradient keeps the rate of its step.
    "lars": lambda o, rate: [o._l2, o._ratio, rate, o._trace],
    "lamb": lambda o, rate: [o._adam, o._l2, o._ratio, rate],
}
"""The transformations of each optimizer, applied in order to the clipped gradient."""


def add_l1(
    coefficient: Float[Array, ""], mask: Callable[[PyTree], PyTree]
) -> optax.GradientTransformation:
    """Adds the subgradient of `coefficient * |w|_1`, `coefficient * sign(w)`, to the gradient.

    Args:
      coefficient: coefficient of the penalty.
      mask: maps the parameters to a tree of booleans: which of them are penalized.
    """

    def add(updates: PyTree, params: PyTree) -> PyTree:
        return jax.tree.map(lambda g, w: g + coefficient * jnp.sign(w), updates, params)

    return optax.masked(optax.stateless(add), mask)


def from_config(settings: ConfigDict) -> Optimizer:
    """The optimizer of `config.optimizer`."""
    lars = settings.name == "lars"
    return Optimizer(
        momentum=number(settings.momentum),
        b1=number(settings.b1),
        b2=number(settings.b2),
        epsilon=number(settings.epsilon),
        weight_decay=number(settings.weight_decay),
        clip_norm=number(settings.clip_norm or jnp.inf),
        clip_value=number(settings.clip_value) if settings.clip_value else None,
        l1=number(settings.l1) if settings.l1 else None,
        trust_coefficient=number(settings.trust_coefficient) if lars else None,
        name=settings.name,
        nesterov=settings.nesterov,
        decay=settings.decay,
    )
