"""What can be typed: the subcommands of `resnet-jax` and their options."""

import argparse
from pathlib import Path

from resnet_jax.cli import commands, run_options


def parser() -> argparse.ArgumentParser:
    """The parser of the whole command; `call` is what to call with the options."""
    whole = argparse.ArgumentParser(
        prog="resnet-jax", description="A laboratory for residual learning."
    )
    subcommands = whole.add_subparsers(metavar="COMMAND", required=True)

    command = subcommands.add_parser("run", help="run an experiment, and report on it")
    command.add_argument("experiment", type=Path, help="a file such as experiments/degradation.py")
    command.add_argument("--results", type=Path, default=Path("results"), metavar="FOLDER")
    run_options.add_which(command)
    run_options.add_where(command)
    command.set_defaults(call=commands.run)

    command = subcommands.add_parser(
        "report", help="rebuild an experiment's report from its records"
    )
    command.add_argument(
        "folder", type=Path, help="such as results/degradation, or results for all in it"
    )
    command.set_defaults(call=commands.report)

    command = subcommands.add_parser("compare", help="put two experiments or two runs side by side")
    command.add_argument("a", type=Path, metavar="A", help="such as results/degradation")
    command.add_argument("b", type=Path, metavar="B", help="such as results/degradation-paper")
    command.set_defaults(call=commands.compare)

    command = subcommands.add_parser("claims", help="tabulate the claims of all experiments")
    command.add_argument("results", type=Path, nargs="?", default=Path("results"))
    command.add_argument(
        "--into", type=Path, metavar="PAGE.md", help="put the table there, between its comments"
    )
    command.set_defaults(call=commands.claims)

    command = subcommands.add_parser(
        "gradients", help="compare gradient norms across depths", allow_abbrev=False
    )
    command.add_argument("networks", nargs="+", help="such as plain56, or FILE.py:VARIABLE")
    command.add_argument("--seeds", type=int, default=5, metavar="N")
    command.add_argument("--data", default="digits", metavar="NAME")
    command.add_argument(
        "--steps", type=_steps, default=(0,), metavar="0,1,10", help="after how many updates"
    )
    command.add_argument("--results", type=Path, default=Path("results"), metavar="FOLDER")
    run_options.add_where(command)
    command.set_defaults(call=commands.gradients, scale="", only=[], dry_run=False)

    command = subcommands.add_parser(
        "train",
        help="train one run of a config",
        usage="resnet-jax train --config FILE [--config.KEY=VALUE ...] --workdir FOLDER",
        allow_abbrev=False,
    )
    command.add_argument("--config", default="", metavar="FILE", help="FILE or FILE:VARIANT")
    command.add_argument("--workdir", type=Path, required=True, metavar="FOLDER")
    command.add_argument(
        "--profile", type=_range, default=range(0), metavar="N:M", help="trace steps N to M"
    )
    command.add_argument(
        "--replay", type=int, metavar="STEP", help="look into one step of the run in FOLDER"
    )
    command.add_argument("--tensorboard", action="store_true", help="write FOLDER/tensorboard")
    many = command.add_argument_group("many processes (on Slurm and TPU pods the first is enough)")
    many.add_argument("--distributed", action="store_true", help="this is one of several processes")
    many.add_argument("--coordinator", metavar="HOST:PORT", help="where the first one listens")
    many.add_argument("--processes", type=int, metavar="N", help="how many there are")
    many.add_argument("--process-id", type=int, metavar="I", help="which this is, from 0")
    many.add_argument(
        "--local-devices", type=_steps, metavar="0,1", help="this machine's devices to use"
    )
    command.set_defaults(call=commands.train)

    command = subcommands.add_parser(
        "launch",
        help="train with several processes on this machine",
        usage="resnet-jax launch --processes N [--cpu-devices M] train --config FILE ...",
        allow_abbrev=False,
    )
    command.add_argument("--processes", type=int, required=True, metavar="N")
    command.add_argument(
        "--cpu-devices", type=int, default=0, metavar="M", help="virtual CPU devices for each"
    )
    command.add_argument("command", nargs=argparse.REMAINDER, help="train and what follows")
    command.set_defaults(call=commands.launch)

    command = subcommands.add_parser("eval", help="evaluate a run's newest checkpoint")
    command.add_argument("--workdir", type=Path, required=True, metavar="FOLDER")
    command.add_argument("--split", choices=("train", "test"), default="test")
    command.set_defaults(call=commands.evaluate)

    command = subcommands.add_parser(
        "summary",
        help="show what a network is made of",
        usage="resnet-jax summary NAME [--config.model.KEY=VALUE ...] [--image-shape H W C]",
        allow_abbrev=False,
    )
    command.add_argument("name", help="such as resnet56")
    command.add_argument("--image-shape", type=int, nargs=3, metavar=("H", "W", "C"))
    command.set_defaults(call=commands.summary)

    benchmark = subcommands.add_parser("benchmark", help="measure what things cost")
    benchmark_commands = benchmark.add_subparsers(metavar="COMMAND", required=True)
    command = benchmark_commands.add_parser(
        "probes",
        help="the training step without and with probes",
        usage="resnet-jax benchmark probes --config FILE [--config.KEY=VALUE ...]",
        allow_abbrev=False,
    )
    command.add_argument("--config", required=True, metavar="FILE", help="FILE or FILE:VARIANT")
    command.set_defaults(call=commands.benchmark_probes)
    command = benchmark_commands.add_parser(
        "loop",
        help="records, evaluations and checkpoints beside the steps",
        usage="resnet-jax benchmark loop --config FILE [--config.KEY=VALUE ...]",
        allow_abbrev=False,
    )
    command.add_argument("--config", required=True, metavar="FILE", help="FILE or FILE:VARIANT")
    command.set_defaults(call=commands.benchmark_loop)

    data = subcommands.add_parser("data", help="list and prepare data sets")
    data_commands = data.add_subparsers(metavar="COMMAND", required=True)
    command = data_commands.add_parser("list", help="list the sets known by name")
    command.set_defaults(call=commands.list_data)
    command = data_commands.add_parser("prepare", help="prepare a set, once")
    command.add_argument("name", help="such as cifar10")
    command.add_argument("--data-dir", default="", metavar="FOLDER")
    command.set_defaults(call=commands.prepare_data)
    return whole


def _steps(text: str) -> tuple[int, ...]:
    """`0,1,10` as numbers."""
    steps = text.split(",")
    if not all(step.isdigit() for step in steps):
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of whole numbers such as 0,1,10")
    return tuple(map(int, steps))


def _range(text: str) -> range:
    """`10:13` as the steps 10 to 13."""
    first, _, last = text.partition(":")
    if not (first.isdigit() and (last or first).isdigit() and 0 < int(first) <= int(last or first)):
        raise argparse.ArgumentTypeError(f"{text!r} is not a range of steps such as 10:13, from 1")
    return range(int(first), int(last or first) + 1)
