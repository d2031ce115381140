"""Ranges of nuisance settings: the values among which tuning chooses."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from resnet_jax.errors import UserError, did_you_mean
from resnet_jax.lab.design.protocols import AxisValue

SPLITS = ("data.train_split", "data.test_split")
"""Settings that tuning runs set: they are trained and tested on other parts of the data."""


@dataclass(frozen=True, init=False)
class Times:
    """A range around each cell's own value: that value times each factor.

    For settings whose scale differs between cells, such as the learning rates of SGD and of Adam.

    Attributes:
      factors: different positive numbers.

    Raises:
      UserError: they are not two or more different positive numbers.

    Example:
      >>> Times(0.1, 1, 10).of("optimizer.learning_rate", 0.003)
      (0.0003, 0.003, 0.03)
    """

    factors: tuple[float, ...]

    def __init__(self, *factors: float):
        numbers = all(isinstance(each, int | float) and each > 0 for each in factors)
        if not numbers or len(set(factors)) < max(2, len(factors)):
            raise UserError(f"Times{factors!r}: expected two or more different positive numbers")
        object.__setattr__(self, "factors", factors)

    def of(self, name: str, value: Any) -> tuple[float, ...]:
        """The values of the range.

        Args:
          name: the setting, for messages.
          value: what it is in the cell.

        Raises:
          UserError: it is no number, is 0, or is whole and would not stay so.
        """
        if isinstance(value, bool) or not isinstance(value, int | float) or not value:
            raise UserError(f"tune: {name} is {value!r} and cannot be multiplied; list its values")
        products = [float(f"{value * factor:.6g}") for factor in self.factors]
        if isinstance(value, float):
            return tuple(products)
        if not all(each.is_integer() for each in products):
            raise UserError(f"tune: {name} is {value}, and not every product is whole: {products}")
        return tuple(int(each) for each in products)


Range = Sequence[AxisValue] | Times
"""The values of a nuisance setting: the same in each cell, or relative to the cell's own."""


def combinations(tune: Mapping[str, Range], settings: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every combination of the nuisance settings of a cell; the last one named varies fastest.

    Args:
      tune: the range of each setting.
      settings: the cell's own settings, by dotted name; for those that the ranges multiply.

    Raises:
      UserError: a range multiplies a setting that does not exist or cannot be multiplied.
    """
    values = []
    for name, given in tune.items():
        if isinstance(given, Times) and name not in settings:
            raise UserError(f"tune: no setting {name!r}; {did_you_mean(name, settings)}")
        values.append(given.of(name, settings[name]) if isinstance(given, Times) else given)
    return [dict(zip(tune, each, strict=True)) for each in itertools.product(*values)]


def labels(tune: Mapping[str, Range]) -> list[str]:
    """The combinations in words, in the same order.

    Example:
      >>> labels({"optimizer.learning_rate": Times(0.1, 1), "optimizer.nesterov": (False, True)})
      ['×0.1, False', '×0.1, True', '×1, False', '×1, True']
    """
    values = [list(words(given)) for given in tune.values()]
    return [", ".join(each) for each in itertools.product(*values)]


def words(given: Range) -> Iterator[str]:
    """The values of a range in words: `0.1`, or `×0.1` for a multiple of the cell's own."""
    if isinstance(given, Times):
        yield from (f"×{factor:g}" for factor in given.factors)
    else:
        yield from map(str, given)
