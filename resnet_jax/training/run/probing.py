"""Probing without training: the sites of a network as it is before its first step."""

import jax
from flax import linen as nn
from ml_collections import ConfigDict

from resnet_jax import models
from resnet_jax.probes import Measurement
from resnet_jax.training.devices import mapping as mappings
from resnet_jax.training.run.run_folder import Record
from resnet_jax.training.step import precision
from resnet_jax.training.step import state as states


def at_start(config: ConfigDict) -> tuple[dict[str, float], list[Record]]:
    """Measures the network of a config, untrained, on the first batch that it would train on.

    All its branches are taken (see `whole`), where a training step would draw.

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
        state = states.create(config, dataset)
        state = mapping.place(state.replace(model=whole(state.model)))
        batch = mapping.batch(dataset.train_batch(0))
        metrics, measured = mapping.measure(state, batch, tuple(config.probe.sites))
    found = jax.device_get(metrics)
    return {name: float(found[name]) for name in ("loss", "gradient_norm")}, records(measured, 0)


def whole(model: nn.Module) -> nn.Module:
    """The network with all branches taken, which are its own function's, with the same variables.

    Stochastic depth draws some of them for each step. A measurement of one draw would say which
    branches it took (the gradient of the others is zero), and little of the network.
    """
    if isinstance(model, models.ResNet) and model.survival < 1:
        return model.clone(survival=1.0, survival_rule="linear")  # no other rule says anything at 1
    return model


def records(measured: Measurement, step: int) -> list[Record]:
    """A measurement as records of a run, after so many updates: `kind` becomes `of`."""
    head = {"kind": "probe", "step": step}
    return [head | {"of": each.pop("kind")} | each for each in measured.records()]
