"""Errors for the user: what was wrong, where, and what to do about it.

Every folder may import this module. The message of a `UserError` is written for the person at the
terminal, who sees that one line and no traceback.
"""

import difflib
from collections.abc import Iterable

LISTED = 30  # known words in a message
LINE_LENGTH = 200  # characters of a foreign message in one line


class UserError(ValueError):
    """Something that the user can fix: a name, a setting, a file. The message says how."""


def one_line(error: BaseException) -> str:
    """An exception in one line: its type and the first line of its message.

    The message of a `UserError` is complete as it is, and is returned alone.

    Example:
      >>> one_line(KeyError("depth"))
      "KeyError: 'depth'"
    """
    if isinstance(error, UserError):
        return str(error)
    line = str(error).strip().partition("\n")[0]
    line = line if len(line) <= LINE_LENGTH else f"{line[:LINE_LENGTH]}..."
    return f"{type(error).__name__}: {line}" if line else type(error).__name__


def did_you_mean(given: str, known: Iterable[str], count: int = 3) -> str:
    """A clause that suggests the known words closest to a given one.

    Args:
      given: the unknown word.
      known: the words to choose from.
      count: largest number of suggestions.

    Returns:
      `"did you mean 'a' or 'b'?"`, or a list of the known words (at most 30) if none is close.

    Example:
      >>> did_you_mean("resnet21", ["resnet20", "plain20"], count=1)
      "did you mean 'resnet20'?"
    """
    known = list(known)
    alike = dict.fromkeys(each.lower() for each in known)
    close = difflib.get_close_matches(given.lower(), alike, n=count, cutoff=0.6)
    near = [each for lower in close for each in known if each.lower() == lower][:count]
    if near:
        return f"did you mean {' or '.join(map(repr, near))}?"
    listed, further = known[:LISTED], len(known) - LISTED
    return f"known: {', '.join(listed)}" + (f" and {further} more" if further > 0 else "")
