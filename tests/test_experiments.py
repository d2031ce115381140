"""The experiments and configs of the project: they load, and no placeholder is left in them."""

from pathlib import Path

import pytest

from resnet_jax import lab
from resnet_jax.lab.design import grid
from resnet_jax.training import config as configs
from resnet_jax.training.config.network import build_model

ROOT = Path(__file__).parents[1]
EXPERIMENTS = sorted((ROOT / "experiments").glob("*.py"))
FAIL = 20.0  # percent: He et al. 2016 call more than that "fail"
CONFIGS = sorted((ROOT / "configs").glob("*.py"))


SCALES = [(file, scale) for file in EXPERIMENTS for scale in ("", *lab.load(file).scales)]


@pytest.mark.parametrize(("file", "scale"), SCALES, ids=[f"{f.stem} {s}" for f, s in SCALES])
def test_an_experiment_has_a_grid_of_known_networks(file, scale):
    experiment = lab.load(file)
    for run in grid.expand(experiment.at_scale(scale) if scale else experiment):
        if grid.trains(run.config):
            build_model(run.config, num_classes=10)


@pytest.mark.parametrize(("file", "scale"), SCALES, ids=[f"{f.stem} {s}" for f, s in SCALES])
def test_no_claim_contradicts_the_numbers_of_its_own_paper(file, scale):
    """A claim states what the paper found: where the paper has both numbers, they agree with it."""
    experiment = lab.load(file).at_scale(scale) if scale else lab.load(file)
    for claim in experiment.claims if experiment.paper else ():
        figures = [experiment.paper.figure(cell) for cell in claim.cells]
        if (
            claim.measure not in ("train_error", "test_error")
            or len(figures) < 2
            or None in figures
        ):
            continue
        worse, better = (FAIL if figure == "fail" else figure for figure in figures)
        if isinstance(claim, lab.claims.Greater):
            assert worse - better > claim.margin, claim.text
        else:
            assert worse - better <= claim.margin, claim.text


@pytest.mark.parametrize("file", CONFIGS, ids=lambda file: file.stem)
def test_a_config_loads_and_names_a_known_network(file):
    build_model(configs.load(file), num_classes=10)


@pytest.mark.parametrize("file", [*EXPERIMENTS, *CONFIGS, ROOT / "README.md"], ids=lambda f: f.name)
def test_no_placeholder_is_left(file):
    for word in ("TAKES", "FINDS", "REACHES", "TIMING", "TODO"):
        assert word not in file.read_text()
