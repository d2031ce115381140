"""The step: pure functions of the state and a batch, which know nothing of devices."""

from typing import Any

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int, Key, PyTree, UInt8

from resnet_jax import probes
from resnet_jax.data import augment
from resnet_jax.data.augment import BatchSlice
from resnet_jax.probes import Measurement
from resnet_jax.training.step import accumulate, loss_scale
from resnet_jax.training.step.accumulate import Learned
from resnet_jax.training.step.objective import LOSSES, Labels, mistakes, objective, shares
from resnet_jax.training.step.state import TrainState

Batch = dict[str, Array]
Metrics = dict[str, Float[Array, ""]]


def train_step(state: TrainState, batch: Batch) -> tuple[TrainState, Metrics]:
    """One update.

    Args:
      state: the run before the step.
      batch: `image`, uint8 `[b, h, w, c]`, and `label`, int32 `[b]`; where replicas run the step,
        this one's part of them.

    Returns:
      The run after the step, and of the batch as it was before it: `loss` (nats, if it is the
      cross-entropy), `error` (percent; of mixed examples see `objective.mistakes`),
      `gradient_norm` (global, before clipping and weight decay), `learning_rate`. In float16 also
      `loss_scale`, and `skipped`, 1 for a step whose gradient was not finite and which therefore
      changed nothing but the scale.
    """
    gradients, learned = accumulate.gradients(state, *examples(state, batch))
    state, metrics, _ = _update(state, gradients, learned)
    return state, metrics


def probed_step(
    state: TrainState, batch: Batch, sites: tuple[str, ...]
) -> tuple[TrainState, Metrics, Measurement]:
    """One update, and what the network's sites have to say of it, in the same pass.

    Args:
      state: the run before the step.
      batch: as for `train_step`.
      sites: patterns of the sites to measure.

    Returns:
      As `train_step`, and the measurement, of the network before the update.

    Raises:
      UserError: no site matches a pattern.
    """
    images, labels = examples(state, batch)
    differentiate = probes.value_and_grad(objective, sites)
    value, gradients, readings = differentiate(state.params, state, images, labels)
    loss, (batch_stats, logits) = value
    learned = Learned(batch_stats, loss, mistakes(logits, labels).mean())
    after, metrics, updates = _update(state, gradients, learned)
    return after, metrics, probes.gather(readings, state.params, gradients, updates)


def measure(state: TrainState, batch: Batch, sites: tuple[str, ...]) -> tuple[Metrics, Measurement]:
    """The metrics and the measurement of `probed_step`, without an update."""
    differentiate = probes.value_and_grad(objective, sites)
    (loss, _), gradients, readings = differentiate(state.params, state, *examples(state, batch))
    metrics = {"loss": loss, "gradient_norm": optax.global_norm(gradients)}
    return metrics, probes.gather(readings, state.params, gradients)


def _update(
    state: TrainState, gradients: PyTree, learned: Learned
) -> tuple[TrainState, Metrics, PyTree]:
    """The state after the step, its metrics, and what was added to the parameters."""
    learning_rate = state.schedule(state.step)
    optimizer = state.optimizer.transformation(learning_rate)
    updates, opt_state = optimizer.update(gradients, state.opt_state, state.params)
    params = optax.apply_updates(state.params, updates)
    metrics = {
        "loss": learned.loss,
        "error": 100 * learned.mistakes,
        "gradient_norm": optax.global_norm(gradients),
        "learning_rate": learning_rate,
    }
    after = state.replace(
        step=state.step + 1,
        params=params,
        batch_stats=learned.batch_stats,
        opt_state=opt_state,
        ema=average(state.ema, params, state.ema_decay, state.step),
    )
    if state.loss_scale:
        good = loss_scale.finite(gradients)
        metrics |= {"loss_scale": state.loss_scale.scale, "skipped": 1.0 - good}
        after = loss_scale.chosen(good, after, state.replace(step=after.step))
        after = after.replace(loss_scale=state.loss_scale.after(good))
    return after, metrics, updates


def average(old: PyTree, new: PyTree, decay: Float[Array, ""], step: Int[Array, ""]) -> PyTree:
    """An exponential moving average, which keeps less of the old at the start.

    Args:
      old: the average so far; None if there is none.
      new: what enters it.
      decay: share of the old that is kept, (1 + t) / (10 + t) at most.
      step: t, the updates made before this one.
    """
    if old is None:
        return None
    kept = jnp.minimum(decay, (1 + step) / (10 + step))
    return jax.tree.map(lambda a, b: kept * a + (1 - kept) * b, old, new)


def eval_step(state: TrainState, batch: Batch) -> Metrics:
    """What a batch adds to an evaluation, in evaluation mode: sums, so that batches add up.

    Args:
      state: the run; the running statistics are used and nothing is changed.
      batch: as for `train_step`, and `mask` `[b]`, zero for the padding of a last, partial batch.

    Returns:
      Sums over the examples: `loss` (the one that is trained on, without smoothing), `mistakes`,
      and `examples`, their number; of all replicas, where they run it.
    """
    variables = {"params": state.params, "batch_stats": state.batch_stats}
    logits: Any = state.model.apply(variables, normalize(state, batch["image"]), train=False)
    mask = batch["mask"].astype(jnp.float32)
    sums = {
        "loss": jnp.sum(mask * LOSSES[state.loss](logits, batch["label"])),
        "mistakes": jnp.sum(mask * mistakes(logits, batch["label"])),
        "examples": jnp.sum(mask),
    }
    return state.replicas.sum(sums) if state.replicas else sums


def examples(state: TrainState, batch: Batch) -> tuple[Float[Array, "b h w c"], Labels]:
    """A training batch as the step learns from it: inputs and labels, mixed if the run mixes.

    Labels are classes, or each class's share of a mixture.
    """
    images, labels, recipe = inputs(state, batch), batch["label"], state.inputs
    key, rows = _draws(state, batch)
    if recipe.mixup is not None:
        mixed = shares(labels, recipe.classes)
        return augment.mixup(augment.key_for(key, "mixup"), images, mixed, recipe.mixup, rows)
    if recipe.cutmix is not None:
        mixed = shares(labels, recipe.classes)
        return augment.cutmix(augment.key_for(key, "cutmix"), images, mixed, recipe.cutmix, rows)
    return images, labels


def inputs(state: TrainState, batch: Batch) -> Float[Array, "b h w c"]:
    """A training batch as the network sees it: normalised, and augmented by the step's own key.

    Without what changes labels too, for which see `examples`.
    """
    recipe, images = state.inputs, batch["image"]
    key, rows = _draws(state, batch)
    if recipe.rand_magnitude is not None:
        own = augment.key_for(key, "rand_augment")
        images = augment.rand_augment(own, images, recipe.rand_augment, recipe.rand_magnitude, rows)
    return augment.augment(
        key,
        normalize(state, images),
        recipe.crop_padding,
        recipe.flip,
        rows,
        degrees=recipe.rotate,
        cut=recipe.cutout,
    )


def _draws(state: TrainState, batch: Batch) -> tuple[Key[Array, ""], BatchSlice | None]:
    """The key of a step, and which of its draws are for the examples in hand."""
    rows = state.replicas.rows(len(batch["label"])) if state.replicas else None
    return jax.random.fold_in(state.key, state.step), rows


def normalize(state: TrainState, images: UInt8[Array, "b h w c"]) -> Float[Array, "b h w c"]:
    """Stored images as the run's network sees them, before augmentation."""
    return augment.normalize(images, state.inputs.mean, state.inputs.std)
