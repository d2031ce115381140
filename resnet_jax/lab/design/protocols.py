"""Types of an experiment's parts: cells of its grid, and what claims and figures have to provide.

Claims and figures are built on top of `design` and of the results of runs. Here they are described
by protocols, so that `design` imports neither.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import matplotlib.figure
    import pandas as pd

AxisValue = str | int | float | bool

Cell = Mapping[str, AxisValue]
"""A point of the grid: one value for each axis."""

Settings = Mapping[str, Any]
"""Config keys (`"train.steps"`) with the values to set."""

Label = Callable[[AxisValue], str]
"""Returns the words to show for an axis or for a value of one."""


class Claim(Protocol):
    """A statement about cells of the grid that is judged from the runs (`analysis.claims`)."""

    @property
    def text(self) -> str:
        """The claim, as a sentence."""

    @property
    def measure(self) -> str:
        """The final measure that it is about."""

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The cells of the grid that it compares."""

    def __call__(self, runs: "pd.DataFrame", label: Label = str) -> Any:
        """Judges the claim.

        Args:
          runs: the runs table (`results.records.Records.runs`).
          label: the words to show for an axis or for a value of one.

        Returns:
          An `analysis.claims.Verdict`.
        """


class Figure(Protocol):
    """A figure that is drawn from the records of an experiment (`figures`)."""

    @property
    def name(self) -> str:
        """The name of its files, without suffix."""

    @property
    def measures(self) -> tuple[str, ...]:
        """The final measures that it shows."""

    @property
    def axes(self) -> tuple[str, ...]:
        """The axes of the grid that it tells apart, or of which it shows one value."""

    def caption(self, records: Any) -> str:
        """Describes what the figure shows and what its marks mean.

        Args:
          records: the experiment's `results.records.Records`.
        """

    def draw(self, records: Any) -> "matplotlib.figure.Figure":
        """Draws it.

        Args:
          records: the experiment's `results.records.Records`.
        """
