"""Probing without training: the sites of a network as it is before its first step."""

import jax
from ml_collections import ConfigDict

from resnet_jax.probes import Measurement
from resnet_jax.training import mapping as mappings
from resnet_jax.training import precision
from resnet_jax.training import state as states
from resnet_jax.training.run_folder import Record


def at_start(config: ConfigDict) -> tuple[dict[str, float], list[Record]]:
    """Measures the network of a config, untrained, on the first batch that it would train on.

    Args:
      config: a full config; `probe.sites` says what is measured.

    Returns:
      The `loss` and the `gradient_norm` over all parameters; and a record for each site,
      of kind `probe` at step 0, as training writes them.

    Raises:
      UserError: the config or the data cannot be used, or no site matches a pattern.
    """
    with precision.of(config):
        mapping = mappings.of(config, probes=True)
        dataset = mappings.dataset(config, mapping)
        state = mapping.place(states.create(config, dataset))
        batch = mapping.batch(dataset.train_batch(0))
        metrics, measured = mapping.measure(state, batch, tuple(config.probe.sites))
    found = jax.device_get(metrics)
    return {name: float(found[name]) for name in ("loss", "gradient_norm")}, records(measured, 0)


def records(measured: Measurement, step: int) -> list[Record]:
    """A measurement as records of a run, after so many updates: `kind` becomes `of`."""
    head = {"kind": "probe", "step": step}
    return [head | {"of": each.pop("kind")} | each for each in measured.records()]
