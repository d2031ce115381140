"""The step: pure functions of the state and a batch, which know nothing of devices."""

from typing import Any

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, UInt8

from resnet_jax.data import augment
from resnet_jax.training.objective import cross_entropy, mistakes, objective
from resnet_jax.training.state import TrainState

Batch = dict[str, Array]
Metrics = dict[str, Float[Array, ""]]


def train_step(state: TrainState, batch: Batch) -> tuple[TrainState, Metrics]:
    """One update.

    Args:
      state: the run before the step.
      batch: `image`, uint8 `[b, h, w, c]`, and `label`, int32 `[b]`.

    Returns:
      The run after the step, and of the batch as it was before it: `loss` (nats), `error`
      (percent), `gradient_norm` (global, before clipping and weight decay), `learning_rate`.
    """
    key = jax.random.fold_in(state.key, state.step)
    images = normalize(state, batch["image"])
    images = augment.augment(key, images, state.inputs.crop_padding, state.inputs.flip)
    differentiate = jax.value_and_grad(objective, has_aux=True)
    (loss, (batch_stats, logits)), gradients = differentiate(
        state.params, state, images, batch["label"]
    )

    learning_rate = state.schedule(state.step)
    optimizer = state.optimizer.transformation(learning_rate)
    updates, opt_state = optimizer.update(gradients, state.opt_state, state.params)
    metrics = {
        "loss": loss,
        "error": 100 * mistakes(logits, batch["label"]).mean(),
        "gradient_norm": optax.global_norm(gradients),
        "learning_rate": learning_rate,
    }
    state = state.replace(
        step=state.step + 1,
        params=optax.apply_updates(state.params, updates),
        batch_stats=batch_stats,
        opt_state=opt_state,
    )
    return state, metrics


def eval_step(state: TrainState, batch: Batch) -> Metrics:
    """What a batch adds to an evaluation, in evaluation mode: sums, so that batches add up.

    Args:
      state: the run; the running statistics are used and nothing is changed.
      batch: as for `train_step`, and `mask` `[b]`, zero for the padding of a last, partial batch.

    Returns:
      Sums over the examples: `loss` (nats), `mistakes`, and `examples`, their number.
    """
    variables = {"params": state.params, "batch_stats": state.batch_stats}
    logits: Any = state.model.apply(variables, normalize(state, batch["image"]), train=False)
    mask = batch["mask"].astype(jnp.float32)
    return {
        "loss": jnp.sum(mask * cross_entropy(logits, batch["label"])),
        "mistakes": jnp.sum(mask * mistakes(logits, batch["label"])),
        "examples": jnp.sum(mask),
    }


def normalize(state: TrainState, images: UInt8[Array, "b h w c"]) -> Float[Array, "b h w c"]:
    """Stored images as the run's network sees them, before augmentation."""
    return augment.normalize(images, state.inputs.mean, state.inputs.std)
