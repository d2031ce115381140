"""How a ratio grows from network to network: its mean at each depth, and two laws through them."""

import numpy as np
import pandas as pd

from resnet_jax.lab.analysis import growth
from resnet_jax.lab.analysis.growth import Line
from resnet_jax.lab.formatting import number


def means(table: pd.DataFrame) -> pd.DataFrame:
    """The geometric mean of the ratios at each depth, and its 95% interval.

    Args:
      table: as `ratio.Ratio.table` gives it.

    Returns:
      One row for each depth that has a positive, finite ratio: `depth`, `mean`, `low`, `high`.
    """
    rows = []
    for depth, cell in table[~table["zeros"] & ~table["strange"]].groupby("depth"):
        mean = growth.geometric(cell["ratio"])
        rows.append({"depth": depth, "mean": mean.mean, "low": mean.low, "high": mean.high})
    return pd.DataFrame(rows, columns=["depth", "mean", "low", "high"]).astype(float)


def fits(mean: pd.DataFrame) -> dict[str, Line]:
    """Lines through the logarithm of the mean ratio: in the depth, and in its logarithm.

    Args:
      mean: as `means` gives it.

    Returns:
      By the names of the laws; NaN where fewer than three depths have a mean.
    """
    depth, log = mean["depth"].to_numpy(), np.log(mean["mean"].to_numpy())
    return {
        "exponential": growth.line(depth, log),
        "power law": growth.line(np.log(depth), log),
    }


def fit_words(mean: pd.DataFrame) -> str:
    """What the fits to the means say, in words; empty if there are too few to fit."""
    exponential, power = fits(mean).values()
    if np.isnan(exponential.slope):
        return ""
    return (
        f"exponential, a factor of {number(np.exp(exponential.slope), 3)} per layer "
        f"(R² {number(exponential.r2, 3)}); power law, an exponent of {number(power.slope, 2)} "
        f"(R² {number(power.r2, 3)})"
    )
