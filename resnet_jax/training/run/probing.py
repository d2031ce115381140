"""Probing without training: the sites of an untrained network."""

import jax
from flax import linen as nn
from ml_collections import ConfigDict

from resnet_jax import models
from resnet_jax.training.run.recorder import probe_records
from resnet_jax.training.run.run_folder import Record
from resnet_jax.training.run.session import Session


def at_start(config: ConfigDict) -> tuple[dict[str, float], list[Record]]:
    """Measures the untrained network of a config on the first training batch.

    All branches are kept (see `without_stochastic_depth`), where a training step may drop some.

    Args:
      config: a full config; `probe.sites` selects what is measured.

    Returns:
      The `loss` and the `gradient_norm` over all parameters; and a record for each site, of kind
      `probe` at step 0, as training writes them.

    Raises:
      UserError: the config or the data cannot be used, or a pattern matches no site.
    """
    session = Session(config)
    with session.precision():
        state = session.fresh()
        state = state.replace(model=without_stochastic_depth(state.model))
        metrics, measured = session.probe_step(state, session.batch(1))
        found = jax.device_get(metrics)
        records = probe_records(measured, updates=0)
    return {name: float(found[name]) for name in ("loss", "gradient_norm")}, records


def without_stochastic_depth(model: nn.Module) -> nn.Module:
    """The network with all branches kept, and the same variables.

    Gradients of a dropped branch are zero: a measurement would tell which branches a step drops,
    and little about the network.
    """
    if isinstance(model, models.ResNet) and model.stochastic_depth:
        return model.clone(stochastic_depth=None)
    return model
