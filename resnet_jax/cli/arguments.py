"""Arguments that several commands share."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]
else:
    Subparsers = argparse._SubParsersAction


def count(text: str) -> int:
    """The type of an argument that is a whole number of at least 1."""
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return int(text)


def seconds(text: str) -> float:
    """The type of an argument that is a time, such as `90s`, `30m` or `2h`; returns seconds."""
    units = {"s": 1, "m": 60, "h": 3600}
    try:
        found = float(text[:-1]) * units[text[-1:]]
    except (ValueError, KeyError):
        found = 0.0
    if not 0 < found < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a time such as 90s, 30m or 2h")
    return found


def whole_numbers(text: str) -> tuple[int, ...]:
    """The type of an argument such as `0,1,10`."""
    numbers = text.split(",")
    if not all(number.isdigit() for number in numbers):
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of whole numbers such as 0,1,10")
    return tuple(map(int, numbers))


def add_results(command: argparse.ArgumentParser) -> None:
    """Adds the option for the folder that holds one folder for each experiment."""
    command.add_argument(
        "--results",
        type=Path,
        default=Path("results"),
        metavar="FOLDER",
        help="where results are written (default: results)",
    )


def add_config(command: argparse.ArgumentParser, required: bool) -> None:
    """Adds the option for the config file, and lets other arguments override its settings.

    Those are left to `flags.config_from`, which knows the settings and suggests the right name.
    """
    command.add_argument(
        "--config", default="", required=required, metavar="FILE", help="FILE or FILE:VARIANT"
    )
    command.set_defaults(overrides=lambda argument: True)
