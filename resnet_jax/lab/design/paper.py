"""The numbers that a paper reports for cells of an experiment's grid."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from resnet_jax.errors import UserError
from resnet_jax.lab.design.protocols import Cell

FAIL = "fail"
PaperValue = float | Literal["fail"] | None


@dataclass(frozen=True, kw_only=True)
class Paper:
    """The numbers that a paper reports for cells of an experiment.

    Attributes:
      source: the paper and its table.
      figures: the paper's numbers, each a number, "fail" or None where the paper has none. Either
        a function of the axes (as keyword arguments), or a mapping whose keys are tuples of the
        axes' values in their order (or, for a single axis, its values); missing keys mean None.
      networks: for numbers of another network than the one that is run here, its name: a function
        of the axes, like `figures`. None if `words` name the networks.
      measure: the measure that the numbers are values of, in its unit.
      scale: the scale of the experiment that has the paper's set-up.
      fails_above: a run with a higher error, in percent, counts as failed (20% in He et al. 2016).
      words: the paper's set-up, such as "CIFAR-10, ResNet-110, median of 5 runs".
    """

    source: str
    figures: Callable[..., PaperValue] | Mapping[Any, PaperValue]
    networks: Callable[..., str] | None = None
    measure: str = "test_error"
    scale: str = "paper"
    fails_above: float = 20.0
    words: str = ""

    def figure(self, cell: Cell) -> PaperValue:
        """Returns the paper's number for a cell.

        Raises:
          UserError: `figures` raised, or returned something else than a number, "fail" or None.

        Example:
          >>> Paper(source="Table 6", figures={20: 8.75, 56: 6.97}).figure({"depth": 56})
          6.97
        """
        if isinstance(self.figures, Mapping):
            values = tuple(cell.values())
            found = self.figures.get(values, self.figures.get(values[0]) if values else None)
        else:
            found = _call("figures", self.figures, cell)
        is_number = isinstance(found, int | float) and not isinstance(found, bool)
        if found is not None and found != FAIL and not is_number:
            raise UserError(
                f"paper: figures returned {found!r} for {dict(cell)}; it has to return a number, "
                "'fail' or None"
            )
        return found

    def network(self, cell: Cell) -> str:
        """Returns the network that the paper's number is of; empty if it is not given.

        Raises:
          UserError: `networks` raised.
        """
        return str(_call("networks", self.networks, cell)) if self.networks else ""


def _call(name: str, function: Callable[..., Any], cell: Cell) -> Any:
    try:
        return function(**cell)
    except Exception as error:
        raise UserError(f"paper: {name} failed for {dict(cell)}: {error!r}") from error
