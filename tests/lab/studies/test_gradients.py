"""The experiment behind `resnet-jax gradients`, and figures of measurements."""

import math
import re

import numpy as np
import pytest
from made_variables import made_variables

from resnet_jax import lab, probes
from resnet_jax.errors import UserError
from resnet_jax.lab.reporting import report
from resnet_jax.lab.running import engine
from resnet_jax.lab.studies import gradients

OWN = """
from flax import linen as nn

class Net(nn.Module):
    scale: float

    @nn.compact
    def __call__(self, images, *, train=False):
        x = images.reshape(len(images), -1)[:, :4]
        for layer in range(3):
            x = self.scale * nn.Dense(4, name=f"unit{layer}")(x)
        return nn.Dense(10, name="head")(x)

wide = Net(1.0)
"""


@pytest.mark.parametrize(
    ("networks", "steps", "words"),
    [
        (("stochastic8", "plain8"), (0,), "stochastic depth are measured with all branches"),
        (("stochastic8",), (0, 1), "a dropped branch is zero"),
        (("plain8", "own.py:wide"), (0,), "on their first batch."),
    ],
)
def test_the_setup_says_how_stochastic_depth_is_measured(networks, steps, words):
    setup = gradients.compare(networks, steps=steps).setup
    assert words in setup
    assert ("stochastic depth" in setup) == ("stochastic8" in networks)


def test_networks_of_the_zoo_and_user_defined_ones_are_compared(made, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.py").write_text(OWN)
    file = gradients.write(
        tmp_path, ["own.py:wide", "plain8"], seeds=1, data="synthetic", steps=(0,)
    )
    experiment = lab.load(file)
    engine.run(experiment, tmp_path, "resnet-jax gradients")
    built = report.build(file.parent)
    assert built.complete
    assert [finding.partition(",")[0] for finding in built.findings] == [
        "At initialization:",
        "In own.py:wide",
        "In plain8",
    ]
    run = built.records.runs.query("network == 'plain8'").iloc[0]
    metrics = built.records.metrics.query("run == @run.run and of == 'unit'")
    norms = metrics["gradient_norm"].tolist()
    assert run["decades_0"] == pytest.approx(math.log10(norms[0] / norms[-1]))
    assert re.search("profile_0", " ".join(map(str, file.parent.glob("figures/*.svg"))))


def test_tables_of_measurements_are_drawn():
    defined: dict = {}
    exec(OWN, defined)
    model, images = defined["wide"], np.random.default_rng(0).standard_normal((4, 2, 2), np.float32)
    variables = made_variables(model, (2, 2))
    table = probes.measure(model, variables, images, np.arange(4), sites="unit?").table()
    (panel,) = gradients.draw({"own": table, "twice": [table, table]}).axes
    norms = table.query("kind == 'unit'")["gradient_norm"]
    lines = {line.get_label(): line.get_ydata() for line in panel.lines}
    assert len(norms) == 3
    assert lines["Own"] == pytest.approx(norms.to_numpy())
    assert lines["Twice"] == pytest.approx(norms.to_numpy())
    with pytest.raises(UserError, match="nothing to draw"):
        gradients.draw({})
