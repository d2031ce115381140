"""Names, units and bounds of the final measures of a run."""

import math
from dataclasses import dataclass, replace
from typing import Literal

Split = Literal["", "train", "test"]
Better = Literal["", "lower", "higher"]
Tail = Literal["", "lower", "upper"]


@dataclass(frozen=True)
class Measure:
    """How to label and format a final measure.

    Attributes:
      name: its column in the runs table, `<split>_<quantity>`, such as "test_error".
      words: its label in running text, such as "test error".
      unit: unit of a value; empty for a pure number.
      unit_of_difference: unit of the difference of two values.
      decimals: decimals to show; None to choose them by the spread of the values.
      bounds: the smallest and the largest value that it can take.
      better: whether lower or higher values are better; empty if neither is.
      long_tail: on which side a few seeds may lie far from the others ("upper" for errors and
        losses, of which some seeds have much larger ones); empty if on neither.
      split: the split of which it is a share of examples, in percent; empty if it is none.
    """

    name: str
    words: str
    unit: str = ""
    unit_of_difference: str = ""
    decimals: int | None = None
    bounds: tuple[float, float] = (-math.inf, math.inf)
    better: Better = ""
    long_tail: Tail = ""
    split: Split = ""

    @property
    def title(self) -> str:
        """The label with its unit, as a column head: `training error (%)`."""
        return f"{self.words} ({self.unit})" if self.unit else self.words

    @property
    def axis_label(self) -> str:
        """The label of a figure's axis: `Training error (%)`."""
        return self.title[:1].upper() + self.title[1:]


def _error(name: str, words: str, split: Split) -> Measure:
    return Measure(name, words, "%", "percentage points", 2, (0.0, 100.0), "lower", "upper", split)


def _loss(name: str, words: str, decimals: int) -> Measure:
    return Measure(name, words, "nats", "nats", decimals, (0.0, math.inf), "lower", "upper")


def _log(name: str, words: str, unit: str) -> Measure:
    return Measure(name, words, unit, "log10 ratio", 2)


_KNOWN = {
    measure.name: measure
    for measure in (
        _error("train_error", "training error", "train"),
        _error("test_error", "test error", "test"),
        _error("batch_error", "error on training batches", ""),
        _loss("train_loss", "training loss", 3),
        _loss("test_loss", "test loss", 3),
        _error("intact", "test error of the intact network", "test"),
        _error("median_lesion", "test error without one unit, median over units", "test"),
        _error("worst_lesion", "test error without one unit, worst unit", "test"),
        _error("lesion_2", "test error without two units", "test"),
        _error("lesion_4", "test error without four units", "test"),
        Measure("deviation", "deviation from theory", "%", "percentage points", 2),
        Measure("measured", "growth of the squared gradient norm per unit"),
        Measure("autocorrelation", "gradient autocorrelation at lag 1", "", "", 2),
        Measure("length", "mean path length", "units", "units", 2),
        _loss("loss", "loss", 2),
        _log("decades", "gradient norm, first over last unit", "log10 ratio"),
        _log("change", "change of the gradient norm ratio at step 1", "log10 ratio"),
        _log("level", "gradient norm of all units", "log10"),
        Measure("response", "mean standard deviation of the responses", "", "", 3),
    )
}


def describe(name: str) -> Measure:
    """Returns the description of a measure.

    Args:
      name: the measure; a known name may carry a step, as in "decades_10". An unknown name is its
        own label and has no unit.
    """
    base, _, step = name.rpartition("_")
    if step.isdigit() and base in _KNOWN:
        return replace(_KNOWN[base], name=name, words=f"{_KNOWN[base].words}, step {step}")
    return _KNOWN.get(name, Measure(name, name.replace("_", " ")))
