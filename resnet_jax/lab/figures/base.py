"""What all figures have in common, and how they are saved."""

import io
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from matplotlib import rc_context
from matplotlib.figure import Figure

from resnet_jax.lab.design import protocols
from resnet_jax.lab.design.protocols import Cell
from resnet_jax.lab.figures import interactive
from resnet_jax.lab.figures.style import DOTS_PER_INCH, NARROW, STYLE, WIDE, Format
from resnet_jax.lab.results.records import Records


@dataclass(frozen=True, kw_only=True)
class Drawing(ABC):
    """Base of the figures that an experiment can declare (see `protocols.Figure`).

    Attributes:
      where: a value for each axis of the grid that the figure does not vary.
      says: what the reader is to see; the caption begins with it.
      name: the name of the files, without suffix.
    """

    where: Cell = field(default_factory=dict)
    says: str = ""
    name: str = ""

    varies: ClassVar[tuple[str, ...]]  # the fields that name axes, in the order of nesting

    @property
    def axes(self) -> tuple[str, ...]:
        """The axes of the grid that the figure varies or fixes."""
        return *filter(None, self._varied), *self.where

    @property
    def _varied(self) -> list[str]:
        return [getattr(self, each) for each in self.varies]

    def caption(self, records: Records) -> str:
        """What the figure shows, what its marks mean, and which runs it does not show."""
        return " ".join(filter(None, [self.says, *self.sentences(records)]))

    @abstractmethod
    def sentences(self, records: Records) -> list[str]:
        """The sentences of the caption that follow `says`; empty ones are dropped."""

    @abstractmethod
    def draw(self, records: Records, form: Format = WIDE) -> Figure:
        """Draws the figure.

        Args:
          records: the experiment's records.
          form: its width, and how many panels are side by side.
        """


def draw_all(records: Records, folder: Path) -> dict[str, Path]:
    """Draws the figures of an experiment and saves each as PNG and SVG.

    Each also gets a second SVG (`narrow`) with its panels below each other, for narrow pages. The
    SVG files have attributes with the values, seeds and runs of their marks (see `interactive`).

    Args:
      records: the experiment's records.
      folder: where to save them; created if necessary.

    Returns:
      The SVG file of each figure, by the figure's name. The same records give the same bytes.
    """
    files = {}
    for each in records.experiment.figures:
        files[each.name] = folder / f"{each.name}.svg"
        _save(each, records, files[each.name])
    return files


def narrow(svg: Path) -> Path:
    """The file of the figure for narrow pages; a figure of the user's own has none.

    Args:
      svg: the figure's SVG file.
    """
    return svg.parent / "narrow" / svg.name


def _save(drawing: protocols.Figure, records: Records, svg: Path) -> None:
    # The salt fixes the ids of SVG elements, which are random by default; with the figure's name
    # in it they differ between the figures of a page.
    with rc_context({**STYLE, "svg.hashsalt": drawing.name}):
        figure = drawing.draw(records)
        _write_svg(figure, svg)
        figure.savefig(svg.with_suffix(".png"), dpi=DOTS_PER_INCH)
        if isinstance(drawing, Drawing):
            _write_svg(drawing.draw(records, NARROW), narrow(svg))


def _write_svg(figure: Figure, file: Path) -> None:
    interactive.mark_panels(figure)
    written = io.StringIO()
    figure.savefig(written, format="svg", metadata={"Date": None})
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(interactive.with_attributes(written.getvalue()), encoding="utf-8")
