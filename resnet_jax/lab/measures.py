"""What a final measure is called and what it is measured in."""

import math
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Measure:
    """How to speak of a measure.

    Attributes:
      name: its column in the runs table, `<split>_<quantity>`, for example "test_error".
      words: what to call it.
      unit: the unit of a value; empty if it has none.
      unit_of_difference: the unit of the difference of two values.
      decimals: how many decimals its values are shown with; None for as many as the spread of the
        values supports.
      bounds: the least and the greatest value that it can take.
    """

    name: str
    words: str
    unit: str = ""
    unit_of_difference: str = ""
    decimals: int | None = None
    bounds: tuple[float, float] = (-math.inf, math.inf)

    @property
    def title(self) -> str:
        """Its words and its unit: `training error (%)`."""
        return f"{self.words} ({self.unit})" if self.unit else self.words

    @property
    def axis_label(self) -> str:
        """What to write on a figure's axis: `Training error (%)`."""
        return self.title[:1].upper() + self.title[1:]


def _error(name: str, words: str) -> Measure:
    return Measure(name, words, "%", "percentage points", 2, bounds=(0.0, 100.0))


_KNOWN = {
    measure.name: measure
    for measure in (
        _error("train_error", "training error"),
        _error("test_error", "test error"),
        _error("batch_error", "error while training"),
        Measure("train_loss", "training loss", "nats", "nats", 3),
        Measure("test_loss", "test loss", "nats", "nats", 3),
        _error("intact", "test error, intact"),
        _error("median_lesion", "test error, median unit dropped"),
        _error("worst_lesion", "test error, worst unit dropped"),
        _error("lesion_2", "test error, two units dropped"),
        _error("lesion_4", "test error, four units dropped"),
        Measure("deviation", "deviation from theory", "%", "percentage points", 2),
        Measure("measured", "growth of the squared gradient by unit"),
        Measure("autocorrelation", "autocorrelation of gradients at lag 1", "", "", 2),
        Measure("length", "mean path length", "units", "units", 2),
        Measure("loss", "loss", "nats", "nats", 2),
        Measure("decades", "first unit's gradient over last's", "decades", "decades", 2),
        Measure("change", "change of that ratio in the first step", "decades", "decades", 2),
        Measure("level", "norm of the whole gradient", "decades", "decades", 2),
        Measure("response", "mean deviation of responses", "", "", 3),
    )
}


def measure(name: str) -> Measure:
    """The measure of a name; one that is not known is called by its name and has no unit.

    A number after a known name is the step: `decades_10`.
    """
    head, _, step = name.rpartition("_")
    if step.isdigit() and head in _KNOWN:  # after so many updates
        return replace(_KNOWN[head], name=name, words=f"{_KNOWN[head].words}, step {step}")
    return _KNOWN.get(name, Measure(name, name.replace("_", " ")))
