"""Dynamic loss scaling against Flax's, and a provoked overflow."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax.training.dynamic_scale import DynamicScale

from resnet_jax.errors import UserError
from resnet_jax.training import config as configs
from resnet_jax.training.run.checkpoints import Checkpoints
from resnet_jax.training.run.session import Session, load_dataset
from resnet_jax.training.step import state as states
from resnet_jax.training.step.loss_scale import LossScale, is_finite
from resnet_jax.training.step.step import train_step


def make(scale, period=2):
    return LossScale(jnp.float32(scale), jnp.int32(0), jnp.int32(period))


def same(one, other):
    jax.tree.map(np.testing.assert_array_equal, one, other)


def test_the_scale_is_that_of_flax():
    def loss(weight, size):
        return weight * size, None

    ours, theirs = make(2.0**15, period=3), DynamicScale(growth_interval=2, scale=2.0**15)
    for size in [1.0, 2.0, np.inf, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, np.nan, np.inf, 1.0]:
        _, gradient = ours.value_and_grad(loss)(jnp.float32(1.0), size)
        theirs, good, _, expected = theirs.value_and_grad(loss, has_aux=True)(
            jnp.float32(1.0), size
        )
        assert bool(is_finite(gradient)) == bool(good)
        if good:
            assert float(gradient) == float(expected) == size
        ours = ours.after(is_finite(gradient))
        assert float(ours.scale) == float(theirs.scale)


def test_a_gradient_that_float16_would_lose_is_kept():
    def loss(weight):  # in float16 nothing is smaller than 2**-24
        half = weight.astype(jnp.float16) * jnp.float16(2.0**-10)
        return half.astype(jnp.float32) * 2.0**-20, None

    weight = jnp.float32(1.0)
    assert float(jax.grad(lambda w: loss(w)[0])(weight)) == 0
    _, kept = make(2.0**15).value_and_grad(loss)(weight)
    assert float(kept) == 2.0**-30


def test_a_scale_never_leaves_float32():
    largest, smallest = make(2.0**127, period=1), make(2.0**-126)
    assert float(largest.after(jnp.bool(True)).scale) == 2.0**127
    assert float(smallest.after(jnp.bool(False)).scale) == 2.0**-126


def test_all_replicas_decide_the_same():
    gradients = jnp.array([1.0, np.inf, 1.0])
    decided = jax.vmap(lambda g: is_finite(jax.lax.pmean(g, "data")), axis_name="data")(gradients)
    assert decided.tolist() == [False] * 3


@pytest.fixture
def half(tiny):
    return configs.override(tiny, {"model.dtype": "float16", "train.ema_decay": 0.9})


def test_an_overflow_changes_nothing_but_the_scale(half, tmp_path):
    dataset = load_dataset(half)
    state, step = states.create(half, dataset), jax.jit(train_step)
    assert float(state.loss_scale.scale) == 2.0**15
    good, metrics = step(state, dataset.train_batch(0))
    assert (float(metrics["skipped"]), float(metrics["loss_scale"])) == (0.0, 2.0**15)
    assert int(good.loss_scale.good) == 1
    assert np.isfinite(float(metrics["gradient_norm"]))

    too_large = good.replace(loss_scale=good.loss_scale.replace(scale=jnp.float32(2.0**127)))
    after, metrics = step(too_large, dataset.train_batch(1))
    kept = lambda state: (state.params, state.batch_stats, state.opt_state, state.ema)
    same(kept(after), kept(good))
    assert float(after.loss_scale.scale) == 2.0**126
    assert (int(after.step), int(after.loss_scale.good)) == (2, 0)
    assert float(metrics["skipped"]) == 1.0
    assert np.isfinite(float(metrics["loss"]))

    with Checkpoints(tmp_path) as checkpoints:
        checkpoints.save(after, half)
        restored, _ = checkpoints.restore(states.create(half, dataset))
    same(restored.loss_scale, after.loss_scale)


def test_float16_computes_in_float16_with_float32_parameters(half, tiny):
    dataset = load_dataset(half)
    after, metrics = jax.jit(train_step)(states.create(half, dataset), dataset.train_batch(0))
    kinds = {leaf.dtype for leaf in jax.tree.leaves((after.params, after.batch_stats, after.ema))}
    assert kinds == {jnp.dtype("float32")}
    exact = jax.jit(train_step)(states.create(tiny, dataset), dataset.train_batch(0))[1]
    assert float(metrics["loss"]) == pytest.approx(float(exact["loss"]), rel=1e-2)
    assert float(metrics["loss"]) != float(exact["loss"])
    assert float(metrics["gradient_norm"]) == pytest.approx(float(exact["gradient_norm"]), rel=2e-2)


def test_other_precisions_have_no_scale(tiny):
    assert states.create(tiny, load_dataset(tiny)).loss_scale is None


def test_probes_of_scaled_gradients_are_refused(half):
    with pytest.raises(UserError, match="float32 or bfloat16"):
        Session(configs.override(half, {"probe.steps": (0,)}))
