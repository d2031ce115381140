import jax
import numpy as np
import pytest

from resnet_jax.data.dataset import Sampling
from resnet_jax.data.fake import fake
from resnet_jax.errors import UserError
from resnet_jax.training import config as configs
from resnet_jax.training.run.loop import train
from resnet_jax.training.run.session import Session, restore_run


def trained(session):
    state = session.fresh()
    for _, batch in session.batches(state):
        state, _ = session.train_step(state, batch)
    return state


def test_a_loop_over_a_session_ends_as_a_run_does(tiny, tmp_path):
    result = train(tiny, tmp_path)
    session = Session(tiny)
    ours, (theirs, restored) = trained(session), restore_run(tmp_path)
    jax.tree.map(np.testing.assert_array_equal, ours.params, theirs.params)
    assert session.evaluate(ours, "test")["loss"] == result.final["test_loss"]
    assert restored.evaluate(theirs, "test")["loss"] == result.final["test_loss"]
    assert list(restored.batches(theirs)) == []


def test_batches_continue_after_the_updates_of_a_state(tiny):
    session = Session(tiny)
    state, _ = session.train_step(session.fresh(), session.batch(1))
    found = list(session.batches(state))
    assert [step for step, _ in found] == [2, 3, 4, 5, 6]
    np.testing.assert_array_equal(found[0][1]["image"], session.batch(2)["image"])


def test_a_float64_session_is_used_within_its_precision(tiny):
    session = Session(configs.override(tiny, {"model.dtype": "float64"}))
    with pytest.raises(UserError, match=r"session\.precision"):
        session.fresh()
    with session.precision():
        kinds = {leaf.dtype for leaf in jax.tree.leaves(session.fresh().params)}
    assert kinds == {np.dtype("float64")}


def test_a_session_takes_a_dataset_in_place_of_the_configs(tiny):
    dataset = fake(tiny.data, Sampling(seed=0, batch_size=16, eval_batch_size=16))
    session = Session(tiny, dataset=dataset)
    np.testing.assert_array_equal(session.batch(3)["image"], dataset.train_batch(2)["image"])


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"train.steps": 0}, r"train\.steps"),
        ({"probe.steps": (6,)}, r"probe\.steps = \(6,\)"),
        ({"model.name": "resnet7"}, "resnet7"),
        ({"schedule.warmup_steps": 7}, r"schedule\.warmup_steps"),
        ({"devices.count": 99}, r"devices\.count = 99"),
    ],
)
def test_an_unusable_config_is_refused_when_a_session_is_made(tiny, settings, named):
    with pytest.raises(UserError, match=named):
        Session(configs.override(tiny, settings))
