"""The `resnet-jax` command."""

import sys
from collections.abc import Sequence

from resnet_jax.cli.parser import parser
from resnet_jax.errors import UserError


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command.

    Args:
      arguments: the command line without the program's name; by default that of the process.

    Returns:
      The exit code: 0 on success, 1 if a run failed or diverged, 2 on an error that the user can
      fix, 130 after SIGINT (Ctrl-C) and 143 after SIGTERM.
    """
    options, rest = parser().parse_known_args(arguments)
    if unknown := [each for each in rest if not options.overrides(each)]:
        options.error(f"unknown arguments: {' '.join(unknown)}")
    options.rest = rest
    try:
        return options.run(options) or 0
    except (UserError, OSError) as error:  # OSError: no permission, or the disk is full
        print(f"resnet-jax: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt as interrupt:
        if getattr(interrupt, "told", True):
            reason = str(interrupt) or "interrupted"
            print(f"\n{reason}; run the same command again to resume", file=sys.stderr)
        return getattr(interrupt, "code", 130)
