"""Numbers in words: with their unit, and with no more digits than the spread supports."""

import math
from collections.abc import Iterable

from resnet_jax.lab.measures import measure as named

NOT_KNOWN = "–"
MINUS = "\N{MINUS SIGN}"


def count(n: int, noun: str) -> str:
    """`1 run`, `3 runs`."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def number(value: float, decimals: int, sign: bool = False) -> str:
    """A number with so many decimals, and a dash for NaN.

    Example:
      >>> number(12.345, 1), number(2.0, 1, sign=True), number(math.nan, 1)
      ('12.3', '+2.0', '–')
    """
    if not math.isfinite(value):
        return NOT_KNOWN
    rounded = round(value, decimals) + 0.0  # turns -0.0 into 0.0
    return f"{rounded:{'+' if sign else ''}.{decimals}f}".replace("-", MINUS)


def with_unit(value: float, measure: str, decimals: int | None = None) -> str:
    """A value of a measure with its unit: `90%`, `2.3 nats`."""
    digits = f"{value:g}" if decimals is None else number(value, decimals)
    unit = named(measure).unit
    return f"{digits}{unit}" if unit == "%" else f"{digits} {unit}".rstrip()


def difference(value: float, measure: str) -> str:
    """A difference of two values of a measure, with its unit: `1 percentage point`."""
    unit = named(measure).unit_of_difference
    return f"{value:g} {unit.removesuffix('s') if value == 1 else unit}".rstrip()


def decimals(spreads: Iterable[float]) -> int:
    """How many decimals show two digits of a typical spread; the rest would be noise.

    Args:
      spreads: standard deviations or widths, in the unit of what is to be shown.

    Returns:
      From 0 to 4, by the median of the spreads that are finite and not zero; 2 if none is.

    Example:
      >>> decimals([0.16]), decimals([4.2, 3.1, 5.0]), decimals([25.0])
      (2, 1, 0)
    """
    known = sorted(spread for spread in spreads if math.isfinite(spread) and spread > 0)
    if not known:
        return 2
    return min(max(1 - math.floor(math.log10(known[len(known) // 2])), 0), 4)


def duration(seconds: float) -> str:
    """A time to the second: `8.2 s`, `4 min 32 s`, `2 h 5 min`.

    Example:
      >>> duration(8.24), duration(272.4), duration(7500)
      ('8.2 s', '4 min 32 s', '2 h 5 min')
    """
    if not math.isfinite(seconds):
        return NOT_KNOWN
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
