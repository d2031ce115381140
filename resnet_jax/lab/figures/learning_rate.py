"""When the learning rate of a run drops, from its training records."""

import numpy as np
import pandas as pd

from resnet_jax.lab.design.protocols import Cell
from resnet_jax.lab.results.records import Records, of_cell

SHARE = 0.6  # a drop is a fall below this share of what the rate was, where it then stays


def drops(records: Records, cell: Cell) -> pd.DataFrame:
    """The drops of a learning rate that goes down in steps.

    The training records say between which two of them a drop lies; it is put at the first, which
    is exact where records are written at drops. What falls smoothly, as a cosine, has none.

    Args:
      records: what the runs left behind.
      cell: a value for each axis.

    Returns:
      One row for each drop: `step`, and the `rate` from there on.
    """
    none = pd.DataFrame({"step": pd.Series(dtype=int), "rate": pd.Series(dtype=float)})
    if "learning_rate" not in records.metrics:
        return none
    trained = records.metrics[records.metrics["kind"] == "train"]
    of_runs = trained[trained["run"].isin(of_cell(records.runs, cell)["run"])]
    if not len(of_runs):
        return none
    longest = of_runs["run"].value_counts(sort=True).index[0]
    one = of_runs[of_runs["run"] == longest].sort_values("step")
    step, rate = one["step"].to_numpy(dtype=int), one["learning_rate"].to_numpy(dtype=float)
    fell = (rate[1:-1] < SHARE * rate[:-2]) & np.isclose(rate[2:], rate[1:-1], rtol=1e-4)
    return pd.DataFrame({"step": step[:-2][fell], "rate": rate[1:-1][fell]})
