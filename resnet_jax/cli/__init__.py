"""The `resnet-jax` command: one short function for each subcommand, no logic of its own.

Imports stand inside the functions, so that each subcommand loads only what it needs.
"""

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from resnet_jax.cli import run_options
from resnet_jax.errors import UserError


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command.

    Args:
      arguments: those of the process by default.

    Returns:
      0 on success, 2 if something is to be mended by the user, 1 if a run did not end well, 130 if
      it was interrupted by SIGINT (Ctrl-C) and 143 by SIGTERM.
    """
    options, rest = _parser().parse_known_args(arguments)
    if rest and options.call not in (train, benchmark_probes, benchmark_loop):
        _parser().error(f"unknown arguments: {' '.join(rest)}")
    if options.call is train and not options.config and options.replay is None:
        _parser().error("the following arguments are required: --config")
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


def run(options: argparse.Namespace) -> int:
    """Runs what is missing of an experiment, or of a piece of it, and reports on all of it."""
    import jax

    from resnet_jax import lab
    from resnet_jax.cli import show
    from resnet_jax.cli.progress import Together, display
    from resnet_jax.lab import engine, forecast, pieces, report
    from resnet_jax.training.compilation import use_cache

    use_cache()
    experiment = run_options.asked(lab.load(options.experiment), options.scale, options.seeds)
    only = pieces.parse(experiment, options.only)
    if options.dry_run:
        show.forecast(experiment, forecast.forecast(experiment, options.results, only))
        return 0
    executor = run_options.executor(options, experiment)
    if not executor.here:  # this process is to leave the accelerators' memory to the workers
        jax.config.update("jax_platforms", "cpu")
    with display(show.CONSOLE) if executor.here else Together(show.CONSOLE) as observer:
        folder = engine.run(experiment, options.results, _command(), observer, only, executor)
    built = report.build(folder.path)
    show.report(built)
    return 0 if built.ended(only) else 1


def gradients(options: argparse.Namespace) -> int:
    """Asks of networks how their gradients change from the last unit to the first."""
    from resnet_jax.lab.gradients import write

    options.experiment = write(
        options.results, options.networks, options.seeds, options.data, options.steps
    )
    return run(options)


def report(options: argparse.Namespace) -> int:
    """Rebuilds the report of an experiment from its records, or of all in a folder of results."""
    from resnet_jax.cli import show
    from resnet_jax.lab import gallery
    from resnet_jax.lab import report as reports
    from resnet_jax.lab.folder import Folder

    if Folder(options.folder).plan.is_file() or not gallery.holds_experiments(options.folder):
        show.report(reports.build(options.folder))
        return 0
    page = gallery.build(options.folder)
    show.gallery(page)
    return 1 if page.damaged else 0


def compare(options: argparse.Namespace) -> None:
    """Puts two experiments or two runs side by side."""
    from resnet_jax.cli import show
    from resnet_jax.lab import compare as comparing

    show.comparison(options.a, options.b, comparing.compare(options.a, options.b))


def claims(options: argparse.Namespace) -> int:
    """Prints the claims of all experiments as a table in Markdown, or puts it into a page."""
    from resnet_jax.lab import overview

    left_out: list[str] = []
    table = overview.claims_table(options.results, left_out.append)
    if options.into:
        overview.write_into(options.into, table)
    else:
        print(overview.markdown(table), end="")
    for message in left_out:
        print(f"resnet-jax: warning: {message}", file=sys.stderr)
    return 1 if left_out else 0


def train(options: argparse.Namespace) -> int:
    """Trains one run of a config, or looks into a step of it."""
    from resnet_jax.cli import show
    from resnet_jax.cli.flags import config_from
    from resnet_jax.cli.progress import watching
    from resnet_jax.training import determinism, distributed
    from resnet_jax.training.compilation import use_cache
    from resnet_jax.training.loop import train as train_run
    from resnet_jax.training.run_folder import RunFolder

    if options.replay is not None:
        return replay(options)
    config = config_from(options.config, options.rest)
    if config.train.deterministic:
        determinism.prepare()
    if options.distributed:
        distributed.initialize(
            options.coordinator, options.processes, options.process_id, options.local_devices
        )
    use_cache()
    ended_before = RunFolder(options.workdir).result()
    with (
        watching(show.CONSOLE, options.workdir, options.tensorboard) as observer,
        distributed.leaving_at_once(),
    ):
        result = train_run(config, options.workdir, observer, options.profile)
    if not distributed.speaks():
        return 0 if result.status == "done" else 1
    if result == ended_before:
        show.result(options.workdir, result)
    show.place("run", options.workdir)
    return 0 if result.status == "done" else 1


def replay(options: argparse.Namespace) -> int:
    """Takes one step of a run again, and says what was not finite in it."""
    from resnet_jax.cli import show
    from resnet_jax.training import replay as replays
    from resnet_jax.training.compilation import use_cache

    use_cache()
    show.replay(replays.replay(options.workdir, options.replay))
    return 0


def launch(options: argparse.Namespace) -> int:
    """Runs a training as several processes on this machine."""
    from resnet_jax.training import launch as launching

    if options.command[:1] != ["train"]:
        raise UserError("launch: give the command to run after the options, `train --config ...`")
    if options.processes < 1 or options.cpu_devices < 0:
        raise UserError("launch: --processes is 1 or more, and --cpu-devices 0 or more")
    return launching.launch(options.command, options.processes, options.cpu_devices)


def benchmark_probes(options: argparse.Namespace) -> None:
    """Times the training step of a config without and with probes."""
    from resnet_jax.cli import show
    from resnet_jax.cli.flags import config_from
    from resnet_jax.lab.benchmarks import probe_cost

    show.probe_cost(*probe_cost(config_from(options.config, options.rest)))


def benchmark_loop(options: argparse.Namespace) -> None:
    """Times what the records, evaluations and checkpoints of a config cost."""
    from resnet_jax.cli import show
    from resnet_jax.cli.flags import config_from
    from resnet_jax.lab.benchmarks import loop_cost

    show.loop_cost(loop_cost(config_from(options.config, options.rest)))


def evaluate(options: argparse.Namespace) -> None:
    """Evaluates the newest checkpoint of a run."""
    from resnet_jax.cli import show
    from resnet_jax.training.compilation import use_cache
    from resnet_jax.training.loop import evaluate_run
    from resnet_jax.training.objective import UNITS
    from resnet_jax.training.run_folder import RunFolder

    use_cache()
    found = evaluate_run(options.workdir, options.split)
    unit = UNITS[RunFolder(options.workdir).config().optimizer.loss]
    show.evaluation(options.split, found, unit)


def summary(options: argparse.Namespace) -> None:
    """Prints what a network of the zoo is made of."""
    from resnet_jax import models
    from resnet_jax.cli import show

    shape = tuple(options.image_shape) if options.image_shape else None
    show.network(options.name, models.summarize_by_name(options.name, shape))


def list_data(options: argparse.Namespace) -> None:
    """Prints the data sets known by name."""
    from resnet_jax.cli import show
    from resnet_jax.data.catalog import CATALOG

    show.datasets(CATALOG)


def prepare_data(options: argparse.Namespace) -> None:
    """Prepares a data set, once."""
    from resnet_jax.cli import show
    from resnet_jax.data.prepare import prepare

    show.place(options.name, prepare(options.name, options.data_dir))


def _command() -> str:
    """What was typed, for a report to quote."""
    return shlex.join(["resnet-jax", *run_options.whole(sys.argv[1:])])


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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="resnet-jax", description="A laboratory for residual learning."
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    command = commands.add_parser("run", help="run an experiment, and report on it")
    command.add_argument("experiment", type=Path, help="a file such as experiments/degradation.py")
    command.add_argument("--results", type=Path, default=Path("results"), metavar="FOLDER")
    run_options.add_which(command)
    run_options.add_where(command)
    command.set_defaults(call=run)

    command = commands.add_parser("report", help="rebuild an experiment's report from its records")
    command.add_argument(
        "folder", type=Path, help="such as results/degradation, or results for all in it"
    )
    command.set_defaults(call=report)

    command = commands.add_parser("compare", help="put two experiments or two runs side by side")
    command.add_argument("a", type=Path, metavar="A", help="such as results/degradation")
    command.add_argument("b", type=Path, metavar="B", help="such as results/degradation-paper")
    command.set_defaults(call=compare)

    command = commands.add_parser("claims", help="tabulate the claims of all experiments")
    command.add_argument("results", type=Path, nargs="?", default=Path("results"))
    command.add_argument(
        "--into", type=Path, metavar="PAGE.md", help="put the table there, between its comments"
    )
    command.set_defaults(call=claims)

    command = commands.add_parser(
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
    command.set_defaults(call=gradients, scale="", only=[], dry_run=False)

    command = commands.add_parser(
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
    command.set_defaults(call=train)

    command = commands.add_parser(
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
    command.set_defaults(call=launch)

    command = commands.add_parser("eval", help="evaluate a run's newest checkpoint")
    command.add_argument("--workdir", type=Path, required=True, metavar="FOLDER")
    command.add_argument("--split", choices=("train", "test"), default="test")
    command.set_defaults(call=evaluate)

    command = commands.add_parser("summary", help="show what a network is made of")
    command.add_argument("name", help="such as resnet56")
    command.add_argument("--image-shape", type=int, nargs=3, metavar=("H", "W", "C"))
    command.set_defaults(call=summary)

    benchmark = commands.add_parser("benchmark", help="measure what things cost")
    benchmark_commands = benchmark.add_subparsers(metavar="COMMAND", required=True)
    command = benchmark_commands.add_parser(
        "probes",
        help="the training step without and with probes",
        usage="resnet-jax benchmark probes --config FILE [--config.KEY=VALUE ...]",
        allow_abbrev=False,
    )
    command.add_argument("--config", required=True, metavar="FILE", help="FILE or FILE:VARIANT")
    command.set_defaults(call=benchmark_probes)
    command = benchmark_commands.add_parser(
        "loop",
        help="records, evaluations and checkpoints beside the steps",
        usage="resnet-jax benchmark loop --config FILE [--config.KEY=VALUE ...]",
        allow_abbrev=False,
    )
    command.add_argument("--config", required=True, metavar="FILE", help="FILE or FILE:VARIANT")
    command.set_defaults(call=benchmark_loop)

    data = commands.add_parser("data", help="list and prepare data sets")
    data_commands = data.add_subparsers(metavar="COMMAND", required=True)
    command = data_commands.add_parser("list", help="list the sets known by name")
    command.set_defaults(call=list_data)
    command = data_commands.add_parser("prepare", help="prepare a set, once")
    command.add_argument("name", help="such as cifar10")
    command.add_argument("--data-dir", default="", metavar="FOLDER")
    command.set_defaults(call=prepare_data)
    return parser
