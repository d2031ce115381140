"""Which parts of a network a growth rate is fitted to, as a rule that a figure can show.

At the two ends, and where shapes change, a network is not the repetition of one unit that a rate
speaks of. What is left out is named with its reason, so that it can be drawn as left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool

KEPT = ""


@dataclass(frozen=True)
class Selection:
    """What to leave out.

    Attributes:
      ends: leave out stem and head: what belongs to no stage.
      shape_changes: leave out the first unit of every stage but the first: its stride and its
        channels differ from those of the others.
      first: how many of the first units to leave out.
      last: how many of the last units to leave out. The gradient comes from the head in a
        direction of its own, and takes about four units to forget it.
    """

    ends: bool = True
    shape_changes: bool = True
    first: int = 0
    last: int = 4


DEFAULT = Selection()


def reasons(
    stages: Sequence[int], units: Sequence[int], selection: Selection = DEFAULT
) -> list[str]:
    """Why each site of a profile is left out.

    Args:
      stages: the stage of each site in network order, from 1; 0 for stem and head.
      units: its unit within the stage, from 1; several sites of one unit share its number.
      selection: the rules.

    Returns:
      "stem", "head", "shape change", "among the first" or "among the last" for each; "" if kept.
    """
    places = list(zip(stages, units, strict=True))
    order = list(dict.fromkeys(place for place in places if place[0] > 0))
    first = set(order[: selection.first])
    last = set(order[max(0, len(order) - selection.last) :])
    entered = next((i for i, stage in enumerate(stages) if stage > 0), len(places))

    def reason(position: int) -> str:
        place = places[position]
        if place[0] == 0:
            end = "stem" if position < entered else "head"
            return end if selection.ends else KEPT
        if selection.shape_changes and place[0] > 1 and place[1] == 1:
            return "shape change"
        if place in last:
            return "among the last"
        return "among the first" if place in first else KEPT

    return [reason(position) for position in range(len(places))]


def kept(
    stages: Sequence[int], units: Sequence[int], selection: Selection = DEFAULT
) -> Bool[np.ndarray, " n"]:
    """Which sites of a profile to fit: those without a reason to be left out.

    Args:
      stages: see `reasons`.
      units: see `reasons`.
      selection: the rules.

    Returns:
      True for each that is kept.

    Example:
      >>> kept([0, 1, 1, 2, 2, 0], [0, 1, 2, 1, 2, 0], Selection(last=0)).tolist()
      [False, True, True, False, True, False]
    """
    return np.array([reason == KEPT for reason in reasons(stages, units, selection)], bool)
