"""Scaling laws on the figure of final measures."""

import dataclasses

import numpy as np
import pytest

from resnet_jax.lab.figures import Final
from resnet_jax.lab.figures.fits import POINTS
from resnet_jax.lab.results import records
from resnet_jax.lab.results.folder import Folder
from resnet_jax.lab.results.records import Records

FIGURE = Final(x="depth", lines="family", measures=("train_error",))


@pytest.fixture
def found(results: Folder) -> Records:
    """Plain errors grow as depth^2, residual ones stay 1 but for noise."""
    read = records.read(results)
    runs = read.runs
    law = 0.01 * runs["depth"] ** (2 + 0.01 * (runs["seed"] - 1))
    runs["train_error"] = law.where(
        runs["family"] == "plain", 1 + 0.1 * ((3 * runs["seed"] + runs["depth"]) % 5)
    )
    return read


def curves(figure, panel: int = 0) -> list:
    return [line for line in figure.axes[panel].lines if len(line.get_xdata()) == POINTS]


def test_the_law_that_fits_better_is_drawn_and_told(found: Records, keys):
    figure = FIGURE.draw(found)
    (curve,) = curves(figure)
    assert (curve.get_xdata()[0], curve.get_xdata()[-1]) == (20, 56)
    np.testing.assert_allclose(curve.get_ydata(), 0.01 * curve.get_xdata() ** 2, rtol=1e-3)
    assert keys(figure)[2:] == ["power law"]
    assert "Plain: power law, an exponent of 2.00" in FIGURE.caption(found)
    assert "Residual: " not in FIGURE.caption(found)


def test_neither_curve_nor_words_where_no_law_fits_better(found: Records, keys):
    runs = found.runs
    found.runs["train_error"] = runs["train_error"].where(runs["depth"] != 20, 0.0)
    figure = FIGURE.draw(found)
    assert curves(figure) == []
    assert keys(figure) == ["Plain", "Residual"]
    assert "fit" not in FIGURE.caption(found)


def test_an_axis_of_names_has_no_fit(found: Records):
    names = {20: "20 layers", 32: "32 layers", 56: "56 layers"}
    axes = {"family": ("plain", "resnet"), "depth": tuple(names.values())}
    experiment = dataclasses.replace(found.experiment, axes=axes, claims=(), figures=())
    runs = found.runs.assign(depth=found.runs["depth"].map(names))
    found = dataclasses.replace(found, experiment=experiment, runs=runs)
    assert curves(FIGURE.draw(found)) == []
    assert "fit" not in FIGURE.caption(found)
