"""What may never change, whatever is moved or renamed: old results and checkpoints depend on it.

Initial values follow from parameter paths, a run's folder from the hash of its config, checkpoints
from the leaves of the state; and reports execute the experiment files of earlier runs again.
The numbers in unchanged.json are those of commit 3e93126, before the package was rearranged.
"""

import dataclasses
import hashlib
import json
from pathlib import Path

import jax
import numpy as np
import pytest
from flax import linen as nn
from flax.traverse_util import flatten_dict

from resnet_jax import lab, models
from resnet_jax.lab.design import grid
from resnet_jax.training import config as configs
from resnet_jax.training.run.checkpoints import layout
from resnet_jax.training.run.loop import train
from resnet_jax.training.run.session import restore_run

ROOT = Path(__file__).parents[1]
KNOWN = json.loads(Path(__file__).with_name("unchanged.json").read_text())

SMALL = {"stage_sizes": (1, 1), "widths": (8, 16), "num_classes": 10}
NETWORKS = {
    "resnet8": {},
    "plain14": {"widths": (4, 8, 16)},
    "preact8": {"shortcut": "C"},
    "resnet8 without norm": {"normalization": "none", "branch_scale": "fixup"},
    "resnet11-bottleneck": {"squeeze": 4, "widths": (4, 8, 16), "zero_init_residual": True},
    "resnext11-2x16d": {"widths": (16, 32, 64)},
    "wrn10-2": {"dropout": 0.3, "initializer": "orthogonal", "activation": "elu"},
    "preact8 gated": {
        "shortcut": "exclusive_gating",
        "gate_bias": -3.0,
        "normalization": "group",
        "norm_groups": 4,
    },
    "preact8 rezero": {
        "branch_scale": "rezero",
        "initializer": "delta_orthogonal",
        "normalization": "none",
        "shortcut": "scaled",
        "shortcut_scale": 0.9,
    },
    "resnet50-d": {**SMALL, "bottleneck_width": 32},
    "stochastic8": {"order": "relu_only_preactivation", "survival_rule": "uniform"},
    "tutorial-dropout": {**SMALL, "normalization": "layer"},
}
QUICK = ("resnet8", "preact8 gated", "preact8 rezero", "stochastic8")


def slow_unless(quick: bool, value: str):
    return pytest.param(value, marks=() if quick else pytest.mark.slow)


def checksum(tree) -> float:
    """A sum of a tree's numbers in which each has a weight of its own, by path and place."""
    total = 0.0
    for path, leaf in flatten_dict(tree, sep="/").items():
        phase = int(hashlib.sha256(path.encode()).hexdigest()[:6], 16)
        values = np.asarray(leaf, np.float64).ravel()
        total += float(np.sum(values * np.cos(phase + np.arange(values.size))))
    return total


def digest(words) -> str:
    return hashlib.sha256(repr(words).encode()).hexdigest()[:16]


def made(key: str) -> tuple[nn.Module, dict]:
    """A network and its initial variables."""
    model = models.create(key.partition(" ")[0], **NETWORKS[key])
    return model, models.initialize(model, jax.random.key(3), (16, 16, 3))


def _at_start(record: dict) -> bool:
    """Whether a record is of what every machine computes alike: later steps go further apart."""
    return record["kind"] == "train" or (record["kind"] == "probe" and record["step"] == 0)


def run_of(config, folder: Path) -> dict:
    """The records, the result and the final state of a short run."""
    result = train(config, folder)
    state, _ = restore_run(folder)
    records = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return {
        "losses": [record["loss"] for record in records if "loss" in record],
        "gradients": [each["gradient_norm"] for each in records if _at_start(each)],
        "final": result.final,
        "parameters": checksum(state.params),
        "layout": layout(state),
        "leaves": sorted(field.name for field in dataclasses.fields(state)),
    }


RUNS = {
    "plain": {},
    "augmented": {
        "data.mixup": 0.4,
        "data.rotate": 15.0,
        "data.cutout": 2,
        "data.rand_augment": 2,
        "optimizer.name": "lamb",
        "optimizer.clip_norm": 1.0,
        "optimizer.label_smoothing": 0.1,
        "schedule.name": "cosine",
        "train.ema_decay": 0.9,
        "train.accumulate": 2,
    },
    "probed": {"probe.steps": (0, 3), "model.name": "preact8", "optimizer.nesterov": True},
}


@pytest.mark.parametrize("key", NETWORKS)
def test_variables_have_the_same_names_and_initial_values(key):
    (_, variables), known = made(key), KNOWN["networks"][key]
    leaves = flatten_dict(variables, sep="/")
    names = [(path, leaf.shape, str(leaf.dtype)) for path, leaf in leaves.items()]
    assert digest(names) == known["names"]
    assert checksum(variables) == pytest.approx(known["values"], rel=1e-5, abs=1e-4)


@pytest.mark.parametrize("key", [slow_unless(key in QUICK, key) for key in NETWORKS])
def test_logits_are_the_same(key):
    model, variables = made(key)
    images = np.cos(np.arange(2 * 16 * 16 * 3, dtype=np.float32)).reshape(2, 16, 16, 3)
    rngs = {"dropout": jax.random.key(1), "depth": jax.random.key(2)}
    logits, _ = model.apply(variables, images, train=True, mutable=["batch_stats"], rngs=rngs)
    known = KNOWN["networks"][key]["logits"]
    assert checksum({"logits": logits}) == pytest.approx(known, rel=1e-3, abs=1e-3)


@pytest.mark.parametrize("name", [slow_unless(name == "plain", name) for name in RUNS])
def test_a_run_has_the_same_numbers_and_leaves(name, tiny, tmp_path):
    found, known = run_of(configs.override(tiny, RUNS[name]), tmp_path), KNOWN["runs"][name]
    assert (found["layout"], found["leaves"]) == (known["layout"], known["leaves"])
    for each in ("losses", "gradients"):
        assert found[each] == pytest.approx(known[each], rel=5e-3)
    assert found["final"].keys() == known["final"].keys()
    assert found["parameters"] == pytest.approx(known["parameters"], rel=1e-3, abs=1e-2)


@pytest.mark.parametrize("name", KNOWN["experiments"])
def test_runs_of_an_experiment_have_the_same_names(name):
    """Experiments may have other seeds, so those of seed 0 are compared."""
    experiment = lab.load(ROOT / "experiments" / f"{name}.py")
    names = {run.name for run in grid.expand(dataclasses.replace(experiment, seeds=(0,)))}
    assert set(KNOWN["experiments"][name]) <= names


def test_settings_and_defaults_are_the_same():
    found = configs.to_dict(configs.base())
    assert digest(json.dumps(found, sort_keys=True)) == KNOWN["config"]


def test_an_experiment_has_the_same_fields():
    found = {field.name for field in dataclasses.fields(lab.Experiment)}
    assert set(KNOWN["fields"]) <= found


@pytest.mark.parametrize("statement", KNOWN["imports"])
def test_imports_of_earlier_experiments_work(statement):
    exec(statement, {})
