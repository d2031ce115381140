"""The objective: what a step makes smaller, and what an evaluation counts."""

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int, PyTree

from resnet_jax.training.state import TrainState


def objective(
    params: PyTree,
    state: TrainState,
    images: Float[Array, "b h w c"],
    labels: Int[Array, " b"],
    part: Int[Array, ""] | int = 0,
) -> tuple[Float[Array, ""], tuple[PyTree, Float[Array, "b classes"]]]:
    """The mean loss of a batch in train mode: batch statistics, not the running ones.

    Args:
      params: the parameters to differentiate with respect to.
      state: the rest of the run's state.
      images: normalised and augmented, float32.
      labels: int32.
      part: which of the parts of an accumulated batch this is, for what is drawn at random.

    Returns:
      The loss in nats, with the new running statistics and the logits.
    """
    variables = {"params": params, "batch_stats": state.batch_stats}
    logits, updates = state.model.apply(
        variables, images, train=True, mutable=["batch_stats"], rngs=state.streams(part)
    )
    loss = cross_entropy(logits, labels, state.label_smoothing).mean()
    return loss, (updates.get("batch_stats", {}), logits)


def cross_entropy(
    logits: Float[Array, "b classes"],
    labels: Int[Array, " b"],
    smoothing: Float[Array, ""] | float = 0.0,
) -> Float[Array, " b"]:
    """Cross-entropy of each example in nats, with label smoothing (Szegedy et al. 2016, sec. 7).

    The target is (1 - s) * one_hot(label) + s / classes, with s the smoothing.
    """
    targets = optax.smooth_labels(jax.nn.one_hot(labels, logits.shape[-1]), smoothing)
    return optax.softmax_cross_entropy(logits, targets)


def mistakes(logits: Float[Array, "b classes"], labels: Int[Array, " b"]) -> Float[Array, " b"]:
    """1 for each example whose largest logit is not its label's, 0 otherwise; float32."""
    return (jnp.argmax(logits, axis=-1) != labels).astype(jnp.float32)
