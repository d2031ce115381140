"""The plan of an experiment's folder."""

from pathlib import Path

import pytest

from resnet_jax.errors import UserError
from resnet_jax.lab.results.folder import Folder, read_experiment, read_plan


def test_the_plan_holds_every_run_of_the_grid(results: Folder):
    plan = read_plan(results)
    assert (plan.name, plan.command) == (
        "degradation",
        "resnet-jax run experiments/degradation.py",
    )
    assert plan.source.endswith("experiments/degradation.py")
    assert len(plan.runs) == 18
    assert (plan.runs[4].axes, plan.runs[4].seed) == ({"family": "plain", "depth": 32}, 1)


def test_the_experiment_is_read_from_its_copy(results: Folder, experiment_file: Path):
    experiment_file.unlink()
    assert read_experiment(results).name == "degradation"


def test_a_folder_without_results_says_what_makes_them(tmp_path: Path):
    with pytest.raises(UserError, match=r"holds no results .*`resnet-jax run"):
        read_plan(Folder(tmp_path))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"name": 1, "runs": [{}]}'])
def test_a_corrupt_plan_is_refused(tmp_path: Path, text: str):
    (tmp_path / "experiment.json").write_text(text)
    with pytest.raises(UserError, match="is not the plan of an experiment"):
        read_plan(Folder(tmp_path))
