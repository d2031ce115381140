"""The steps: pure functions of the training state and a batch, independent of devices."""

from typing import Any

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int, Key, PyTree, UInt8

from resnet_jax import probes
from resnet_jax.data import augment
from resnet_jax.data.augment import BatchSlice
from resnet_jax.probes import Measurement
from resnet_jax.training.step import loss_scale
from resnet_jax.training.step.accumulate import accumulated_gradient
from resnet_jax.training.step.objective import (
    LOSSES,
    Labels,
    StepAux,
    class_probabilities,
    gradient,
    mistakes,
    objective,
)
from resnet_jax.training.step.state import TrainState

Batch = dict[str, Array]
Metrics = dict[str, Float[Array, ""]]


def train_step(state: TrainState, batch: Batch) -> tuple[TrainState, Metrics]:
    """One update of the parameters.

    Args:
      state: the training state before the step.
      batch: `image`, uint8 `[b, h, w, c]`, and `label`, int32 `[b]`; on replicas, this one's part.

    Returns:
      The state after the step, and metrics of the batch under the parameters before it: `loss`
      (cross-entropy in nats), `error` (percent; of mixed examples see `objective.mistakes`),
      `gradient_norm` (global, before clipping and weight decay) and `learning_rate`. In float16
      also `loss_scale`, and `skipped`: 1 if the gradient was not finite, in which case the step
      changes nothing but the scale and the step count.
    """
    images, labels = examples(state, batch)
    if state.accumulate == 1:
        grads, aux = gradient(state, images, labels)
    else:
        grads, aux = accumulated_gradient(state, images, labels)
    if state.replicas:
        grads, loss, wrong = state.replicas.mean((grads, aux.loss, aux.mistakes))
        aux = StepAux(aux.batch_stats, loss, wrong)
    state, metrics, _ = update(state, grads, aux)
    return state, metrics


def probed_step(
    state: TrainState, batch: Batch, sites: tuple[str, ...]
) -> tuple[TrainState, Metrics, Measurement]:
    """One update, with sites of the network measured in the same forward and backward pass.

    Args:
      state: the training state before the step.
      batch: as for `train_step`.
      sites: patterns of the sites to measure.

    Returns:
      The state and metrics of `train_step`, and the measurement, taken before the update.

    Raises:
      UserError: a pattern matches no site.
    """
    images, labels = examples(state, batch)
    differentiate = probes.value_and_grad(objective, sites)
    value, grads, readings = differentiate(state.params, state, images, labels)
    loss, (batch_stats, logits) = value
    aux = StepAux(batch_stats, loss, mistakes(logits, labels).mean())
    after, metrics, updates = update(state, grads, aux)
    return after, metrics, probes.gather(readings, state.params, grads, updates)


def probe_step(
    state: TrainState, batch: Batch, sites: tuple[str, ...]
) -> tuple[Metrics, Measurement]:
    """The loss, the gradient norm and the measurement of `probed_step`, without an update."""
    images, labels = examples(state, batch)
    differentiate = probes.value_and_grad(objective, sites)
    (loss, _), grads, readings = differentiate(state.params, state, images, labels)
    metrics = {"loss": loss, "gradient_norm": optax.global_norm(grads)}
    return metrics, probes.gather(readings, state.params, grads)


def update(state: TrainState, grads: PyTree, aux: StepAux) -> tuple[TrainState, Metrics, PyTree]:
    """Applies a gradient.

    Returns:
      The state after the step, the metrics, and what was added to the parameters.
    """
    learning_rate = state.schedule(state.step)
    optimizer = state.optimizer.transformation(learning_rate)
    updates, opt_state = optimizer.update(grads, state.opt_state, state.params)
    params = optax.apply_updates(state.params, updates)
    metrics = {
        "loss": aux.loss,
        "error": 100 * aux.mistakes,
        "gradient_norm": optax.global_norm(grads),
        "learning_rate": learning_rate,
    }
    after = state.replace(
        step=state.step + 1,
        params=params,
        batch_stats=aux.batch_stats,
        opt_state=opt_state,
        ema=moving_average(state.ema, params, state.ema_decay, state.step),
    )
    if state.loss_scale:
        finite = loss_scale.is_finite(grads)
        metrics |= {"loss_scale": state.loss_scale.scale, "skipped": 1.0 - finite}
        after = loss_scale.select(finite, after, state.replace(step=after.step))
        after = after.replace(loss_scale=state.loss_scale.after(finite))
    return after, metrics, updates


def moving_average(
    old: PyTree, new: PyTree, decay: Float[Array, ""], step: Int[Array, ""]
) -> PyTree:
    """An exponential moving average whose decay grows from 0.1 at the start.

    Args:
      old: the average so far; None if there is none.
      new: the values to be averaged in.
      decay: weight of the old average, at most (1 + t) / (10 + t).
      step: t, the number of updates before this one.
    """
    if old is None:
        return None
    kept = jnp.minimum(decay, (1 + step) / (10 + step))
    return jax.tree.map(lambda a, b: kept * a + (1 - kept) * b, old, new)


def eval_step(state: TrainState, batch: Batch) -> Metrics:
    """Evaluates a batch in evaluation mode; returns sums, which add up over batches.

    Args:
      state: the training state; the running statistics are used, and nothing is changed.
      batch: as for `train_step`, and `mask` `[b]`: 0 for the padding of a last, partial batch.

    Returns:
      Sums over the examples (of all replicas): `loss` (the training loss without smoothing),
      `mistakes`, and `examples`, their number.
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
    """The network's inputs and labels of a training batch: normalized, augmented and mixed."""
    images, labels, recipe = inputs(state, batch), batch["label"], state.inputs
    key, rows = _draws(state, batch)
    if recipe.mixup is not None:
        mixed = class_probabilities(labels, recipe.classes)
        return augment.mixup(augment.key_for(key, "mixup"), images, mixed, recipe.mixup, rows)
    if recipe.cutmix is not None:
        mixed = class_probabilities(labels, recipe.classes)
        return augment.cutmix(augment.key_for(key, "cutmix"), images, mixed, recipe.cutmix, rows)
    return images, labels


def inputs(state: TrainState, batch: Batch) -> Float[Array, "b h w c"]:
    """The network's inputs of a training batch, normalized and augmented, but not mixed."""
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
    """The random key of a step, and on a replica its rows of the whole batch."""
    rows = state.replicas.batch_slice(len(batch["label"])) if state.replicas else None
    return jax.random.fold_in(state.key, state.step), rows


def normalize(state: TrainState, images: UInt8[Array, "b h w c"]) -> Float[Array, "b h w c"]:
    """Stored images as the network expects them, before augmentation."""
    return augment.normalize(images, state.inputs.mean, state.inputs.std)
