"""The experiments and configs that come with the project load, and are finished."""

from pathlib import Path

import pytest

from resnet_jax import lab
from resnet_jax.lab import grid
from resnet_jax.training import config as configs
from resnet_jax.training.state import build_model

ROOT = Path(__file__).parents[1]
EXPERIMENTS = sorted((ROOT / "experiments").glob("*.py"))
CONFIGS = sorted((ROOT / "configs").glob("*.py"))


SCALES = [(file, scale) for file in EXPERIMENTS for scale in ("", *lab.load(file).scales)]


@pytest.mark.parametrize(("file", "scale"), SCALES, ids=[f"{f.stem} {s}" for f, s in SCALES])
def test_an_experiment_makes_a_grid_of_networks_that_exist(file, scale):
    experiment = lab.load(file)
    for run in grid.expand(experiment.at_scale(scale) if scale else experiment):
        if grid.trains(run.config):
            build_model(run.config, num_classes=10)


@pytest.mark.parametrize("file", CONFIGS, ids=lambda file: file.stem)
def test_a_config_loads_and_names_a_network_that_exists(file):
    build_model(configs.load(file), num_classes=10)


@pytest.mark.parametrize("file", [*EXPERIMENTS, *CONFIGS, ROOT / "README.md"], ids=lambda f: f.name)
def test_no_place_was_left_to_fill_in(file):
    for word in ("TAKES", "FINDS", "REACHES", "TIMING", "TODO"):
        assert word not in file.read_text()
