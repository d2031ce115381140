"""Numbers as text: with units, and with the digits that their spread supports."""

import math
import re
from collections.abc import Iterable, Sequence

from resnet_jax.lab.measures import describe

NOT_KNOWN = "–"
MINUS = "\N{MINUS SIGN}"


def count(n: int, noun: str) -> str:
    """A number of things: `1 run`, `3 runs`."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def listed(words: Sequence[str], most: int = 3) -> str:
    """The first few words of a list, and the number of the others.

    Example:
      >>> listed(["a", "b"]), listed(["a", "b", "c", "d", "e"])
      ('a, b', 'a, b, c and 2 more')
    """
    more = len(words) - most
    return ", ".join(words[:most]) + (f" and {more} more" if more > 0 else "")


def capitalized(words: str) -> str:
    """Starts words with a capital letter, unless their first word is code such as `model.name`.

    Example:
      >>> capitalized("with ReLU"), capitalized("model.name"), capitalized("own.py:net")
      ('With ReLU', 'model.name', 'own.py:net')
    """
    first = words.partition(" ")[0]
    return words if re.search(r"[\d._=/]", first) else words[:1].upper() + words[1:]


def number(value: float, decimals: int, sign: bool = False) -> str:
    """A number with a fixed number of decimals; a dash unless it is finite.

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
    digits = f"{value:.3g}".replace("-", MINUS) if decimals is None else number(value, decimals)
    unit = describe(measure).unit
    return f"{digits}{unit}" if unit == "%" else f"{digits} {unit}".rstrip()


def difference(value: float, measure: str) -> str:
    """A difference of two values of a measure with its unit: `1 percentage point`."""
    unit = describe(measure).unit_of_difference
    return f"{value:g} {unit.removesuffix('s') if value == 1 else unit}".rstrip()


def estimate(
    mean: float, low: float, high: float, unit: str, of: str = "", sign: bool = False
) -> str:
    """A mean with its 95% interval: `16.3% (95% interval 15.1 to 17.5, 3 runs)`.

    Args:
      mean: the mean, in `unit`.
      low: lower end of its interval; NaN without an interval.
      high: upper end.
      unit: unit of all three.
      of: the sample, such as `3 runs`; empty where it is given elsewhere.
      sign: whether to write a plus before positive numbers.

    Example:
      >>> estimate(16.31, 15.12, 17.49, "%", "3 runs")
      '16.3% (95% interval 15.1 to 17.5, 3 runs)'
    """
    places = decimals([high - low])
    words, *ends = (number(value, places, sign) for value in (mean, low, high))
    words = f"{words}{unit}" if unit == "%" else f"{words} {unit}".rstrip()
    if NOT_KNOWN in ends:
        return f"{words} (no interval from {of})" if of else f"{words} (no interval)"
    of = f", {of}" if of else ""
    return f"{words} (95% interval {ends[0]} to {ends[1]}{of})"


def decimals(spreads: Iterable[float]) -> int:
    """Decimals that show two significant digits of a typical spread.

    Args:
      spreads: standard deviations or widths of intervals, in the unit of the values to be shown.

    Returns:
      From 0 to 4, by the median of the spreads that are finite and positive; 2 if none is.

    Example:
      >>> decimals([0.16]), decimals([4.2, 3.1, 5.0]), decimals([25.0])
      (2, 1, 0)
    """
    known = sorted(spread for spread in spreads if math.isfinite(spread) and spread > 0)
    if not known:
        return 2
    return min(max(1 - math.floor(math.log10(known[len(known) // 2])), 0), 4)


def duration(seconds: float) -> str:
    """A duration: `8.2 s`, `4 min 32 s`, `2 h 5 min`.

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
