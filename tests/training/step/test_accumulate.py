"""Gradient accumulation and averaged weights against their definitions."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from resnet_jax.training import config as configs
from resnet_jax.training.run.session import load_dataset
from resnet_jax.training.step import state as states
from resnet_jax.training.step.objective import objective
from resnet_jax.training.step.step import normalize, train_step


def stepped(config, steps=1):
    dataset = load_dataset(config)
    state, seen = states.create(config, dataset), []
    for step in range(steps):
        state, metrics = jax.jit(train_step)(state, dataset.train_batch(step))
        seen.append((state, metrics))
    return seen


def close(one, other, **tolerance):
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, **tolerance), one, other)


@pytest.mark.parametrize("parts", [2, pytest.param(4, marks=pytest.mark.slow)])
def test_without_norm_parts_are_the_whole(tiny, parts):
    bare = configs.override(tiny, {"model.normalization": "none"})
    ((whole, one),) = stepped(bare)
    ((parted, other),) = stepped(configs.override(bare, {"train.accumulate": parts}))
    close(one, other, rtol=1e-5)
    close(whole.params, parted.params, rtol=1e-4, atol=1e-6)


def test_with_norm_each_part_has_its_own_statistics_and_updates_them_in_turn(tiny):
    still = {"data.crop_padding": 0, "data.flip": False}
    config = configs.override(tiny, still | {"train.accumulate": 2})
    ((after, metrics),) = stepped(config)
    dataset = load_dataset(config)
    state, batch = states.create(config, dataset), dataset.train_batch(0)
    images = normalize(state, batch["image"])
    differentiate = jax.jit(jax.value_and_grad(objective, has_aux=True))
    losses, gradients = [], []
    for part in range(2):
        (loss, (batch_stats, _)), found = differentiate(
            state.params, state, images[part::2], batch["label"][part::2]
        )
        state = state.replace(batch_stats=batch_stats)
        losses.append(loss)
        gradients.append(found)
    mean = jax.tree.map(lambda a, b: (a + b) / 2, *gradients)
    norm = jnp.sqrt(sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(mean)))
    assert float(metrics["loss"]) == pytest.approx(float(np.mean(losses)), rel=1e-5)
    assert float(metrics["gradient_norm"]) == pytest.approx(float(norm), rel=1e-4)
    close(after.batch_stats, state.batch_stats, rtol=1e-4, atol=1e-6)


def test_averaged_weights_are_the_average_by_its_definition(tiny):
    config = configs.override(tiny, {"train.ema_decay": 0.3})
    expected = states.create(config, load_dataset(config)).params
    for step, (state, _) in enumerate(stepped(config, steps=3)):
        kept = min(0.3, (1 + step) / (10 + step))
        expected = jax.tree.map(lambda a, b: kept * a + (1 - kept) * b, expected, state.params)  # noqa: B023
        close(state.ema, expected, rtol=1e-5, atol=1e-7)


def test_without_a_decay_there_is_no_average(tiny):
    assert states.create(tiny, load_dataset(tiny)).ema is None
