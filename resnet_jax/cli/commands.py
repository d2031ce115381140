"""What each subcommand does: one short function, no logic of its own.

Imports stand inside the functions, so that each subcommand loads only what it needs.
"""

import argparse
import shlex
import sys

from resnet_jax.cli import run_options
from resnet_jax.errors import UserError


def run(options: argparse.Namespace) -> int:
    """Runs what is missing of an experiment, or of a piece of it, and reports on all of it."""
    import jax

    from resnet_jax import lab
    from resnet_jax.cli import show
    from resnet_jax.cli.progress import Together, display
    from resnet_jax.lab.design import grid_filter as pieces
    from resnet_jax.lab.reporting import report
    from resnet_jax.lab.running import engine, forecast
    from resnet_jax.training.run.compilation import use_cache

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
    from resnet_jax.lab.studies.gradients import write

    options.experiment = write(
        options.results, options.networks, options.seeds, options.data, options.steps
    )
    return run(options)


def report(options: argparse.Namespace) -> int:
    """Rebuilds the report of an experiment from its records, or of all in a folder of results."""
    from resnet_jax.cli import show
    from resnet_jax.lab.reporting import index as gallery
    from resnet_jax.lab.reporting import report as reports
    from resnet_jax.lab.results.folder import Folder

    if Folder(options.folder).plan.is_file() or not gallery.holds_experiments(options.folder):
        show.report(reports.build(options.folder))
        return 0
    page = gallery.build(options.folder)
    show.gallery(page)
    return 1 if page.damaged else 0


def compare(options: argparse.Namespace) -> None:
    """Puts two experiments or two runs side by side."""
    from resnet_jax.cli import show
    from resnet_jax.lab.reporting import compare as comparing

    show.comparison(options.a, options.b, comparing.compare(options.a, options.b))


def claims(options: argparse.Namespace) -> int:
    """Prints the claims of all experiments as a table in Markdown, or puts it into a page."""
    from resnet_jax.lab.reporting import overview

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
    from resnet_jax.training.devices import determinism, distributed
    from resnet_jax.training.run.compilation import use_cache
    from resnet_jax.training.run.loop import train as train_run
    from resnet_jax.training.run.run_folder import RunFolder

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
    from resnet_jax.training.run import replay as replays
    from resnet_jax.training.run.compilation import use_cache

    use_cache()
    show.replay(replays.replay(options.workdir, options.replay))
    return 0


def launch(options: argparse.Namespace) -> int:
    """Runs a training as several processes on this machine."""
    from resnet_jax.training.devices import launch as launching

    if options.command[:1] != ["train"]:
        raise UserError("launch: give the command to run after the options, `train --config ...`")
    if options.processes < 1 or options.cpu_devices < 0:
        raise UserError("launch: --processes is 1 or more, and --cpu-devices 0 or more")
    return launching.launch(options.command, options.processes, options.cpu_devices)


def benchmark_probes(options: argparse.Namespace) -> None:
    """Times the training step of a config without and with probes."""
    from resnet_jax.cli import show
    from resnet_jax.cli.flags import config_from
    from resnet_jax.lab.running.benchmarks import probe_cost

    show.probe_cost(*probe_cost(config_from(options.config, options.rest)))


def benchmark_loop(options: argparse.Namespace) -> None:
    """Times what the records, evaluations and checkpoints of a config cost."""
    from resnet_jax.cli import show
    from resnet_jax.cli.flags import config_from
    from resnet_jax.lab.running.benchmarks import loop_cost

    show.loop_cost(loop_cost(config_from(options.config, options.rest)))


def evaluate(options: argparse.Namespace) -> None:
    """Evaluates the newest checkpoint of a run."""
    from resnet_jax.cli import show
    from resnet_jax.training.run.compilation import use_cache
    from resnet_jax.training.run.loop import evaluate_run
    from resnet_jax.training.run.run_folder import RunFolder
    from resnet_jax.training.step.objective import UNITS

    use_cache()
    found = evaluate_run(options.workdir, options.split)
    unit = UNITS[RunFolder(options.workdir).config().optimizer.loss]
    show.evaluation(options.split, found, unit)


def summary(options: argparse.Namespace) -> None:
    """Prints what a network of the zoo is made of, with other settings if any are given."""
    from resnet_jax import models
    from resnet_jax.cli import show
    from resnet_jax.cli.flags import with_overrides
    from resnet_jax.training import config as configs
    from resnet_jax.training.step.state import network_settings

    config = configs.base()
    config.model.name = options.name
    settings = network_settings(with_overrides(config, options.rest).model)
    shape = tuple(options.image_shape) if options.image_shape else None
    show.network(options.name, models.summarize_by_name(options.name, shape, **settings))


def list_data(options: argparse.Namespace) -> None:
    """Prints the data sets known by name."""
    from resnet_jax.cli import show
    from resnet_jax.data.tfds.catalog import CATALOG

    show.datasets(CATALOG)


def prepare_data(options: argparse.Namespace) -> None:
    """Prepares a data set, once."""
    from resnet_jax.cli import show
    from resnet_jax.data.tfds.prepare import prepare

    show.place(options.name, prepare(options.name, options.data_dir))


def _command() -> str:
    """What was typed, for a report to quote."""
    return shlex.join(["resnet-jax", *run_options.whole(sys.argv[1:])])
