"""Scales: the same question with other datasets, networks and durations."""

import doctest
from pathlib import Path

import pytest

from resnet_jax import lab
from resnet_jax.errors import UserError
from resnet_jax.lab.design import experiment as experiments
from resnet_jax.lab.design import grid
from resnet_jax.lab.results.folder import Folder, read_experiment, read_plan, write_plan

BASE = """
from resnet_jax.training import config

def get_config():
    base = config.base()
    base.train.steps = {steps}
    return base
"""

EXPERIMENT = """
from resnet_jax.lab import Experiment, claims

def degrades(deep, shallow):
    return claims.Greater("Deeper is worse", "train_error", {"depth": deep}, {"depth": shallow})

experiment = Experiment(
    question="Does depth hurt?",
    scale="digits",
    base="configs/small.py",
    axes={"depth": (8, 14)},
    configure=lambda depth: {"model.name": f"plain{depth}"},
    claims=(degrades(14, 8),),
    scales={
        "paper": {
            "base": "configs/large.py",
            "axes": {"depth": (20, 56)},
            "seeds": (0, 1, 2, 3, 4),
            "claims": (degrades(56, 20),),
        },
    },
)
"""


@pytest.fixture
def experiment(tmp_path: Path) -> lab.Experiment:
    for name, steps in {"small": 300, "large": 64_000}.items():
        (tmp_path / "configs").mkdir(exist_ok=True)
        (tmp_path / "configs" / f"{name}.py").write_text(BASE.format(steps=steps))
    (tmp_path / "depth.py").write_text(EXPERIMENT)
    return lab.load(tmp_path / "depth.py")


def test_as_written_it_is_its_own_default_scale(experiment):
    assert (experiment.scale, experiment.as_written) == ("digits", True)
    assert experiment.at_scale("digits") is experiment
    assert experiment.results_name == "depth"


def test_another_scale_replaces_what_it_names_and_keeps_the_rest(experiment):
    paper = experiment.at_scale("paper")
    assert (paper.scale, paper.results_name, paper.name) == ("paper", "depth-paper", "depth")
    assert paper.seeds == (0, 1, 2, 3, 4)
    assert paper.question == experiment.question
    runs = grid.expand(paper)
    assert {run.config.model.name for run in runs} == {"plain20", "plain56"}
    assert {run.config.train.steps for run in runs} == {64_000}
    assert len(runs) == 10


def test_an_unknown_scale_suggests_the_closest_or_lists_all(experiment):
    with pytest.raises(UserError, match=r"no scale 'papr'; did you mean 'paper'\?"):
        experiment.at_scale("papr")
    with pytest.raises(UserError, match="the experiment depth has no scale 'x'; known: digits, p"):
        experiment.at_scale("x")
    with pytest.raises(UserError, match="no scale 'digits'; known: paper"):
        experiment.at_scale("paper").at_scale("digits")


@pytest.mark.parametrize(
    ("scales", "message"),
    [
        ({"paper": {"axis": {}}}, "scale 'paper': no field 'axis'; did you mean 'axes'"),
        ({"paper": {"name": "other"}}, "scale 'paper': 'name'"),
        ({"paper": {"seeds": ()}}, "scale 'paper': seeds: "),
        ({"default": {}}, "scale 'default': "),
        ({"a/b": {}}, "scale 'a/b': use letters"),
        ({"paper": {"axes": {"depth": ()}}}, "scale 'paper': axis 'depth'"),
    ],
)
def test_every_scale_is_checked_when_the_experiment_is_made(scales, message):
    with pytest.raises(UserError) as caught:
        lab.Experiment(question="?", base="b.py", axes={"depth": (8,)}, scales=scales)
    assert message in str(caught.value)


def test_the_claims_of_a_scale_are_checked_against_its_own_grid(tmp_path):
    (tmp_path / "depth.py").write_text(EXPERIMENT.replace("degrades(56, 20)", "degrades(14, 8)"))
    with pytest.raises(
        UserError, match=r"scale 'paper': claim .*depth=14 is not one of \(20, 56\)"
    ):
        lab.load(tmp_path / "depth.py")


def test_the_scale_of_the_copied_file_is_that_of_the_plan(experiment, tmp_path):
    paper = experiment.at_scale("paper")
    folder = Folder(tmp_path / "results" / paper.results_name)
    write_plan(folder, paper, grid.expand(paper), "resnet-jax run depth.py --scale paper")
    experiment.file.unlink()
    assert read_plan(folder).scale == "paper"
    assert read_experiment(folder).axes == {"depth": (20, 56)}
    assert read_experiment(folder).results_name == "depth-paper"


def test_a_plan_without_a_scale_is_read_as_written(experiment, tmp_path):
    folder = Folder(tmp_path / "results" / experiment.results_name)
    write_plan(folder, experiment, grid.expand(experiment), "resnet-jax run depth.py")
    folder.plan.write_text(folder.plan.read_text().replace(',\n "scale": "digits"', ""))
    assert read_plan(folder).scale == ""
    assert read_experiment(folder).as_written


def test_the_default_scale_is_not_named_after_a_dataset(tmp_path):
    experiment = lab.Experiment(question="?", base="b.py")
    assert experiment.scale == "default"
    assert experiment.at_scale("default") is experiment
    assert lab.gradients.compare(("plain8",), data="synthetic").scale == "synthetic"


def test_a_plan_whose_default_scale_is_named_digits_is_read(experiment, tmp_path):
    folder = Folder(tmp_path / "results" / experiment.results_name)
    write_plan(folder, experiment, grid.expand(experiment), "resnet-jax run depth.py")
    file = folder.experiment
    file.write_text(file.read_text().replace('scale="digits"', 'scale="small"'))
    assert read_plan(folder).scale == "digits"
    assert read_experiment(folder).as_written


def test_its_examples_hold():
    ran = doctest.testmod(experiments)
    assert ran.failed == 0
    assert ran.attempted > 0
