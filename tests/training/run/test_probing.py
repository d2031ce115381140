import json

import jax
import numpy as np
import pytest

from resnet_jax.errors import UserError
from resnet_jax.training import config as configs
from resnet_jax.training.run import probing
from resnet_jax.training.run.loop import train
from resnet_jax.training.run.observer import Observer
from resnet_jax.training.run.session import Session

SITES = ("stage*/unit??", "*/kernel")


class StopAfter(Observer):
    def __init__(self, step):
        self.step = step

    def progress(self, step):
        if step == self.step:
            raise KeyboardInterrupt


def probe_records(folder):
    lines = map(json.loads, (folder / "metrics.jsonl").read_text().splitlines())
    return [line for line in lines if line["kind"] == "probe"]


@pytest.fixture
def probed(tiny):
    """A config with sites to probe, but no steps at which training does."""
    return configs.override(tiny, {"probe.sites": SITES})


def test_a_probed_step_makes_the_same_update(probed):
    session = Session(probed)
    plain, metrics = session.train_step(session.fresh(), session.batch(1))
    other, same, _ = session.probed_step(session.fresh(), session.batch(1))
    # Two compiled programs may round differently.
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6),
        (plain.params, metrics),
        (other.params, same),
    )


def test_update_ratios_are_those_of_what_was_added(probed):
    session = Session(probed)
    kernel = lambda state: np.array(state.params["stage1"]["unit01"]["conv2"]["kernel"])
    state = session.fresh()
    before = kernel(state)
    after, _, measured = session.probed_step(state, session.batch(1))
    table = measured.table().set_index("site")
    found = table.loc["stage1/unit01/conv2/kernel", "update_ratio"]
    expected = np.linalg.norm(kernel(after) - before) / np.linalg.norm(before)
    assert found == pytest.approx(expected, rel=1e-3)


def test_probes_before_the_first_update_agree_with_those_of_an_untrained_network(probed, tmp_path):
    config = configs.override(probed, {"probe.steps": (0,)})
    train(config, tmp_path)
    trained = probe_records(tmp_path)
    _, untrained = probing.at_start(config)
    assert [r["site"] for r in trained] == [r["site"] for r in untrained]
    assert [r["gradient_norm"] for r in trained] == pytest.approx(
        [r["gradient_norm"] for r in untrained], rel=1e-4
    )


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"devices.mapping": "pmap"}, "devices.mapping=jit"),
        ({"devices.batch_stats": "per_replica"}, "devices.batch_stats=sync"),
        ({"model.dtype": "float16"}, "float32 or bfloat16"),
        ({"train.accumulate": 2}, "train.accumulate=1"),
    ],
)
def test_what_cannot_be_measured_is_refused_before_and_when_it_is_asked_for(
    probed, settings, named
):
    config = configs.override(probed, settings)
    with pytest.raises(UserError, match=named):
        Session(configs.override(config, {"probe.every": 2}))
    session = Session(config)
    for step in (session.probed_step, session.probe_step):
        with pytest.raises(UserError, match=named):
            step(None, None)


@pytest.mark.parametrize("settings", [{}, {"model.survival_rule": "uniform"}])
def test_before_training_all_branches_are_kept(probed, settings):
    dropping = configs.override(probed, {"model.survival": 0.01} | settings)
    assert probing.at_start(dropping) == probing.at_start(probed)


def test_probes_come_when_they_are_due_and_survive_an_interruption(probed, tmp_path):
    config = configs.override(probed, {"probe.steps": (0, 1), "probe.every": 3})
    train(config, tmp_path / "whole")
    whole = probe_records(tmp_path / "whole")
    assert sorted({record["step"] for record in whole}) == [0, 1, 3]
    with pytest.raises(KeyboardInterrupt):
        train(config, tmp_path / "cut", StopAfter(4))
    train(config, tmp_path / "cut")
    assert probe_records(tmp_path / "cut") == whole


def test_a_pattern_without_a_site_is_a_clear_error(tiny, tmp_path):
    config = configs.override(tiny, {"probe.steps": (0,), "probe.sites": ("stage9/*",)})
    with pytest.raises(UserError, match="stage9"):
        train(config, tmp_path)
