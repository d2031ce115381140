import jax
import jax.numpy as jnp
import numpy as np
import pytest

from resnet_jax.training import config as configs
from resnet_jax.training.run.session import load_dataset
from resnet_jax.training.step import state as states
from resnet_jax.training.step.objective import objective
from resnet_jax.training.step.step import eval_step, normalize, train_step


def start(config):
    dataset = load_dataset(config)
    return states.create(config, dataset), dataset


@pytest.fixture
def plain_sgd(tiny):
    """No augmentation, momentum or decay: an update is minus the rate times the gradient."""
    settings = {
        "data.crop_padding": 0,
        "data.flip": False,
        "optimizer.momentum": 0.0,
        "optimizer.weight_decay": 0.0,
    }
    return configs.override(tiny, settings)


def test_an_update_of_plain_sgd_is_the_rate_times_the_gradient(plain_sgd):
    state, dataset = start(plain_sgd)
    batch = dataset.train_batch(0)
    after, metrics = jax.jit(train_step)(state, batch)
    images = normalize(state, batch["image"])
    loss = lambda params: objective(params, state, images, batch["label"])[0]
    gradients = jax.jit(jax.grad(loss))(state.params)
    jax.tree.map(
        lambda new, old, g: np.testing.assert_allclose(new, old - 0.1 * g, rtol=1e-4, atol=1e-5),
        after.params,
        state.params,
        gradients,
    )
    squares = [float(jnp.sum(g**2)) for g in jax.tree.leaves(gradients)]
    assert float(metrics["gradient_norm"]) == pytest.approx(np.sqrt(sum(squares)), rel=1e-4)
    assert int(after.step) == 1


def test_the_gradient_agrees_with_finite_differences(plain_sgd):
    state, dataset = start(plain_sgd)
    batch = dataset.train_batch(0)
    images = normalize(state, batch["image"])

    @jax.jit
    def loss(bias):
        head = state.params["head"]["dense"] | {"bias": bias}
        params = state.params | {"head": state.params["head"] | {"dense": head}}
        return objective(params, state, images, batch["label"])[0]

    bias = state.params["head"]["dense"]["bias"]
    direction = jnp.linspace(-1.0, 1.0, len(bias))
    slope = float(loss(bias + 0.01 * direction) - loss(bias - 0.01 * direction)) / 0.02
    assert float(jnp.vdot(jax.grad(loss)(bias), direction)) == pytest.approx(slope, rel=1e-2)


def test_the_step_is_pure(tiny):
    state, dataset = start(tiny)
    before = jax.tree.map(np.array, state.params)
    batch = dataset.train_batch(0)
    once, twice = (jax.jit(train_step)(state, batch)[0] for _ in range(2))
    jax.tree.map(np.testing.assert_array_equal, once.params, twice.params)
    jax.tree.map(np.testing.assert_array_equal, state.params, before)


def test_augmentation_follows_from_the_seed_and_the_step(tiny):
    # At a learning rate of zero the parameters do not change.
    config = configs.override(tiny, {"optimizer.learning_rate": 0.0})
    state, dataset = start(config)
    other, _ = start(configs.override(config, {"seed": 1}))
    batch, step = dataset.train_batch(0), jax.jit(train_step)
    loss = lambda state: float(step(state, batch)[1]["loss"])
    same_weights = state.replace(key=other.key)
    assert loss(state) == loss(state)
    assert loss(state) != loss(state.replace(step=state.step + 1))
    assert loss(state) != loss(same_weights)


def test_one_compilation_serves_all_seeds_and_numbers_of_the_recipe(tiny):
    compiled = jax.jit(train_step)
    state, dataset = start(tiny)
    compiled(state, dataset.train_batch(0))
    compilations = compiled._cache_size()  # of all jitted forms of this function in the process
    for settings in (
        {"seed": 5},
        {"optimizer.learning_rate": 0.01, "optimizer.weight_decay": 0.0},
        {"train.steps": 50, "schedule.warmup_steps": 3, "optimizer.label_smoothing": 0.1},
        {"optimizer.clip_norm": 1.0, "optimizer.momentum": 0.5},
    ):
        state, dataset = start(configs.override(tiny, settings))
        compiled(state, dataset.train_batch(0))
    assert compiled._cache_size() == compilations
    state, dataset = start(configs.override(tiny, {"optimizer.nesterov": True}))
    compiled(state, dataset.train_batch(0))
    assert compiled._cache_size() == compilations + 1


def test_padding_of_an_evaluation_batch_does_not_count(tiny):
    state, dataset = start(tiny)
    last = list(dataset.eval_batches("test"))[-1]
    assert last["mask"].sum() == 4  # 20 examples in batches of 16
    noise = jnp.where(last["mask"][:, None, None, None] > 0, last["image"], 255)
    evaluate = jax.jit(eval_step)
    ours, other = evaluate(state, last), evaluate(state, last | {"image": noise})
    assert float(ours["examples"]) == 4
    assert float(ours["loss"]) == pytest.approx(float(other["loss"]))


def test_twins_start_from_the_same_weights(tiny):
    residual, _ = start(tiny)
    plain, _ = start(configs.override(tiny, {"model.name": "plain8"}))
    jax.tree.map(np.testing.assert_array_equal, residual.params, plain.params)


def test_bfloat16_computes_in_bfloat16_with_float32_parameters(tiny):
    config = configs.override(tiny, {"model.dtype": "bfloat16"})
    state, dataset = start(config)
    after, metrics = jax.jit(train_step)(state, dataset.train_batch(0))
    kinds = {leaf.dtype for leaf in jax.tree.leaves((after.params, after.batch_stats))}
    assert kinds == {jnp.dtype("float32")}
    exact = jax.jit(train_step)(start(tiny)[0], dataset.train_batch(0))[1]
    assert float(metrics["loss"]) == pytest.approx(float(exact["loss"]), rel=0.05)
    assert float(metrics["loss"]) != float(exact["loss"])
