"""The parser of the command line, and the argument types that several commands share."""

import argparse

from resnet_jax.cli import (
    benchmark,
    claims,
    compare,
    data,
    evaluate,
    gradients,
    launch,
    report,
    run,
    settings,
    summary,
    train,
)

# In the order of `resnet-jax --help`. These modules import what they run only when they run it.
COMMANDS = (
    run,
    report,
    compare,
    claims,
    gradients,
    train,
    launch,
    evaluate,
    summary,
    settings,
    benchmark,
    data,
)


def parser() -> argparse.ArgumentParser:
    """The parser of the whole command.

    Its options hold `run`, the function to call with them; `overrides`, whether an argument that
    no option took may override a setting of the config; and `error`, which prints the usage and a
    message and exits.
    """
    whole = argparse.ArgumentParser(
        prog="resnet-jax", description="A laboratory for residual learning."
    )
    whole.set_defaults(overrides=lambda argument: False, error=whole.error)
    subcommands = whole.add_subparsers(metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add_parser(subcommands)
    return whole
