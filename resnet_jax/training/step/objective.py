"""The objective: what a step makes smaller, and what an evaluation counts.

The labels of a batch are classes, int32 `[b]`; or, where augmentation mixes examples, the share
that each class has of an example, `[b, classes]`, from there on.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int, PyTree

from resnet_jax.training.step.state import TrainState

Labels = Int[Array, " b"] | Float[Array, "b classes"]


def objective(
    params: PyTree,
    state: TrainState,
    images: Float[Array, "b h w c"],
    labels: Labels,
    part: Int[Array, ""] | int = 0,
) -> tuple[Float[Array, ""], tuple[PyTree, Float[Array, "b classes"]]]:
    """The mean loss of a batch in train mode: batch statistics, not the running ones.

    Args:
      params: the parameters to differentiate with respect to.
      state: the rest of the run's state.
      images: normalised and augmented.
      labels: classes, or their shares.
      part: which of the parts of an accumulated batch this is, for what is drawn at random.

    Returns:
      The loss that `state.loss` names, with the new running statistics and the logits.
    """
    variables = {"params": params, "batch_stats": state.batch_stats}
    logits, updates = state.model.apply(
        variables, images, train=True, mutable=["batch_stats"], rngs=state.streams(part)
    )
    loss = LOSSES[state.loss](logits, labels, state.label_smoothing).mean()
    return loss, (updates.get("batch_stats", {}), logits)


def cross_entropy(
    logits: Float[Array, "b classes"],
    labels: Labels,
    smoothing: Float[Array, ""] | float = 0.0,
) -> Float[Array, " b"]:
    """Cross-entropy of each example in nats, from the logits to its target, see `targets`."""
    return optax.softmax_cross_entropy(logits, targets(labels, logits.shape[-1], smoothing))


def mean_squared_error(
    logits: Float[Array, "b classes"],
    labels: Labels,
    smoothing: Float[Array, ""] | float = 0.0,
) -> Float[Array, " b"]:
    """The mean over classes of the squared differences between logits and target, by example.

    Hui and Belkin 2021 (arXiv 2006.07322), eq. 1 with k = M = 1, as they have it for 42 classes or
    fewer. No softmax is taken, and there is no unit.
    """
    return jnp.mean((logits - targets(labels, logits.shape[-1], smoothing)) ** 2, axis=-1)


LOSSES: dict[str, Callable[..., Float[Array, " b"]]] = {
    "cross_entropy": cross_entropy,
    "mean_squared_error": mean_squared_error,
}

UNITS = {"cross_entropy": "nats", "mean_squared_error": ""}
"""What each loss is measured in; empty if it has no unit."""


def targets(
    labels: Labels, classes: int, smoothing: Float[Array, ""] | float = 0.0
) -> Float[Array, "b classes"]:
    """What is aimed at, with label smoothing (Szegedy et al. 2016, sec. 7).

    The target is (1 - s) * share + s / classes, with s the smoothing and the shares those of the
    classes in an example, which are one_hot(label) unless examples were mixed.
    """
    return optax.smooth_labels(shares(labels, classes), smoothing)


def shares(labels: Labels, classes: int) -> Float[Array, "b classes"]:
    """The share that each class has of each example."""
    return labels if labels.ndim == 2 else jax.nn.one_hot(labels, classes)


def mistakes(logits: Float[Array, "b classes"], labels: Labels) -> Float[Array, " b"]:
    """1 for each example whose largest logit is not its label's, 0 otherwise.

    Where examples were mixed, the label is the class that has the largest share, and the first of
    them at a tie: a training error is then one of mixtures, not to be compared with others.
    """
    label = labels.argmax(axis=-1) if labels.ndim == 2 else labels
    return (jnp.argmax(logits, axis=-1) != label).astype(float)
