"""The objective that a step minimizes, its gradient, and the error that an evaluation counts.

Labels are class indices, int32 `[b]`; or, once augmentation has mixed examples, class
probabilities, `[b, classes]`.
"""

from collections.abc import Callable
from typing import NamedTuple

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
    """The mean loss of a batch in training mode, that is, with batch statistics.

    Args:
      params: the parameters to differentiate with respect to.
      state: the rest of the training state.
      images: normalized and augmented.
      labels: classes or class probabilities.
      part: index of the part of an accumulated batch; each has random keys of its own.

    Returns:
      The loss named by `state.loss`, and the updated running statistics with the logits.
    """
    variables = {"params": params, "batch_stats": state.batch_stats}
    logits, updates = state.model.apply(
        variables, images, train=True, mutable=["batch_stats"], rngs=state.streams(part)
    )
    loss = LOSSES[state.loss](logits, labels, state.label_smoothing).mean()
    return loss, (updates.get("batch_stats", {}), logits)


class StepAux(NamedTuple):
    """What a step computes of a batch beside the gradient.

    Attributes:
      batch_stats: running statistics after the batch.
      loss: mean loss.
      mistakes: share of misclassified examples.
    """

    batch_stats: PyTree
    loss: Float[Array, ""]
    mistakes: Float[Array, ""]


def gradient(
    state: TrainState,
    images: Float[Array, "b h w c"],
    labels: Labels,
    part: Int[Array, ""] | int = 0,
) -> tuple[PyTree, StepAux]:
    """The gradient of the objective with respect to the parameters, over this replica's examples.

    In float16 the loss is scaled, and the gradient unscaled. Running statistics are merged over
    replicas.
    """
    scale = state.loss_scale
    differentiate = (
        scale.value_and_grad(objective) if scale else jax.value_and_grad(objective, has_aux=True)
    )
    (loss, (after, logits)), grads = differentiate(state.params, state, images, labels, part)
    after = state.replicas.merged(after) if state.replicas else after
    return grads, StepAux(after, loss, mistakes(logits, labels).mean())


def cross_entropy(
    logits: Float[Array, "b classes"],
    labels: Labels,
    smoothing: Float[Array, ""] | float = 0.0,
) -> Float[Array, " b"]:
    """Cross-entropy of each example's logits with its target distribution, in nats."""
    return optax.softmax_cross_entropy(logits, targets(labels, logits.shape[-1], smoothing))


def mean_squared_error(
    logits: Float[Array, "b classes"],
    labels: Labels,
    smoothing: Float[Array, ""] | float = 0.0,
) -> Float[Array, " b"]:
    """Squared difference of logits and target, averaged over classes; for each example.

    Hui and Belkin 2021 (arXiv 2006.07322), eq. 1 with k = M = 1, their choice for at most 42
    classes. There is no softmax.
    """
    return jnp.mean((logits - targets(labels, logits.shape[-1], smoothing)) ** 2, axis=-1)


LOSSES: dict[str, Callable[..., Float[Array, " b"]]] = {
    "cross_entropy": cross_entropy,
    "mean_squared_error": mean_squared_error,
}

UNITS = {"cross_entropy": "nats", "mean_squared_error": ""}
"""The unit of each loss; empty if it has none."""


def targets(
    labels: Labels, classes: int, smoothing: Float[Array, ""] | float = 0.0
) -> Float[Array, "b classes"]:
    """Target distributions with label smoothing (Szegedy et al. 2016, sec. 7).

    The target is (1 - s) p + s / classes with s the smoothing and p the class probabilities of an
    example, one_hot(label) unless examples were mixed.
    """
    return optax.smooth_labels(class_probabilities(labels, classes), smoothing)


def class_probabilities(labels: Labels, classes: int) -> Float[Array, "b classes"]:
    """Labels as class probabilities: one-hot, unless they are probabilities already."""
    return labels if labels.ndim == 2 else jax.nn.one_hot(labels, classes)


def mistakes(logits: Float[Array, "b classes"], labels: Labels) -> Float[Array, " b"]:
    """1 for each example whose largest logit is not at its label, 0 otherwise.

    The label of a mixed example is its most probable class, the first at a tie. A training error
    over mixtures is not comparable with one over images.
    """
    label = labels.argmax(axis=-1) if labels.ndim == 2 else labels
    return (jnp.argmax(logits, axis=-1) != label).astype(float)
