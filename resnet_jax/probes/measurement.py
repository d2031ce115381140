"""A measurement: every quantity of every chosen site of a network, at one batch."""

from collections.abc import Iterator
from typing import Any

import jax
import numpy as np
import pandas as pd
from flax import struct
from jaxtyping import Array, Float

from resnet_jax.probes.sites import Layout, Site

Values = dict[str, Float[Array, " sites"]]

PLACE = ("site", "kind", "stage", "unit", "layer", "depth")
"""Columns that say where, in the order in which a table has them."""

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
"""Columns that say what. G is a gradient, W a parameter or all kernels of a unit's branch.

    gradient_norm     Frobenius norm; of an activation, over the whole batch
    gradient_rms      |G| / sqrt(size of W); of an activation, batch size x root mean square, which
                      is the gradient of one example's loss, since the loss is a mean
    signal_mean       of all elements
    signal_variance   of all elements
    signal_std        its root: He et al. 2015, Fig. 7, at sites of norms
    channel_variance  over examples and positions, the mean of all channels: the Var(x) of De and
                      Smith 2020 (arXiv 2002.10444); what channels' means differ by is not in it
    weight_norm       |W|
    relative          |G| / |W|
    invariant         |G| |W|, unchanged by the scale of weights before a norm
    update_ratio      |step| / |W|, in a training step
"""


class Measurement(struct.PyTreeNode):
    """What was measured: for each kind of site, quantities by name as vectors over its sites.

    Attributes:
      activations: of the outputs of modules.
      parameters: of single parameters.
      units: of the kernels of each unit's branch.
      layout: the sites.
    """

    activations: Values
    parameters: Values
    units: Values
    layout: Layout = struct.field(pytree_node=False)

    def records(self) -> list[dict[str, Any]]:
        """One dict for each site, in network order: its place and the quantities that it has.

        What is not a number (relative to weights that are all zero, say) is left out; zeros stay.
        """
        return [record for _, record in sorted(self._numbered(), key=lambda pair: pair[0])]

    def table(self) -> pd.DataFrame:
        """One row for each site, in network order.

        Returns:
          Columns `PLACE` and `QUANTITIES`, with NaN for a quantity that a site does not have.
        """
        return table(self.records())

    def _numbered(self) -> Iterator[tuple[int, dict[str, Any]]]:
        values = jax.device_get((self.activations, self.parameters, self.units))
        layout = (self.layout.activations, self.layout.parameters, self.layout.units)
        for sites, columns in zip(layout, values, strict=True):
            for row, site in enumerate(sites):
                found = {name: float(column[row]) for name, column in columns.items()}
                yield site.position, _place(site) | _numbers(found)


def table(records: list[dict[str, Any]]) -> pd.DataFrame:
    """Records as a table, as `Measurement.table` has it; further keys become further columns."""
    further = dict.fromkeys(key for record in records for key in record)
    columns = list(dict.fromkeys([*PLACE, *QUANTITIES, *further]))
    frame = pd.DataFrame.from_records(records, columns=columns)
    return frame.astype(dict.fromkeys(QUANTITIES, np.float64))


def _place(site: Site) -> dict[str, Any]:
    return {
        "site": site.path,
        "kind": site.kind,
        "stage": site.stage,
        "unit": site.unit,
        "layer": site.layer,
        "depth": site.depth,
    }


def _numbers(found: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in found.items() if not np.isnan(value)}
