import json

import jax
import numpy as np
import pytest

from resnet_jax.errors import UserError
from resnet_jax.training import config as configs
from resnet_jax.training.run import probing
from resnet_jax.training.run.loop import train
from resnet_jax.training.run.observer import Observer
from resnet_jax.training.run.session import load_dataset
from resnet_jax.training.step import state as states
from resnet_jax.training.step.step import probed_step, train_step

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


def test_a_probed_step_makes_the_same_update(tiny):
    dataset = load_dataset(tiny)
    state, batch = states.create(tiny, dataset), dataset.train_batch(0)
    plain, metrics = jax.jit(train_step)(state, batch)
    probed, same, _ = jax.jit(probed_step, static_argnames="sites")(state, batch, SITES)
    # Two compiled programs may round differently, and nothing else.
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6),
        (plain.params, metrics),
        (probed.params, same),
    )


def test_update_ratios_are_those_of_what_was_added(tiny):
    dataset = load_dataset(tiny)
    state, batch = states.create(tiny, dataset), dataset.train_batch(0)
    after, _, measured = probed_step(state, batch, SITES)
    before, now = (
        tree["stage1"]["unit01"]["conv2"]["kernel"] for tree in (state.params, after.params)
    )
    table = measured.table().set_index("site")
    found = table.loc["stage1/unit01/conv2/kernel", "update_ratio"]
    expected = np.linalg.norm(now - before) / np.linalg.norm(before)
    assert found == pytest.approx(expected, rel=1e-3)


def test_the_start_of_training_and_a_measurement_without_it_agree(tiny, tmp_path):
    config = configs.override(tiny, {"probe.steps": (0,), "probe.sites": SITES})
    train(config, tmp_path)
    trained = probe_records(tmp_path)
    _, untrained = probing.at_start(config)
    assert [r["site"] for r in trained] == [r["site"] for r in untrained]
    assert [r["gradient_norm"] for r in trained] == pytest.approx(
        [r["gradient_norm"] for r in untrained], rel=1e-4
    )


@pytest.mark.parametrize("settings", [{}, {"model.survival_rule": "uniform"}])
def test_before_training_all_branches_are_taken(tiny, settings):
    certain = configs.override(tiny, {"probe.sites": SITES})
    drawn = configs.override(certain, {"model.survival": 0.01} | settings)
    assert probing.at_start(drawn) == probing.at_start(certain)


def test_probes_come_when_they_are_due_and_survive_a_cut(tiny, tmp_path):
    settings = {"probe.steps": (0, 1), "probe.every": 3, "probe.sites": SITES}
    config = configs.override(tiny, settings)
    train(config, tmp_path / "whole")
    whole = probe_records(tmp_path / "whole")
    assert sorted({record["step"] for record in whole}) == [0, 1, 3]
    with pytest.raises(KeyboardInterrupt):
        train(config, tmp_path / "cut", StopAfter(4))
    train(config, tmp_path / "cut")
    assert probe_records(tmp_path / "cut") == whole


def test_a_pattern_that_no_site_matches_is_a_clear_error(tiny, tmp_path):
    config = configs.override(tiny, {"probe.steps": (0,), "probe.sites": ("stage9/*",)})
    with pytest.raises(UserError, match="stage9"):
        train(config, tmp_path)
