"""The names that `resnet_jax.lab` exports."""

import subprocess
import sys

import pytest

from resnet_jax import lab


@pytest.mark.parametrize("name", lab.__all__)
def test_every_name_is_found(name):
    assert getattr(lab, name) is not None
    assert name in dir(lab)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'experimnt'"):
        _ = lab.experimnt


def test_declaring_an_experiment_and_reporting_on_it_import_no_jax():
    code = (
        "import sys\n"
        "from resnet_jax.lab import Experiment, Paper, claims, figures\n"
        "from resnet_jax.lab.reporting import report\n"
        "print([name for name in ('jax', 'flax', 'optax', 'orbax') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
