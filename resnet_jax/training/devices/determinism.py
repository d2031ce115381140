"""The same bits each time, on GPUs too.

On a CPU a run gives the same bits each time as it is. On a GPU some operations add up in an order
that varies, and XLA chooses the fastest of several algorithms by a clock, which may choose another
the next time. Both can be forbidden, before JAX has begun to use the GPU; steps become slower by
a share that depends on the network and is to be measured on the machine in question.
"""

import os

import jax

from resnet_jax.errors import UserError

FLAGS = ("--xla_gpu_deterministic_ops=true", "--xla_gpu_autotune_level=0")


def prepare() -> None:
    """Asks XLA for deterministic operations, in its environment variable: before JAX is used."""
    given = os.environ.get("XLA_FLAGS", "")
    missing = [flag for flag in FLAGS if flag not in given]
    os.environ["XLA_FLAGS"] = " ".join([given, *missing]).strip()


def check() -> None:
    """Checks that a run on GPUs gets what `train.deterministic` asks for.

    Raises:
      UserError: XLA was not asked in time.
    """
    given = os.environ.get("XLA_FLAGS", "")
    if jax.default_backend() == "gpu" and not all(flag in given for flag in FLAGS):
        raise UserError(
            "train.deterministic takes settings of XLA that it reads once, when it starts: set "
            f"XLA_FLAGS='{' '.join(FLAGS)}' in the environment, or train by the command line"
        )
