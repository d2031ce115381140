"""Every remedy, one at a time and many at once, trains a small network on real images of digits."""

import math

import jax
import numpy as np
import pytest

from resnet_jax.errors import UserError
from resnet_jax.training import config as configs
from resnet_jax.training.run import loop
from resnet_jax.training.run.session import evaluate_run, load_dataset
from resnet_jax.training.step import precision
from resnet_jax.training.step import state as states
from resnet_jax.training.step.step import eval_step, examples, inputs, normalize, train_step

REMEDIES = {
    "plain sgd": {"optimizer.momentum": 0.0},
    "rmsprop": {"optimizer.name": "rmsprop", "optimizer.learning_rate": 1e-3},
    "adagrad": {"optimizer.name": "adagrad", "optimizer.learning_rate": 1e-2},
    "lars": {"optimizer.name": "lars", "optimizer.learning_rate": 5.0},
    "lamb": {"optimizer.name": "lamb", "optimizer.learning_rate": 1e-2},
    "clip_value": {"optimizer.clip_value": 1e-2},
    "l1": {"optimizer.l1": 1e-4, "optimizer.decay": "kernels"},
    "mean_squared_error": {"optimizer.loss": "mean_squared_error"},
    "float16": {"model.dtype": "float16"},
    "float64": {"model.dtype": "float64"},
    "rotate": {"data.rotate": 15.0},
    "cutout": {"data.cutout": 3},
    "mixup": {"data.mixup": 0.2},
    "cutmix": {"data.cutmix": 1.0},
    "rand_augment": {"data.rand_augment": 2},
}
OFTEN = ("float16",)
"""Tested alone in CI, since it changes the step most; the others are tested together."""

TOGETHER = {
    "one half": ["lamb", "clip_value", "l1", "float16", "rotate", "mixup"],
    "the other half": ["lars", "mean_squared_error", "float64", "cutout", "cutmix", "rand_augment"],
}


@pytest.fixture
def digits(tiny):
    settings = {"data.name": "digits", "train.batch_size": 32, "train.ema_decay": 0.9}
    return configs.override(tiny, settings)


def trained(config, steps):
    """The losses of some steps."""
    with precision.context(config):
        dataset = load_dataset(config)
        state, step, losses = states.create(config, dataset), jax.jit(train_step), []
        for number in range(steps):
            state, metrics = step(state, dataset.train_batch(number))
            losses.append(float(metrics["loss"]))
    return losses


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.slow if name in OFTEN else pytest.mark.long)
        for name in REMEDIES
    ],
)
def test_a_remedy_trains(digits, name):
    config = configs.override(digits, REMEDIES[name])
    configs.validate(config)
    losses = trained(config, 40)
    assert all(map(math.isfinite, losses))
    assert np.mean(losses[-5:]) < np.mean(losses[:5])


@pytest.mark.slow
@pytest.mark.parametrize("names", TOGETHER)
def test_many_remedies_together_train_checkpoint_and_evaluate(digits, names, tmp_path):
    settings = {"train.accumulate": 2, "train.steps": 4}
    for name in TOGETHER[names]:
        settings |= REMEDIES[name]
    config = configs.override(digits, settings)
    result = loop.train(config, tmp_path)
    assert result.status == "done"
    assert all(map(math.isfinite, result.final.values()))
    assert evaluate_run(tmp_path)["loss"] == result.final["test_loss"]


def test_evaluations_report_the_training_loss(digits):
    config = configs.override(digits, {"optimizer.loss": "mean_squared_error"})
    dataset = load_dataset(config)
    state, batch = states.create(config, dataset), next(iter(dataset.eval_batches("test")))
    variables = {"params": state.params, "batch_stats": state.batch_stats}
    logits = np.asarray(jax.jit(state.model.apply)(variables, normalize(state, batch["image"])))
    squares = (logits - np.eye(10)[np.asarray(batch["label"])]) ** 2
    assert float(jax.jit(eval_step)(state, batch)["loss"]) == pytest.approx(
        squares.mean(-1).sum(), rel=1e-5
    )


@pytest.mark.parametrize("name", ["mixup", "cutmix"])
def test_mixing_gives_class_probabilities_that_follow_from_seed_and_step(digits, name):
    config = configs.override(digits, REMEDIES[name])
    dataset = load_dataset(config)
    state, batch = states.create(config, dataset), dataset.train_batch(0)
    mix = jax.jit(examples)
    images, shares = mix(state, batch)
    assert (images.shape, shares.shape) == ((32, 8, 8, 1), (32, 10))
    np.testing.assert_allclose(shares.sum(-1), 1, rtol=1e-6)
    np.testing.assert_array_equal(mix(state, batch)[1], shares)
    assert np.any(mix(state.replace(step=state.step + 1), batch)[1] != shares)
    # Mixing comes last, and does not change the other augmentation.
    unmixed, augment = states.create(digits, dataset), jax.jit(inputs)
    np.testing.assert_array_equal(augment(state, batch), augment(unmixed, batch))


def test_without_mixing_labels_are_classes(digits):
    dataset = load_dataset(digits)
    batch = dataset.train_batch(0)
    _, labels = jax.jit(examples)(states.create(digits, dataset), batch)
    np.testing.assert_array_equal(labels, batch["label"])


@pytest.mark.slow
def test_numbers_of_remedies_compile_once(digits):
    compiled = jax.jit(train_step)
    dataset = load_dataset(digits)

    def step(settings):
        state = states.create(configs.override(digits, settings), dataset)
        compiled(state, dataset.train_batch(0))
        return compiled._cache_size()

    names = ("data.rotate", "data.mixup", "optimizer.l1", "optimizer.clip_value")
    once = step(dict.fromkeys(names, 0.5))
    assert step(dict.fromkeys(names, 0.25)) == once


@pytest.mark.parametrize(
    ("settings", "hint"),
    [
        ({"data.mixup": 0.2, "data.cutmix": 1.0}, "set one of them to 0"),
        ({"data.rand_magnitude": 31.0}, "from 0 to 30"),
        ({"data.rotate": -5.0}, "from 0 to 180"),
        ({"train.loss_scale": 1000.0}, "power of two"),
        ({"optimizer.l1": -1.0}, "0 or more"),
        ({"optimizer.loss": "mse"}, "mean_squared_error"),
        ({"optimizer.name": "rmspop"}, "'rmsprop'"),
    ],
)
def test_settings_that_no_run_could_use_are_refused(digits, settings, hint):
    with pytest.raises(UserError, match=hint):
        configs.validate(configs.override(digits, settings))
