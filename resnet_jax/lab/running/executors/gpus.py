"""Which GPUs each process of this machine gets."""

import subprocess
from collections.abc import Mapping, Sequence

SHARE = 0.9  # of a GPU's memory, that processes on it share


def visible(environ: Mapping[str, str]) -> list[str]:
    """The GPUs of this machine, as `CUDA_VISIBLE_DEVICES` names them; none on one without.

    JAX is not asked: it would take their memory for this process.

    Args:
      environ: the environment, where the user may have chosen some.
    """
    if "CUDA_VISIBLE_DEVICES" in environ:
        return [name.strip() for name in environ["CUDA_VISIBLE_DEVICES"].split(",") if name.strip()]
    try:
        listed = subprocess.run(
            ["nvidia-smi", "--list-gpus"], capture_output=True, text=True, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    lines = [line for line in listed.stdout.splitlines() if line.startswith("GPU ")]
    return [str(number) for number in range(len(lines))]


def environment(
    worker: int, workers: int, gpus: Sequence[str], environ: Mapping[str, str]
) -> dict[str, str]:
    """What to set for one of several processes, so that each has a GPU of its own.

    With more processes than GPUs, they take turns, and those of one GPU share its memory.

    Args:
      worker: which process, from 0.
      workers: how many there are.
      gpus: as `visible` gives them.
      environ: the environment; a share of memory that the user has set stays.

    Example:
      >>> environment(1, 2, ["0", "3"], {}), environment(1, 2, [], {})
      ({'CUDA_VISIBLE_DEVICES': '3'}, {})
      >>> environment(2, 3, ["0", "3"], {})
      {'CUDA_VISIBLE_DEVICES': '0', 'XLA_PYTHON_CLIENT_MEM_FRACTION': '0.45'}
    """
    if not gpus:
        return {}
    place = worker % len(gpus)
    sharing = len(range(place, workers, len(gpus)))
    chosen = {"CUDA_VISIBLE_DEVICES": gpus[place]}
    if sharing > 1 and "XLA_PYTHON_CLIENT_MEM_FRACTION" not in environ:
        chosen["XLA_PYTHON_CLIENT_MEM_FRACTION"] = f"{SHARE / sharing:.2g}"
    return chosen
