"""`resnet-jax eval`: evaluates the newest checkpoint of a run."""

import argparse
from pathlib import Path

from resnet_jax.cli.arguments import Subparsers
from resnet_jax.cli.terminal import CONSOLE


def add_parser(commands: Subparsers) -> None:
    """Adds the command."""
    command = commands.add_parser("eval", help="evaluate a run's newest checkpoint")
    command.add_argument(
        "--workdir", type=Path, required=True, metavar="FOLDER", help="the run's folder"
    )
    command.add_argument("--split", choices=("train", "test"), default="test")
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Prints the error and the loss over all examples of the split."""
    from resnet_jax.training.run.compilation import use_cache
    from resnet_jax.training.run.run_folder import RunFolder
    from resnet_jax.training.run.session import evaluate_run
    from resnet_jax.training.step.objective import UNITS

    use_cache()
    found = evaluate_run(options.workdir, options.split)
    unit = UNITS[RunFolder(options.workdir).config().optimizer.loss]
    CONSOLE.print(
        f"step {found['step']}, {options.split} split, {found['examples']} examples: "
        f"error {found['error']:.2f}%, loss {found['loss']:.4f} {unit}".rstrip(),
        highlight=False,
    )
