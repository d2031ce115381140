"""The random streams of a step, for dropout and stochastic depth."""

import jax
import numpy as np
import pytest

from resnet_jax.training import config as configs
from resnet_jax.training.run.session import load_dataset
from resnet_jax.training.step import state as states
from resnet_jax.training.step.replicas import Replicas
from resnet_jax.training.step.step import train_step


@pytest.fixture
def state(tiny):
    config = configs.override(tiny, {"model.unit_dropout": 0.2, "model.survival": 0.5})
    return states.create(config, load_dataset(config))


def data(keys) -> dict[str, tuple[int, ...]]:
    return {name: tuple(np.ravel(jax.random.key_data(key))) for name, key in keys.items()}


def test_each_step_part_and_stream_has_a_key_of_its_own(state):
    found = [data(state.replace(step=s).streams(part)) for s in (0, 1) for part in (0, 1)]
    keys = {key for streams in found for key in streams.values()}
    assert len(keys) == 2 * 2 * 2
    augmentation = jax.random.split(jax.random.fold_in(state.key, 0))
    assert not keys & {tuple(np.ravel(jax.random.key_data(key))) for key in augmentation}


def test_replicas_have_own_dropout_masks_and_drop_the_same_branches(state):
    def streams(_):
        keys = state.replace(replicas=Replicas("replica", sync=True)).streams()
        return {name: jax.random.key_data(key) for name, key in keys.items()}

    found = jax.vmap(streams, axis_name="replica")(np.arange(4))
    assert len({tuple(key) for key in np.asarray(found["dropout"])}) == 4
    assert len({tuple(key) for key in np.asarray(found["depth"])}) == 1


@pytest.mark.parametrize("parts", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_random_draws_follow_from_the_step(state, tiny, parts):
    batch = load_dataset(tiny).train_batch(0)
    step = jax.jit(train_step)
    state = state.replace(accumulate=parts)
    losses = [float(step(state.replace(step=state.step + s), batch)[1]["loss"]) for s in (0, 1, 0)]
    assert losses[0] == losses[2] != losses[1]
