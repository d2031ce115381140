"""Runs in float64: all arrays are float64, results are that precise, other runs are unaffected."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from resnet_jax.errors import UserError
from resnet_jax.training import config as configs
from resnet_jax.training.run import loop
from resnet_jax.training.run.run_folder import RunFolder
from resnet_jax.training.run.session import evaluate_run, load_dataset, restore_run
from resnet_jax.training.step import precision
from resnet_jax.training.step import state as states
from resnet_jax.training.step.objective import objective
from resnet_jax.training.step.step import normalize


@pytest.fixture
def double(tiny):
    settings = {"model.dtype": "float64", "train.steps": 2, "train.ema_decay": 0.9}
    return configs.override(tiny, settings)


def kinds(*trees):
    found = {leaf.dtype for leaf in jax.tree.leaves(trees)}
    return {str(kind) for kind in found if jnp.issubdtype(kind, jnp.floating)}


def test_the_gradient_agrees_with_finite_differences_to_many_digits(double):
    with precision.context(double):
        dataset = load_dataset(double)
        state, batch = states.create(double, dataset), dataset.train_batch(0)
        images = normalize(state, batch["image"])
        loss = lambda params: objective(params, state, images, batch["label"])[0]
        value_and_grad = jax.jit(jax.value_and_grad(loss))
        draws = np.random.default_rng(0)
        direction = jax.tree.map(lambda x: jnp.asarray(draws.normal(size=x.shape)), state.params)
        along = lambda t: jax.tree.map(lambda x, d: x + t * d, state.params, direction)
        after, before = (float(value_and_grad(along(t))[0]) for t in (1e-7, -1e-7))
        slope = (after - before) / 2e-7
        _, gradient = value_and_grad(state.params)
        products = jax.tree.map(lambda g, d: float(jnp.vdot(g, d)), gradient, direction)
    assert kinds(gradient) == {"float64"}
    assert sum(jax.tree.leaves(products)) == pytest.approx(slope, rel=1e-8)


def test_a_whole_run_is_in_float64_and_the_next_run_is_not(double, tiny, tmp_path):
    result = loop.train(double, tmp_path / "double")
    assert result.status == "done"
    assert jnp.zeros(()).dtype == jnp.float32
    with precision.context(RunFolder(tmp_path / "double").config()):
        state, _ = restore_run(tmp_path / "double")
        learned = (state.params, state.batch_stats, state.opt_state, state.ema)
        assert kinds(learned, state.optimizer, state.schedule, state.inputs) == {"float64"}
    found = evaluate_run(tmp_path / "double")
    assert found["loss"] == result.final["test_loss"]  # bitwise
    assert found["loss"] != float(np.float32(found["loss"]))

    single = configs.override(tiny, {"train.steps": 2, "train.ema_decay": 0.9})
    other = loop.train(single, tmp_path / "single")
    state, _ = restore_run(tmp_path / "single")
    assert kinds(state) == {"float32"}
    # From the same initial values, and with the same batches.
    assert result.final["train_loss"] == pytest.approx(other.final["train_loss"], rel=1e-4)


def test_a_state_made_outside_the_context_is_refused(double):
    with pytest.raises(UserError, match=r"precision\.context"):
        states.create(double, load_dataset(double))
