"""How many seeds stand behind what a figure shows, as its caption says it."""

from collections import Counter
from collections.abc import Iterable, Sequence

from resnet_jax.lab.formatting import count
from resnet_jax.lab.results.records import Records


def per_cell(records: Records, runs: Iterable[str]) -> list[int]:
    """How many seeds each cell of the grid has among some runs; cells without any are left out.

    Args:
      records: what the runs left behind.
      runs: the names of those that a figure shows.
    """
    shown = records.runs[records.runs["run"].isin(set(runs))]
    return list(Counter(map(tuple, shown[list(records.experiment.axes)].to_numpy())).values())


def told(counts: Sequence[int]) -> str:
    """The numbers of seeds of some cells in words.

    Example:
      >>> told([3, 3]), told([3, 5, 4]), told([1]), told([])
      ('3 seeds', '3 to 5 seeds', 'one seed', 'no seed yet')
    """
    low, high = min(counts, default=0), max(counts, default=0)
    if high <= 1:
        return "one seed" if high else "no seed yet"
    return count(high, "seed") if low == high else f"{low} to {count(high, 'seed')}"


def mean_of(counts: Sequence[int], mean: str = "mean") -> str:
    """What a mark or a line is that stands for the seeds of its cell; that of one is no mean.

    Example:
      >>> mean_of([3], "geometric mean"), mean_of([1, 1])
      ('the geometric mean of 3 seeds', 'one seed')
    """
    return f"the {mean} of {told(counts)}" if several(counts) else told(counts)


def lines_and_bands(counts: Sequence[int], mean: str = "mean") -> str:
    """What lines and the bands around them are."""
    bands = " Bands: from the lowest seed to the highest." if several(counts) else ""
    return f"Lines: {mean_of(counts, mean)}.{bands}"


def several(counts: Sequence[int]) -> bool:
    """Whether a cell has more than one seed, and so a mean and a spread."""
    return max(counts, default=0) > 1
