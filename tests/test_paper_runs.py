"""Short runs at the papers' scales, with the real data format, loading, network and step.

The smallest network of each grid is trained for two steps. `shortened` makes what else differs from
the paper's run: durations longer than two steps and, where a step would take a CPU many seconds,
the batch size. The warm-up lasts for both steps. (If the second were at a learning rate of 0.1, the
evaluation of a ResNet-164 would overflow: it uses running statistics that two steps have hardly
changed.)
"""

import math
from pathlib import Path

import pytest

from resnet_jax import lab
from resnet_jax.data.fake import set_info
from resnet_jax.lab.design import grid
from resnet_jax.models.zoo.summary import summarize
from resnet_jax.training import config as configs
from resnet_jax.training.config.network import build_model
from resnet_jax.training.run.loop import train

EXPERIMENTS = Path(__file__).parents[1] / "experiments"
GRIDS = [
    (file.stem, scale)
    for file in sorted(EXPERIMENTS.glob("*.py"))
    for scale in lab.load(file).scales
    if scale != "tuned"  # on digits
]

STEPS = 2
BATCH_WORK = 6e9  # multiply-adds of a batch: the paper's 128 images of ResNet-20


def marked(name, scale):
    """Marks one experiment as slow, which CI runs, and the others as long."""
    mark = pytest.mark.slow if name == "he2015_depth" else pytest.mark.long
    return pytest.param(name, scale, marks=mark, id=f"{name} {scale}")


def work(run):
    """Multiply-adds of a run's network for one image."""
    data = set_info(run.config.data)
    return summarize(build_model(run.config, data.num_classes), data.image_shape).multiply_adds


def smallest(name, scale):
    """The run of the first seed whose network has the fewest multiply-adds."""
    runs = grid.expand(lab.load(EXPERIMENTS / f"{name}.py").at_scale(scale))
    depths = ("1001", "1202")  # never the smallest, and slow to count
    return min(
        (run for run in runs if run.seed == 0 and not run.config.model.name.endswith(depths)),
        key=work,
    )


def shortened(run, data_dir):
    """A run's config with two steps and a batch that a CPU trains on in seconds."""
    config = run.config
    batch = min(config.train.batch_size, max(4, int(BATCH_WORK / work(run))))
    settings = {
        "data.data_dir": str(data_dir),
        "data.workers": min(config.data.workers, 2),
        "train.steps": STEPS,
        "train.epochs": 0.0,
        "train.batch_size": batch,
        "train.eval_batch_size": min(config.train.eval_batch_size, batch),
        "schedule.warmup_steps": min(config.schedule.warmup_steps, STEPS),
        "probe.steps": (STEPS - 1,) if config.probe.steps else (),
    }
    if config.data.train_split == "train[:45000]":  # of 50,000, which the made set has not
        settings["data.train_split"] = "train[:90%]"
    return configs.override(config, settings)


@pytest.mark.parametrize(("name", "scale"), [marked(*each) for each in GRIDS])
def test_a_run_of_the_smallest_network_begins_and_ends(name, scale, papers_sets, tmp_path):
    config = shortened(smallest(name, scale), papers_sets)
    result = train(config, tmp_path)
    assert result.status == "done", result.message
    assert result.step == STEPS
    errors = {key: value for key, value in result.final.items() if "error" in key}
    assert set(errors) >= {"train_error", "test_error"}
    assert all(0 <= error <= 100 for error in errors.values())
    assert all(map(math.isfinite, result.final.values()))
