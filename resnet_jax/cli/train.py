"""`resnet-jax train`: trains one run of a config, or replays one step of it."""

import argparse
from pathlib import Path

from resnet_jax.cli.arguments import Subparsers, add_config, whole_numbers
from resnet_jax.cli.terminal import CONSOLE, print_path

SITES_SHOWN = 5


def add_parser(commands: Subparsers) -> None:
    """Adds the command."""
    command = commands.add_parser(
        "train",
        help="train one run of a config",
        usage="resnet-jax train --config FILE [--config.KEY=VALUE ...] --workdir FOLDER",
        allow_abbrev=False,
    )
    add_config(command, required=False)  # a replay reads that of the run
    command.add_argument(
        "--workdir", type=Path, required=True, metavar="FOLDER", help="the run's folder"
    )
    command.add_argument(
        "--profile", type=_steps, default=range(0), metavar="N:M", help="trace steps N to M"
    )
    command.add_argument(
        "--replay",
        type=int,
        metavar="STEP",
        help="repeat this step of the run in FOLDER and report where its values are not finite",
    )
    command.add_argument("--tensorboard", action="store_true", help="write FOLDER/tensorboard")
    many = command.add_argument_group(
        "several processes (on Slurm and TPU pods --distributed is enough)"
    )
    many.add_argument("--distributed", action="store_true", help="this is one of several processes")
    many.add_argument("--coordinator", metavar="HOST:PORT", help="where the first process listens")
    many.add_argument("--processes", type=int, metavar="N", help="how many processes there are")
    many.add_argument("--process-id", type=int, metavar="I", help="which one this is, from 0")
    many.add_argument(
        "--local-devices",
        type=whole_numbers,
        metavar="0,1",
        help="the devices of this machine to use",
    )
    command.set_defaults(run=run, error=command.error)


def run(options: argparse.Namespace) -> int:
    """Trains the run, or resumes it; 1 if it diverged."""
    if options.replay is not None:
        return _replay(options.workdir, options.replay)
    if not options.config:
        options.error("the following arguments are required: --config")

    from resnet_jax.cli.flags import config_from
    from resnet_jax.cli.progress import ending, watching
    from resnet_jax.training.devices import determinism, distributed
    from resnet_jax.training.run.compilation import use_cache
    from resnet_jax.training.run.loop import train
    from resnet_jax.training.run.run_folder import RunFolder

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
        watching(CONSOLE, options.workdir, options.tensorboard) as observer,
        distributed.exiting_at_once(),
    ):
        result = train(config, options.workdir, observer, options.profile)
    if distributed.is_main_process():
        if result == ended_before:
            told = f"ended before: {ending(options.workdir.name, result)}"
            CONSOLE.print(told, highlight=False, markup=False)
        print_path("run", options.workdir)
    return 0 if result.status == "done" else 1


def _replay(workdir: Path, step: int) -> int:
    """Repeats one step of a run and prints which values are not finite."""
    from resnet_jax.training.run.compilation import use_cache
    from resnet_jax.training.run.replay import replay

    use_cache()
    found = replay(workdir, step)
    CONSOLE.print(
        f"step {found.step}, replayed from step {found.start}: "
        f"{f'loss {found.loss:.4g} {found.unit}'.rstrip()}, "
        f"gradient norm {found.gradient_norm:.4g}",
        highlight=False,
    )
    shown = ", ".join(found.not_finite[:SITES_SHOWN])
    more = len(found.not_finite) - SITES_SHOWN
    further = f" and {more} more" if more > 0 else ""
    sites = f"not finite: {shown}{further}" if found.not_finite else "every site is finite"
    CONSOLE.print(sites, highlight=False, markup=False)
    print_path("all sites, and the batch's examples", found.file)
    return 0


def _steps(text: str) -> range:
    """The type of an argument such as `10:13`: steps 10 to 13, or `10` for one step."""
    first, _, last = text.partition(":")
    if not (first.isdigit() and (last or first).isdigit() and 0 < int(first) <= int(last or first)):
        raise argparse.ArgumentTypeError(f"{text!r} is not a range of steps such as 10:13, from 1")
    return range(int(first), int(last or first) + 1)
