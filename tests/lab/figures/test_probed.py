"""What all figures of probes have in common: files, captions and legends when runs are missing."""

import re

import pytest

from resnet_jax.lab.analysis.growth import Selection
from resnet_jax.lab.figures import HeatMap, Profile, Ratio, Responses, draw_all

ALL = (
    Profile(panels="family", lines="depth", selection=Selection()),
    Ratio(lines="family"),
    HeatMap(panels="family", where={"depth": 20}),
    Responses(lines="depth", families="family"),
)


@pytest.fixture
def everything(unit, norm, responses):
    """Records for all figures."""

    def rows(family, depth, seed):
        units = (depth - 2) // 2
        for step in (0, 300):
            yield from (unit(i, units, norm(family, units, i), step) for i in range(1, units + 1))
        yield from responses(family, depth, seed)

    return rows


@pytest.mark.filterwarnings("error::UserWarning", "error::RuntimeWarning")
@pytest.mark.parametrize("status", ["missing", pytest.param("failed", marks=pytest.mark.slow)])
def test_figures_without_runs_are_drawn(status, made, everything, tmp_path):
    ended = lambda **_: status
    found = made(everything, status=ended, figures=ALL, family=("plain", "resnet"), depth=(8, 20))
    assert len(draw_all(found, tmp_path)) == 4
    for figure in ALL:
        assert re.search(r"(12 of 12|6 of 6) runs .* not shown\.", figure.caption(found))


@pytest.mark.slow
@pytest.mark.filterwarnings("error::UserWarning", "error::RuntimeWarning")
def test_files_are_reproducible_and_contain_text(made, everything, tmp_path):
    profile, _, heat_map, _ = ALL
    figures = (profile, heat_map)
    found = made(everything, figures=figures, family=("plain", "resnet"), depth=(8, 20))
    first = {name: svg.read_bytes() for name, svg in draw_all(found, tmp_path).items()}
    again = {name: svg.read_bytes() for name, svg in draw_all(found, tmp_path).items()}
    assert first == again
    assert re.search(rb"<text[^>]*>Training step</text>", first["heat_map"])
    assert re.search(rb"\(nats per unit of weight\)</(text|tspan)>", first["profile"])


def test_captions_count_probed_seeds_and_legends_omit_empty_lines(made, everything, keys):
    def status(family, depth, seed):
        lost = family == "plain" or depth == 8 or (depth, seed) == (20, 0)
        return "missing" if lost else "done"

    found = made(everything, status=status, family=("plain", "resnet"), depth=(8, 20, 56))
    responses = Responses(families="family", lines="depth")
    for drawing, words in (
        (Profile(panels="family", lines="depth"), "geometric mean of 2 to 3 seeds"),
        (HeatMap(panels="depth", where={"family": "resnet"}), "geometric mean of 2 to 3 seeds"),
        (Ratio(lines="family"), "2 to 3 seeds"),
        (responses, "mean of 2 to 3 seeds"),
    ):
        assert words in drawing.caption(found)
    assert keys(Ratio(lines="family", fits=False).draw(found)) == ["Residual"]
    assert keys(responses.draw(found)) == ["20", "56", "Residual"]
