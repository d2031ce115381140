"""Heat maps: colors by site and step, and what is marked on them."""

import math

import matplotlib
import numpy as np
import pytest
from matplotlib.collections import PolyCollection, QuadMesh
from matplotlib.figure import Figure

from resnet_jax.lab.figures import HeatMap
from resnet_jax.lab.results.records import Records

GROWTH = 1.2  # as in conftest.py
PROBES = (0, 1, 10, 100)


@pytest.fixture
def trained(made, unit, norm) -> Records:
    """Norms of 10^-step/50 times those at the start, which are zero in the residual network."""

    def rows(family, seed):
        for step in PROBES:
            for i in range(1, 10):
                zero = family == "resnet" and step == 0
                value = 2.0 ** (seed - 1) * norm("plain", 9, i) * 10 ** (-step / 50)
                yield unit(i, 9, 0.0 if zero else value, step)
        for step in range(10, 101, 10):
            rate = 0.1 if step <= 50 else 0.01
            yield {"kind": "train", "step": step, "learning_rate": rate, "loss": 1.0}

    return made(rows, family=("plain", "resnet"))


def meshes(figure: Figure) -> list[QuadMesh]:
    return [x for axes in figure.axes[:2] for x in axes.collections if isinstance(x, QuadMesh)]


@pytest.mark.parametrize("steps", ["linear", "log"])
def test_a_heat_map_has_a_color_for_each_unit_and_probe(steps, trained, norm):
    figure = HeatMap(panels="family", steps=steps).draw(trained)
    plain, residual = meshes(figure)
    expected = [[norm("plain", 9, i) * 10 ** (-step / 50) for step in PROBES] for i in range(1, 10)]
    np.testing.assert_allclose(plain.get_array(), expected)
    assert residual.get_array()[:, 0].mask.all()
    assert plain.norm is residual.norm
    np.testing.assert_allclose((plain.norm.vmin, plain.norm.vmax), (0.01, GROWTH**8))
    assert figure.axes[-1].get_ylabel() == "Gradient norm\n(nats per unit of weight)"


def test_heat_map_cells_extend_halfway_to_their_neighbors(trained):
    figure = HeatMap(where={"family": "plain"}).draw(trained)
    corners = meshes(figure)[0].get_coordinates()
    np.testing.assert_allclose(corners[0, :, 0], [-0.5, 0.5, 5.5, 55, 145])
    np.testing.assert_allclose(corners[:, 0, 1], np.arange(0.5, 10))


def test_zeros_are_hatched_and_drops_of_the_learning_rate_marked(trained, keys):
    heat_map = HeatMap(panels="family")
    figure, caption = heat_map.draw(trained), heat_map.caption(trained)
    hatched = [x for x in figure.axes[1].collections if isinstance(x, PolyCollection)]
    (zeros,) = [x for x in hatched if x.get_hatch()]
    assert len(zeros.get_paths()) == 9
    assert all(path.vertices[:, 0].max() <= 0.5 for path in zeros.get_paths())
    assert "exactly zero" in keys(figure)
    assert "exactly zero in at least one seed (9 cells)" in caption
    assert "other seeds" not in caption
    assert {x for line in figure.axes[0].lines for x in line.get_xdata() if x > 1} == {50}
    assert "drops to 0.01 at step 50" in caption


def test_cosine_schedule_has_no_drops(made, unit):
    def smooth(seed):
        yield from (unit(i, 3, 1.0, step) for step in (0, 100) for i in (1, 2, 3))
        for step in range(10, 101, 10):
            rate = 0.05 * (1 + math.cos(math.pi * step / 100))
            yield {"kind": "train", "step": step, "learning_rate": rate}

    assert "drops" not in HeatMap().caption(made(smooth))


def test_the_colors_of_a_heat_map_rise_in_gray(trained):
    mesh = meshes(HeatMap(where={"family": "plain"}).draw(trained))[0]
    mapped = matplotlib.colormaps[mesh.cmap.name]
    gray = mapped(np.linspace(0, 1, 64))[:, :3] @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(gray) > 0).all()
