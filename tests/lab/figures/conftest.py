"""Records of probes with known values, and how to read a figure back."""

import itertools
import json
import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from resnet_jax.lab.design.experiment import Experiment
from resnet_jax.lab.figures import base
from resnet_jax.lab.results.records import Records

SEEDS = (0, 1, 2)
GROWTH = 1.2  # of a plain net's norm, for each unit towards the input

Row = dict[str, Any]


@pytest.fixture(autouse=True)
def coarse(monkeypatch):
    """PNG files of fewer pixels, which take most of the time."""
    monkeypatch.setattr(base, "DOTS_PER_INCH", 30)


def _unit(i: int, units: int, value: float, step: int = 0) -> Row:
    stage, place = divmod(i - 1, units // 3)
    return {
        "kind": "probe",
        "step": step,
        "of": "unit",
        "site": f"stage{stage + 1}/unit{place + 1:02d}",
        "stage": stage + 1,
        "unit": place + 1,
        "layer": "",
        "depth": i,
        "gradient_norm": value,
    }


@pytest.fixture
def unit() -> Callable[..., Row]:
    """A record of the i-th unit of a network of three stages."""
    return _unit


def _norm(family: str, units: int, i: int) -> float:
    return GROWTH ** (units - i) if family == "plain" else math.sqrt(units / i)


@pytest.fixture
def norm() -> Callable[..., float]:
    """An exponential for plain networks, a power law for residual ones; 1 at the last unit."""
    return _norm


def _at_start(family: str, depth: int, seed: int) -> list[Row]:
    units = (depth - 2) // 2
    factor = 2.0 ** (seed - 1)  # the geometric mean of three seeds is 1
    return [_unit(i, units, factor * _norm(family, units, i)) for i in range(1, units + 1)]


@pytest.fixture
def at_start() -> Callable[..., list[Row]]:
    """Records of a network's units at initialization."""
    return _at_start


def _made(
    rows: Callable[..., Iterable[Row]],
    seeds: Iterable[int] = SEEDS,
    status: Callable[..., str] = lambda **_: "done",
    figures: tuple = (),
    **axes: tuple,
) -> Records:
    experiment = Experiment(
        question="?",
        base="configs/digits.py",
        axes=axes,
        seeds=tuple(seeds),
        labels={"resnet": "residual", "depth": "layers"},
        figures=figures,
    )
    runs, metrics = [], []
    for values in itertools.product(*axes.values()):
        cell = dict(zip(axes, values, strict=True))
        for seed in seeds:
            run = "-".join(map(str, (*values, seed)))
            ended = status(**cell, seed=seed)
            runs.append({"run": run, **cell, "seed": seed, "status": ended})
            for row in rows(**cell, seed=seed) if ended != "missing" else ():
                metrics.append({"run": run, "split": np.nan, **json.loads(json.dumps(row))})
    columns = ["run", "kind", "split", "step"]
    table = pd.DataFrame(metrics) if metrics else pd.DataFrame(columns=columns)
    return Records(experiment, pd.DataFrame(runs), table, {}, 0)


@pytest.fixture
def made() -> Callable[..., Records]:
    """Makes the records of a full grid, without files; a record is JSON on its way, as a run's."""
    return _made


@pytest.fixture
def grid() -> Records:
    """Plain and residual networks of three depths at initialization."""
    return _made(_at_start, family=("plain", "resnet"), depth=(8, 20, 56))


def _responses(family: str, depth: int, seed: int) -> Iterable[Row]:
    for layer in range(depth - 1):
        value = (1.0 if family == "plain" else 0.4) + 0.1 * (layer * 7 % 5) + 0.01 * (seed - 1)
        yield {
            "kind": "probe",
            "step": 300,
            "of": "activation",
            "site": f"stage1/unit{(layer + 1) // 2:02d}/norm{1 + layer % 2}",
            "stage": 1,
            "unit": (layer + 1) // 2,
            "layer": f"norm{1 + layer % 2}",
            "depth": layer,
            "signal_std": value,
        }


@pytest.fixture
def responses() -> Callable[..., Iterable[Row]]:
    """Responses that go up and down with the layer, and by seed by a hundredth."""
    return _responses


@pytest.fixture
def lines() -> Callable[..., dict[str, Any]]:
    """Returns the lines of a panel that have a label."""

    def _lines(figure: Figure, panel: int = 0) -> dict[str, Any]:
        drawn = figure.axes[panel].lines
        return {x.get_label(): x for x in drawn if not x.get_label().startswith("_")}

    return _lines


@pytest.fixture
def at_edge() -> Callable[..., list[float]]:
    """Returns the horizontal places of the marks at the edges of a panel."""

    def _at_edge(figure: Figure, marker: str, panel: int = 0) -> list[float]:
        axes = figure.axes[panel]
        marks = [
            x
            for x in axes.lines
            if x.get_marker() == marker and x.get_transform() != axes.transData
        ]
        return [float(x) for line in marks for x in line.get_xdata()]

    return _at_edge


@pytest.fixture
def keys() -> Callable[[Figure], list[str]]:
    """Returns the texts of a figure's legends."""
    return lambda figure: [text.get_text() for x in figure.legends for text in x.get_texts()]
