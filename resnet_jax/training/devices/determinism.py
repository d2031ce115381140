"""Bitwise reproducible runs on GPUs, as `train.deterministic` asks for.

On a CPU runs are reproducible as they are. On a GPU the order of some sums varies, and XLA selects
algorithms by timing them, which may select another the next time. Both can be switched off before
JAX uses the GPU, at a cost in speed that depends on the network and the GPU.
"""

import os

import jax

from resnet_jax.errors import UserError

FLAGS = ("--xla_gpu_deterministic_ops=true", "--xla_gpu_autotune_level=0")


def prepare() -> None:
    """Asks XLA for determinism by an environment variable; to be called before JAX is used."""
    given = os.environ.get("XLA_FLAGS", "")
    missing = [flag for flag in FLAGS if flag not in given]
    os.environ["XLA_FLAGS"] = " ".join([given, *missing]).strip()


def require_deterministic() -> None:
    """Requires that XLA was asked for determinism, if this process uses GPUs.

    Raises:
      UserError: it was not.
    """
    given = os.environ.get("XLA_FLAGS", "")
    if jax.default_backend() == "gpu" and not all(flag in given for flag in FLAGS):
        raise UserError(
            "train.deterministic needs flags that XLA reads when it starts: set "
            f"XLA_FLAGS='{' '.join(FLAGS)}' in the environment, or use `resnet-jax train`"
        )
