"""`resnet-jax benchmark`: measures what probes, records, evaluations and checkpoints cost."""

import argparse

from resnet_jax.cli.arguments import Subparsers, add_config
from resnet_jax.cli.terminal import CONSOLE, print_table


def add_parser(commands: Subparsers) -> None:
    """Adds `benchmark probes` and `benchmark loop`."""
    benchmark = commands.add_parser("benchmark", help="measure what a part of training costs")
    subcommands = benchmark.add_subparsers(metavar="COMMAND", required=True)
    for name, run, text in (
        ("probes", probes, "time the training step with and without probes"),
        ("loop", loop, "time records, evaluations and checkpoints beside the steps"),
    ):
        command = subcommands.add_parser(
            name,
            help=text,
            usage=f"resnet-jax benchmark {name} --config FILE [--config.KEY=VALUE ...]",
            allow_abbrev=False,
        )
        add_config(command, required=True)
        command.set_defaults(run=run)


def probes(options: argparse.Namespace) -> None:
    """Prints the time of a training step without and with probes."""
    from resnet_jax.cli.flags import config_from
    from resnet_jax.lab.running.benchmarks import probe_cost

    plain, probed = probe_cost(config_from(options.config, options.rest))
    rows = [
        [
            each.name,
            f"{1000 * each.median:.1f}",
            f"{1000 * min(each.turns):.1f} to {1000 * max(each.turns):.1f}",
            str(len(each.turns)),
            f"{each.first:.1f}",
        ]
        for each in (plain, probed)
    ]
    head = ["", "median (ms)", "range (ms)", "turns", "first call (s)"]
    print_table(head, rows, [False, True, True, True, True])
    more = probed.median / plain.median - 1
    CONSOLE.print(
        f"A step with probes takes {1 + more:.2f} times as long as one without. Probing every 50 "
        f"steps adds {more / 50:.2%} to the time of a run, and {probed.first - plain.first:.1f} s "
        "to compile, once.",
        highlight=False,
    )


def loop(options: argparse.Namespace) -> None:
    """Prints what records, evaluations and checkpoints add to the time of the steps."""
    from resnet_jax.cli.flags import config_from
    from resnet_jax.lab.running.benchmarks import loop_cost

    cost = loop_cost(config_from(options.config, options.rest))
    rows = [
        [
            name,
            f"{1000 * seconds:.1f}",
            str(cost.every[name]) if cost.every[name] else "the end",
            f"{cost.share(name):.2%}",
        ]
        for name, seconds in cost.seconds.items()
    ]
    head = ["", "time (ms)", "every (steps)", "of the steps' time"]
    print_table(head, rows, [False, True, True, True])
    total = sum(map(cost.share, cost.seconds))
    CONSOLE.print(
        f"A step takes {1000 * cost.step:.1f} ms; all three add {total:.2%} to it.",
        highlight=False,
    )
