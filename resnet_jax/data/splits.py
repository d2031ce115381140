"""Slices of splits, such as `train[:1000]`, for sets that are not read through TFDS."""

import re
from collections.abc import Mapping

_BOUND = r"-?(?:\d+|\d+(?:\.\d+)?%)"
_SPLIT = re.compile(rf"(?P<name>\w+)(?:\[(?P<start>{_BOUND})?:(?P<stop>{_BOUND})?\])?")


def parse_split(text: str, sizes: Mapping[str, int]) -> tuple[str, range] | None:
    """The split and the examples that a TFDS split expression selects.

    Bounds are numbers of examples or percentages, rounded to the nearest example as TFDS does, and
    count from the end if negative.

    Args:
      text: NAME, NAME[a:b] or NAME[a%:b%], where either bound may be left out.
      sizes: number of examples of each split.

    Returns:
      (name, indices), or None if the text has another form, the split is not in `sizes`, or a
      bound lies outside of it.

    Example:
      >>> parse_split("train[90%:]", {"train": 1437})
      ('train', range(1293, 1437))
    """
    match = _SPLIT.fullmatch(text)
    if not match or match["name"] not in sizes:
        return None
    size = sizes[match["name"]]
    bounds = [match["start"], match["stop"]]
    units = {bound.endswith("%") for bound in bounds if bound}
    values = [_count(bound, size) if bound else None for bound in bounds]
    if len(units) > 1 or any(abs(value or 0) > size for value in values):
        return None
    return match["name"], range(size)[slice(*values)]


def _count(bound: str, size: int) -> int:
    return round(float(bound[:-1]) * size / 100) if bound.endswith("%") else int(bound)
