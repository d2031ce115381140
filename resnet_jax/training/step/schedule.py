"""The learning rate as a function of the step."""

import jax.numpy as jnp
from flax import struct
from jaxtyping import Array, Float, Int
from ml_collections import ConfigDict

from resnet_jax.errors import UserError
from resnet_jax.training.config import durations
from resnet_jax.training.step.precision import number

NEVER = 2**31 - 1  # in place of no drops: Orbax cannot save an array without elements


class Schedule(struct.PyTreeNode):
    """A learning rate schedule with a warm-up.

    Its numbers are leaves of a pytree, not constants of the program, so that runs which differ only
    in them share one compilation.

    Attributes:
      peak: the learning rate after the warm-up.
      total: length of the run in steps, where the cosine reaches zero.
      warmup_steps: length of the warm-up; 0 for none.
      warmup_factor: share of the peak at which a linear warm-up starts, or a constant one stays.
      drops: steps at which the rate is multiplied by `drop_factor`.
      drop_factor: factor of each drop.
      name: `constant`, `piecewise` or `cosine`.
      warmup: `linear` or `constant`.
    """

    peak: Float[Array, ""]
    total: Int[Array, ""]
    warmup_steps: Int[Array, ""]
    warmup_factor: Float[Array, ""]
    drops: Int[Array, " drops"]
    drop_factor: Float[Array, ""]
    name: str = struct.field(pytree_node=False)
    warmup: str = struct.field(pytree_node=False)

    def __call__(self, step: Int[Array, ""]) -> Float[Array, ""]:
        """The learning rate of the update from `step` to `step + 1`.

        With s the step, w the length of the warm-up, T the total, f the warm-up factor:

          linear warm-up, s < w:    peak * (f + (1 - f) * (s + 1) / w)
          constant warm-up, s < w:  peak * f
          constant:   peak
          piecewise:  peak * drop_factor ** (number of drops at or before s)
          cosine:     peak * (1 + cos(pi * (s - w) / (T - w))) / 2   (Loshchilov and Hutter 2017)
        """
        return self.peak * jnp.where(
            step < self.warmup_steps, self._warmup_share(step), self._share(step)
        )

    def _warmup_share(self, step: Int[Array, ""]) -> Float[Array, ""]:
        if self.warmup == "constant":
            return self.warmup_factor
        progress = (step + 1) / jnp.maximum(self.warmup_steps, 1)
        return self.warmup_factor + (1 - self.warmup_factor) * progress

    def _share(self, step: Int[Array, ""]) -> Float[Array, ""]:
        if self.name == "piecewise":
            return self.drop_factor ** jnp.sum(step >= self.drops)
        if self.name == "cosine":
            past, length = step - self.warmup_steps, self.total - self.warmup_steps
            # cos(t / 2)^2 = (1 + cos(t)) / 2, without cancellation near the end.
            return jnp.cos(jnp.pi / 2 * past / jnp.maximum(length, 1)) ** 2
        return jnp.ones(())


def from_config(config: ConfigDict, steps_per_epoch: float) -> Schedule:
    """The schedule of a config, with durations resolved to steps.

    Raises:
      UserError: a duration is given twice, the warm-up is longer than the run, or drops are given
        to another schedule than `piecewise`.
    """
    settings = config.schedule
    total = durations.total(config.train, steps_per_epoch)
    warmup = durations.steps(settings, "warmup", steps_per_epoch)
    drops = durations.moments(settings, "drop", steps_per_epoch)
    if warmup > total:
        raise UserError(
            f"a warm-up of {warmup} steps is longer than the run of {total}: shorten it with "
            f"{'schedule.warmup_steps' if settings.warmup_steps else 'schedule.warmup_epochs'}"
        )
    if bool(drops) != (settings.name == "piecewise"):
        raise UserError(
            f"schedule.name = '{settings.name}' with the drops {drops}: drop_steps or drop_epochs "
            "belong to 'piecewise', which needs them"
        )
    return Schedule(
        peak=number(config.optimizer.learning_rate),
        total=jnp.int32(total),
        warmup_steps=jnp.int32(warmup),
        warmup_factor=number(settings.warmup_factor),
        drops=jnp.array(drops or (NEVER,), jnp.int32),
        drop_factor=number(settings.drop_factor),
        name=settings.name,
        warmup=settings.warmup,
    )
