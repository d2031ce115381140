"""From an experiment to its runs."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from resnet_jax.errors import UserError
from resnet_jax.lab import Experiment, expand, load
from resnet_jax.training import config as configs

BASE = """
from resnet_jax.training import config

def get_config(depth="20"):
    tree = config.base()
    tree.model.name = f"resnet{depth}"
    tree.train.steps = 100
    return tree
"""


@pytest.fixture
def experiment(experiment_file: Path) -> Experiment:
    # Two folders above the experiment's, where it is looked for last.
    base = experiment_file.parents[1] / "configs" / "digits.py"
    base.parent.mkdir()
    base.write_text(BASE)
    return load(experiment_file)


def test_each_cell_is_run_with_each_seed(experiment: Experiment):
    runs = expand(experiment)
    assert [(*run.axes.values(), run.seed) for run in runs] == [
        (family, depth, seed)
        for family in ("plain", "resnet")
        for depth in (20, 32, 56)
        for seed in (0, 1, 2)
    ]
    for run in runs:
        assert run.config.model.name == f"{run.axes['family']}{run.axes['depth']}"
        assert (run.config.seed, run.config.train.steps) == (run.seed, 300)


def test_twins_differ_in_nothing_but_their_axes(experiment: Experiment):
    runs = {(*run.axes.values(), run.seed): run.config for run in expand(experiment)}
    assert configs.differences(runs["plain", 20, 1], runs["resnet", 20, 1]) == [
        "model.name: 'plain20' -> 'resnet20'"
    ]


def test_a_run_is_named_by_the_hash_of_its_full_config(experiment: Experiment):
    run = expand(experiment)[4]
    text = json.dumps(json.loads(run.config.to_json()), sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(text.encode()).hexdigest()
    assert run.name == f"plain32-seed1-{digest[:10]}"


def test_a_changed_setting_makes_another_run(experiment: Experiment):
    before = {run.name for run in expand(experiment)}
    assert before == {run.name for run in expand(experiment)}
    after = {run.name for run in expand(replace(experiment, settings={"train.steps": 301}))}
    assert not before & after


def test_a_new_seed_or_value_leaves_the_names_of_the_others(experiment: Experiment):
    before = {run.name for run in expand(experiment)}
    axes = {**experiment.axes, "depth": (20, 32, 44, 56)}
    after = {run.name for run in expand(replace(experiment, seeds=(0, 1, 2, 3), axes=axes))}
    assert before < after


def test_axes_named_by_config_keys_need_no_configure(experiment_file: Path, experiment):
    plain = Experiment(
        question="?",
        base="configs/digits.py",
        axes={"optimizer.learning_rate": (0.1, 0.01)},
        seeds=(7,),
        file=experiment_file,
    )
    assert [run.config.optimizer.learning_rate for run in expand(plain)] == [0.1, 0.01]


def test_a_variant_of_the_base_stands_after_a_colon(experiment: Experiment):
    one = replace(
        experiment,
        base="configs/digits.py:44",
        configure=lambda family, depth: {},
        axes={"family": ("plain",), "depth": (20,)},
        figures=(),
        claims=(),
    )
    assert expand(one)[0].config.model.name == "resnet44"


def test_a_cell_is_left_out_by_none(experiment: Experiment):
    def configure(family, depth):
        return None if (family, depth) == ("resnet", 32) else {"model.name": f"{family}{depth}"}

    runs = expand(replace(experiment, configure=configure))
    assert len(runs) == 15
    assert {"family": "resnet", "depth": 32} not in [run.axes for run in runs]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"base": "configs/digit.py"}, r"base 'configs/digit.py': no such file"),
        ({"settings": {"train.step": 3}}, r"'train\.step': did you mean 'train\.steps'"),
        ({"settings": {"train.steps": "many"}}, r"train\.steps = 'many'"),
        ({"settings": {"optimizer.name": "sdg"}}, r"optimizer\.name = 'sdg'"),
        ({"configure": lambda family: {}}, r"configure failed for family='plain', depth=20"),
        ({"configure": lambda family, depth: {"seed": 1}}, r"sets 'seed' .*under `seeds`"),
        (
            {"configure": lambda family, depth: {"model.name": f"resnet{depth}"}},
            r"family='plain', depth=20 and family='resnet', depth=20 have the same config",
        ),
    ],
)
def test_what_cannot_be_expanded_is_one_clear_line(experiment: Experiment, fields, message):
    with pytest.raises(UserError, match=message) as caught:
        expand(replace(experiment, **fields))
    assert str(caught.value).startswith(f"{experiment.file}: ")
    assert str(caught.value).count(str(experiment.file)) == 1
    assert "\n" not in str(caught.value)
