"""Names, units and bounds of the final measures of a run."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, Literal, Self, TypeVar

Split = Literal["", "train", "test"]
Better = Literal["", "lower", "higher"]
Tail = Literal["", "lower", "upper"]
Part = TypeVar("Part")


@dataclass(frozen=True, eq=False, repr=False)
class Measure(str):
    """A final measure: its name, with how to label, format and judge it.

    It is its name, a string, and may stand wherever a name may: an experiment that lists one among
    its `measures` has it in the place of that name in its claims and figures too.

    Example:
      >>> Measure("margin", unit="logits", better="higher", long_tail="lower") == "margin"
      True

    Attributes:
      name: its column in the runs table, `<split>_<quantity>`, such as "test_error".
      words: its label in running text, such as "test error"; by default its name.
      unit: unit of a value; empty for a pure number.
      unit_of_difference: unit of the difference of two values; by default that of a value, and
        "percentage points" for "%".
      decimals: decimals to show; None to choose them by the spread of the values.
      bounds: the smallest and the largest value that it can take.
      better: whether lower or higher values are better; empty if neither is.
      long_tail: on which side a few seeds may lie far from the others ("upper" for errors and
        losses, of which some seeds have much larger ones); empty if on neither.
      share_of: the split of which it is a share of examples, in percent; empty if it is none.
    """

    name: str
    words: str = ""
    unit: str = ""
    unit_of_difference: str = ""
    decimals: int | None = None
    bounds: tuple[float, float] = (-math.inf, math.inf)
    better: Better = ""
    long_tail: Tail = ""
    share_of: Split = ""

    def __new__(cls, name: str, *_: Any, **__: Any) -> Self:
        """The string is the name; the dataclass sets the rest."""
        return super().__new__(cls, name)

    def __post_init__(self) -> None:
        unit = "percentage points" if self.unit == "%" else self.unit
        object.__setattr__(self, "words", self.words or self.name.replace("_", " "))
        object.__setattr__(self, "unit_of_difference", self.unit_of_difference or unit)

    @property
    def title(self) -> str:  # type: ignore[override]
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
    if isinstance(name, Measure):
        return name
    base, _, step = name.rpartition("_")
    if step.isdigit() and base in _KNOWN:
        return replace(_KNOWN[base], name=name, words=f"{_KNOWN[base].words}, step {step}")
    return _KNOWN.get(name, Measure(name))


def described(parts: Iterable[Part], measures: Iterable[str]) -> tuple[Part, ...]:
    """Puts measures in the place of their names in claims and figures.

    Args:
      parts: dataclasses with a field `measure` or `measures`; others are left as they are.
      measures: names, and measures of one's own.
    """
    own = {each: each for each in measures if isinstance(each, Measure)}
    return tuple(_described(part, own) for part in parts) if own else tuple(parts)


def _described(part: Any, own: dict[Measure, Measure]) -> Any:
    if not is_dataclass(part) or isinstance(part, type):
        return part
    names = {each.name for each in fields(part) if each.init} & {"measure", "measures"}
    changed: dict[str, Any] = {}
    for name in names:
        given = getattr(part, name)
        one = isinstance(given, str)
        changed[name] = own.get(given, given) if one else tuple(own.get(m, m) for m in given)
    return replace(part, **changed)
