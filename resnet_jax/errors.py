"""Errors for people: what was wrong, where, and what to do about it.

The one module that every folder may import. Whoever raises a `UserError` has written the whole
message for the person at the terminal, who then sees that one line and no traceback.
"""

import difflib
from collections.abc import Iterable

LISTED = 30  # known words in a message


class UserError(ValueError):
    """Something that the user can mend: a name, a setting, a file. The message says how."""


def did_you_mean(given: str, known: Iterable[str], count: int = 3) -> str:
    """A clause that names the known words nearest to a given one.

    Args:
      given: the word that was not found.
      known: the words that would have been.
      count: how many to name at the most.

    Returns:
      `"did you mean 'a' or 'b'?"`, or the known words, of many the first, if none of them is near.

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
