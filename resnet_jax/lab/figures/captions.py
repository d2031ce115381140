"""Sentences that the captions of several figures share."""

from collections import Counter
from collections.abc import Iterable, Sequence

from resnet_jax.lab.design.protocols import Cell
from resnet_jax.lab.formatting import count
from resnet_jax.lab.results.records import Records, of_cell


def seeds_by_cell(records: Records, runs: Iterable[str]) -> list[int]:
    """Counts the seeds of each cell of the grid; cells without any are omitted.

    Args:
      records: the experiment's records.
      runs: names of the runs to count.
    """
    shown = records.runs[records.runs["run"].isin(set(runs))]
    return list(Counter(map(tuple, shown[list(records.experiment.axes)].to_numpy())).values())


def sample(counts: Sequence[int]) -> str:
    """The numbers of seeds per cell, in words.

    Example:
      >>> sample([3, 3]), sample([3, 5, 4]), sample([1]), sample([])
      ('3 seeds', '3 to 5 seeds', '1 seed', 'no seeds yet')
    """
    low, high = min(counts, default=0), max(counts, default=0)
    if not high:
        return "no seeds yet"
    return count(high, "seed") if low == high else f"{low} to {count(high, 'seed')}"


def mean_of(counts: Sequence[int], mean: str = "mean") -> str:
    """What a mark or a line shows; with a single seed it is not called a mean.

    Example:
      >>> mean_of([3], "geometric mean"), mean_of([1, 1])
      ('geometric mean of 3 seeds', '1 seed')
    """
    return f"{mean} of {sample(counts)}" if several(counts) else sample(counts)


def lines_and_bands(counts: Sequence[int], mean: str = "mean") -> str:
    """What lines, the thin ones behind them and the bands around them show."""
    bands = " Thin lines and bands: the seeds and their range." if several(counts) else ""
    return f"Lines: {mean_of(counts, mean)}.{bands}"


def several(counts: Sequence[int]) -> bool:
    """Whether a cell has more than one seed, and so a mean and a spread."""
    return max(counts, default=0) > 1


def when(step: int | None, probed: Iterable[int]) -> str:
    """The step of a probe, in words.

    Args:
      step: number of updates before it; None for the last probe.
      probed: the steps of the last probe, over the runs.
    """
    if step is None:
        last = set(probed)
        return "at the last probe" + (f" ({when(last.pop(), ())})" if len(last) == 1 else "")
    return f"after {count(step, 'step')}" if step else "at initialization"


def edge_marks(zeros: int, nonfinite: int, mixed: bool) -> list[str]:
    """Explains the marks at the edges of a logarithmic axis.

    Args:
      zeros: number of sites, over all lines, at which a seed has exactly zero.
      nonfinite: number of sites at which a seed has no finite value.
      mixed: whether other seeds have a positive value at one of these sites.
    """
    words = []
    if zeros:
        words.append(f"Triangles at the lower edge: exactly zero ({count(zeros, 'site')}).")
    if nonfinite:
        words.append(f"Crosses at the upper edge: not finite ({count(nonfinite, 'site')}).")
    if mixed:
        words.append("Where this holds for some seeds only, the line is the mean of the others.")
    return words


def not_shown(records: Records, runs: Iterable[str], where: Cell) -> str:
    """How many runs a figure does not show for lack of records; empty if it shows all.

    Args:
      records: the experiment's records.
      runs: names of the runs that it shows.
      where: the cells that it is about.
    """
    asked = of_cell(records.runs, where)["run"]
    lacking = len(asked) - int(asked.isin(set(runs)).sum())
    if not lacking:
        return ""
    verb = "has no such record and is" if lacking == 1 else "have no such records and are"
    return f"{lacking} of {count(len(asked), 'run')} {verb} not shown."
