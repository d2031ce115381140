"""Numbers along a logarithmic axis: 0.1, 1, 10 where they are short, powers of ten elsewhere."""

from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import LogFormatterSciNotation

SHORT = (1e-3, 2e4)


def on_log_axis(panel: Axes) -> None:
    """Sets how the numbers along a panel's vertical axis are written."""
    panel.yaxis.set_major_formatter(Numbers())
    panel.yaxis.set_minor_formatter(Numbers(labelOnlyBase=False, minor_thresholds=(1, 0.4)))


class Numbers(LogFormatterSciNotation):
    """A formatter that chooses by the axis's reach, so that the two do not mix on one axis."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        """The words at a tick; empty at a minor one where those are too many to name."""
        words = super().__call__(x, pos)
        axis: Any = self.axis
        low, high = sorted(axis.get_view_interval())
        return f"{x:g}" if words and SHORT[0] <= low and high <= SHORT[1] else words
