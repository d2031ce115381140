"""A measurement: all quantities of the selected sites of a network, on one batch."""

from collections.abc import Iterator
from typing import Any

import jax
import numpy as np
import pandas as pd
from flax import struct
from jaxtyping import Array, Float

from resnet_jax.probes.sites import Layout

Values = dict[str, Float[Array, " sites"]]

PLACE = ("site", "kind", "stage", "unit", "layer", "depth")
"""Columns of a table that locate a site; see `sites.Site`, whose `path` is the column "site"."""

QUANTITIES = (
    "gradient_norm",
    "gradient_rms",
    "signal_mean",
    "signal_variance",
    "signal_std",
    "channel_variance",
    "weight_norm",
    "relative",
    "invariant",
    "update_ratio",
)
"""Columns of a table that are measured. G is a gradient; W is a parameter, or all kernels of a
unit's branch as one vector.

    gradient_norm     Frobenius norm |G|; of an activation, over the whole batch
    gradient_rms      |G| / sqrt(size of W); of an activation, batch size x root mean square, which
                      is that of one example's loss, since the loss is a mean
    signal_mean       mean over all elements
    signal_variance   variance over all elements
    signal_std        its root: at the outputs of norms, He et al. 2015, Fig. 7
    channel_variance  variance over examples and positions, averaged over channels: Var(x) in De and
                      Smith 2020 (arXiv 2002.10444); the spread of the channels' means is excluded
    weight_norm       |W|
    relative          |G| / |W|
    invariant         |G| |W|, independent of the scale of weights that a norm follows
    update_ratio      |update| / |W|, in a training step
"""


class Measurement(struct.PyTreeNode):
    """Quantities by name, each a vector over the sites of one kind.

    Attributes:
      activations: quantities of the outputs of modules.
      parameters: quantities of single parameters.
      units: quantities of the kernels of each unit's branch.
      layout: the sites.
    """

    activations: Values
    parameters: Values
    units: Values
    layout: Layout = struct.field(pytree_node=False)

    def records(self) -> list[dict[str, Any]]:
        """One dict for each site, in network order: its place and its quantities.

        NaN (a gradient relative to weights that are all zero) is left out; zeros are kept.
        """
        return [record for _, record in sorted(self._numbered(), key=lambda pair: pair[0])]

    def table(self) -> pd.DataFrame:
        """One row for each site, in network order.

        Returns:
          Columns `PLACE` and `QUANTITIES`; NaN where a site does not have a quantity.
        """
        return table(self.records())

    def _numbered(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Positions and records."""
        values = jax.device_get((self.activations, self.parameters, self.units))
        layout = (self.layout.activations, self.layout.parameters, self.layout.units)
        for sites, columns in zip(layout, values, strict=True):
            for row, site in enumerate(sites):
                place = {"site": site.path} | {name: getattr(site, name) for name in PLACE[1:]}
                found = {name: float(column[row]) for name, column in columns.items()}
                numbers = {name: value for name, value in found.items() if not np.isnan(value)}
                yield site.position, place | numbers


def table(records: list[dict[str, Any]]) -> pd.DataFrame:
    """Records as `Measurement.table` returns them; other keys become further columns."""
    keys = dict.fromkeys(key for record in records for key in record)
    columns = list(dict.fromkeys([*PLACE, *QUANTITIES, *keys]))
    frame = pd.DataFrame.from_records(records, columns=columns)
    return frame.astype(dict.fromkeys(QUANTITIES, np.float64))
