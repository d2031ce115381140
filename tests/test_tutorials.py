"""The configs of tutorials' networks: each trains on images of every size that it is meant for."""

import pathlib

import pytest

from resnet_jax.errors import UserError
from resnet_jax.training import config as configs
from resnet_jax.training.run.loop import train

FILE = pathlib.Path(__file__).parents[1] / "configs" / "tutorials.py"
VARIANTS = (
    "one_stage",
    "unnormalized",
    "four_stages",
    "four_stages_bottleneck",
    "dropout",
    "on_the_image",
)
SYNTHETIC = {
    "data.name": "synthetic",
    "data.synthetic.num_train": 8,
    "data.synthetic.num_test": 2,
    "train.batch_size": 4,
    "train.eval_batch_size": 4,
    "train.steps": 2,
    "schedule.warmup_steps": 0,
}


def marked(variant, side):
    """One of them often, all of them now and then; on digits `tests/models` applies each."""
    often = (variant, side) == ("one_stage", 32)
    return pytest.param(variant, side, marks=pytest.mark.slow if often else pytest.mark.long)


@pytest.mark.parametrize(
    ("variant", "side"), [marked(variant, side) for variant in VARIANTS for side in (32, 224)]
)
def test_a_tutorial_s_network_trains_on_colour_images(variant, side, tmp_path):
    settings = SYNTHETIC | {"data.synthetic.shape": (side, side, 3)}
    result = train(configs.override(configs.load(FILE, variant), settings), tmp_path)
    assert (result.status, result.step) == ("done", 2)


def test_an_unknown_variant_is_answered_with_the_known_ones():
    with pytest.raises(UserError, match="did you mean 'one_stage'"):
        configs.load(FILE, "one_stag")
