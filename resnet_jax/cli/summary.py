"""`resnet-jax summary`: what a network is made of."""

import argparse
from typing import TYPE_CHECKING

from rich.markup import escape

from resnet_jax.cli.arguments import Subparsers
from resnet_jax.cli.terminal import CONSOLE, print_table

if TYPE_CHECKING:
    from resnet_jax.models.zoo.published import Published
    from resnet_jax.models.zoo.summary import NetworkSummary


def add_parser(commands: Subparsers) -> None:
    """Adds the command."""
    command = commands.add_parser(
        "summary",
        help="list a network's layers, parameters and multiply-adds",
        usage="resnet-jax summary NAME [--config.model.KEY=VALUE ...] [--image-shape H W C]",
        allow_abbrev=False,
    )
    command.add_argument("name", help="such as resnet56")
    command.add_argument(
        "--image-shape", type=int, nargs=3, metavar=("H", "W", "C"), help="such as 32 32 3"
    )
    command.set_defaults(run=run, overrides=_overrides)


def _overrides(argument: str) -> bool:
    """Whether it may override a setting: those of the network, but for its name."""
    if not argument.startswith("--"):
        return True
    return argument.startswith("--config.model.") and "--config.model.name" not in argument


def run(options: argparse.Namespace) -> None:
    """Prints each unit of the network, the totals, and the published figures."""
    from resnet_jax import models
    from resnet_jax.cli.flags import with_overrides
    from resnet_jax.training import config as configs
    from resnet_jax.training.config.network import network_settings

    config = configs.base()
    config.model.name = options.name
    settings = network_settings(with_overrides(config, options.rest).model)
    shape = tuple(options.image_shape) if options.image_shape else None
    _print(options.name, models.summarize_by_name(options.name, shape, **settings))


def _print(name: str, summary: "NetworkSummary") -> None:

    rows = [
        [row.stage, row.unit, _shape(row.output), f"{row.params:,}", f"{row.multiply_adds:,}"]
        for row in summary.rows
    ]
    total = ["total", "", "", f"{summary.params:,}", f"{summary.multiply_adds:,}"]
    head = ["stage", "unit", "output", "parameters", "multiply-adds"]
    print_table(head, [*rows, total], [False, False, False, True, True])
    CONSOLE.print(
        f"\n{name}: {summary.weighted_layers} weighted layers without projections, "
        f"{summary.params:,} parameters, "
        f"{summary.multiply_adds:.3g} multiply-adds for an image of {_shape(summary.image_shape)}",
        highlight=False,
    )
    if summary.published:
        _print_published(summary.published)


def _print_published(published: "Published") -> None:

    facts = {
        "parameters": published.params_printed or (published.params and f"{published.params:,}"),
        "multiply-adds": published.multiply_adds and f"{published.multiply_adds:.2g}",
        **{f"error, {what}": f"{error}%" for what, error in published.errors.items()},
    }
    given = [f"{what} {fact}" for what, fact in facts.items() if fact]
    CONSOLE.print(f"published: {'; '.join(given)}", highlight=False)
    for source in published.sources:
        CONSOLE.print(f"  [dim]{escape(source)}[/]", highlight=False)


def _shape(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))
