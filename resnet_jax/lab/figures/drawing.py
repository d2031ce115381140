"""Draws the figures of an experiment into files."""

from pathlib import Path

from matplotlib import rc_context

from resnet_jax.lab.design.protocols import Figure
from resnet_jax.lab.figures.style import DOTS_PER_INCH, STYLE
from resnet_jax.lab.results.records import Records


def draw_all(records: Records, folder: Path) -> dict[str, Path]:
    """Draws the figures of an experiment and saves each as PNG and SVG.

    Args:
      records: what the runs left behind.
      folder: where the files go; made if need be.

    Returns:
      The SVG file of each figure, by the figure's name. The same records give the same bytes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    return {each.name: _save(each, records, folder) for each in records.experiment.figures}


def _save(drawing: Figure, records: Records, folder: Path) -> Path:
    # The salt names the elements of the SVG: random by default, and shared by all figures if fixed.
    with rc_context({**STYLE, "svg.hashsalt": drawing.name}):
        figure = drawing.draw(records)
        figure.savefig(folder / f"{drawing.name}.png", dpi=DOTS_PER_INCH)
        svg = folder / f"{drawing.name}.svg"
        figure.savefig(svg, metadata={"Date": None})
    return svg
