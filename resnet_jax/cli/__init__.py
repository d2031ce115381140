"""The `resnet-jax` command."""

import sys
from collections.abc import Callable, Sequence

from resnet_jax.cli.commands import benchmark_loop, benchmark_probes, summary, train
from resnet_jax.cli.parser import parser
from resnet_jax.errors import UserError


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command.

    Args:
      arguments: those of the process by default.

    Returns:
      0 on success, 2 if something is to be mended by the user, 1 if a run did not end well, 130 if
      it was interrupted by SIGINT (Ctrl-C) and 143 by SIGTERM.
    """
    options, rest = parser().parse_known_args(arguments)
    if unknown := [each for each in rest if not _may_override(each, options.call)]:
        parser().error(f"unknown arguments: {' '.join(unknown)}")
    if options.call is train and not options.config and options.replay is None:
        parser().error("the following arguments are required: --config")
    options.rest = rest
    try:
        return options.call(options) or 0
    except UserError as error:
        print(f"resnet-jax: {error}", file=sys.stderr)
        return 2
    except OSError as error:  # a folder that cannot be made, a disk that is full
        print(f"resnet-jax: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt as interrupt:
        if getattr(interrupt, "told", True):
            words = str(interrupt) or "interrupted"
            print(f"\n{words}; the same command goes on", file=sys.stderr)
        return getattr(interrupt, "code", 130)


def _may_override(argument: str, call: Callable) -> bool:
    """Whether a subcommand takes it as an override of its config, or says itself why not."""
    if call is summary and argument.startswith("--"):
        return argument.startswith("--config.model.") and "--config.model.name" not in argument
    return call in (train, summary, benchmark_probes, benchmark_loop)
