"""Looking a choice up in one of the tables of names."""

from collections.abc import Mapping
from typing import TypeVar

from resnet_jax.errors import UserError, did_you_mean

T = TypeVar("T")


def choose(table: Mapping[str, T], name: str, setting: str) -> T:
    """The entry of a table, or an error that names the entries nearest to what was asked for.

    Args:
      table: the choices that a setting has, by name.
      name: the choice made.
      setting: what is being chosen, for the message.

    Returns:
      The entry of that name.

    Raises:
      UserError: if the table has no such entry.

    Example:
      >>> choose({"basic": 2, "bottleneck": 3}, "basic", "branch")
      2
    """
    if name in table:
        return table[name]
    raise UserError(
        f"model setting {setting}={name!r} is unknown; {did_you_mean(str(name), table)}"
    )
