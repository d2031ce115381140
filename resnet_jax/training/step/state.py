"""The training state: everything that a step reads and writes."""

from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn
from flax import struct
from jaxtyping import Array, Float, Int, Key, PyTree
from ml_collections import ConfigDict

from resnet_jax import models
from resnet_jax.data import Dataset
from resnet_jax.training.config.network import build_model
from resnet_jax.training.step import loss_scale, precision
from resnet_jax.training.step import optimizer as optimizers
from resnet_jax.training.step import schedule as schedules
from resnet_jax.training.step.loss_scale import LossScale
from resnet_jax.training.step.optimizer import Optimizer
from resnet_jax.training.step.precision import number
from resnet_jax.training.step.replicas import Replicas
from resnet_jax.training.step.schedule import Schedule


class Inputs(struct.PyTreeNode):
    """Normalization and augmentation of images; disabled augmentations are None and not traced.

    Attributes:
      mean: subtracted, in pixel values (0 to 255).
      std: divided by, in pixel values.
      rotate: largest angle of a random rotation, in degrees; None for none.
      mixup: alpha of mixup; None for none.
      cutmix: alpha of CutMix; None for none.
      rand_magnitude: magnitude of RandAugment's operations, from 0 to 30; None for none.
      crop_padding: pixels of padding before a random crop of the original size; 0 for no crop.
      flip: whether images are flipped left to right with probability 1/2.
      cutout: side of a random square of zeros, in pixels; 0 for none.
      rand_augment: number of RandAugment's operations on each image.
      classes: number of classes.
    """

    mean: Float[Array, "*h_w_c"]
    std: Float[Array, "*h_w_c"]
    rotate: Float[Array, ""] | None
    mixup: Float[Array, ""] | None
    cutmix: Float[Array, ""] | None
    rand_magnitude: Float[Array, ""] | None
    crop_padding: int = struct.field(pytree_node=False)
    flip: bool = struct.field(pytree_node=False)
    cutout: int = struct.field(pytree_node=False)
    rand_augment: int = struct.field(pytree_node=False)
    classes: int = struct.field(pytree_node=False)

    @staticmethod
    def of(settings: ConfigDict, dataset: Dataset) -> "Inputs":
        """The inputs of `config.data`, with mean and standard deviation of the dataset."""

        def enabled(value: float, by: float) -> Float[Array, ""] | None:
            return number(value) if by else None

        return Inputs(
            mean=jnp.asarray(dataset.mean, float),
            std=jnp.asarray(dataset.std, float),
            rotate=enabled(settings.rotate, by=settings.rotate),
            mixup=enabled(settings.mixup, by=settings.mixup),
            cutmix=enabled(settings.cutmix, by=settings.cutmix),
            rand_magnitude=enabled(settings.rand_magnitude, by=settings.rand_augment),
            crop_padding=settings.crop_padding,
            flip=settings.flip,
            cutout=settings.cutout,
            rand_augment=settings.rand_augment,
            classes=dataset.num_classes,
        )


class TrainState(struct.PyTreeNode):
    """Everything that a step reads and writes.

    The network and the choices of the recipe are static: `jax.jit(train_step)` compiles once for
    each of them. Seed and hyperparameters are leaves, and need no new compilation.

    Attributes:
      step: number of updates made.
      params: parameters, float32; float64 in a float64 run.
      batch_stats: running means and variances of the norms, of the same dtype.
      opt_state: state of the optimizer.
      key: random key of the run; the key of a step is folded from it and `step`.
      optimizer: hyperparameters of the optimizer.
      schedule: learning rate as a function of the step.
      inputs: normalization and augmentation.
      label_smoothing: share of the target spread evenly over classes.
      loss_scale: the dynamic loss scale of a float16 run; None for others.
      ema: exponential moving average of the parameters; None if `train.ema_decay` is 0.
      ema_decay: weight of the old average in a step (see `step.moving_average`).
      model: the network.
      loss: a key of `objective.LOSSES`.
      accumulate: number of parts of a batch in gradient accumulation; 1 for the whole batch.
      replicas: the axis over which the step is mapped; None if it sees the whole batch.
    """

    step: Int[Array, ""]
    params: PyTree
    batch_stats: PyTree
    opt_state: PyTree
    key: Key[Array, ""]
    optimizer: Optimizer
    schedule: Schedule
    inputs: Inputs
    label_smoothing: Float[Array, ""]
    loss_scale: LossScale | None
    ema: PyTree
    ema_decay: Float[Array, ""]
    model: nn.Module = struct.field(pytree_node=False)
    loss: str = struct.field(pytree_node=False)
    accumulate: int = struct.field(pytree_node=False)
    replicas: Replicas | None = struct.field(pytree_node=False)

    def streams(self, part: Int[Array, ""] | int = 0) -> dict[str, Key[Array, ""]]:
        """The random keys of a step by the names of the network's streams.

        "dropout" masks activations, with other keys on each replica. "depth" drops whole branches
        (stochastic depth), the same ones on all replicas.

        Args:
          part: index of the part of an accumulated batch; each has keys of its own.
        """
        step_key = jax.random.fold_in(self.key, self.step)
        own = jax.random.split(step_key, 3)[2]  # augmentation uses the first two
        dropout, depth = jax.random.split(jax.random.fold_in(own, part))
        if self.replicas:
            dropout = jax.random.fold_in(dropout, self.replicas.index())
        return {"dropout": dropout, "depth": depth}


def create(config: ConfigDict, dataset: Dataset) -> TrainState:
    """The state of a run before its first step.

    Twins, networks with equal parameter names and shapes, start from equal values: the key of a
    parameter is derived from the seed and the parameter's name.

    Args:
      config: the full config.
      dataset: for the number of classes, the shape of an image and the mean image.

    Raises:
      UserError: the network has no such setting, or 64-bit arrays are needed and not enabled.
    """
    precision.require_x64(config)
    model = build_model(config, dataset.num_classes)
    init_key, run_key = jax.random.split(jax.random.key(config.seed))
    variables: Any = models.initialize(model, init_key, dataset.image_shape)
    variables = precision.widened(variables) if precision.is_double(config) else variables
    optimizer = optimizers.from_config(config.optimizer)
    schedule = schedules.from_config(config, dataset.num_train / config.train.batch_size)
    return TrainState(
        step=jnp.int32(0),
        params=variables["params"],
        batch_stats=variables.get("batch_stats", {}),
        opt_state=optimizer.transformation(schedule.peak).init(variables["params"]),
        key=run_key,
        optimizer=optimizer,
        schedule=schedule,
        inputs=Inputs.of(config.data, dataset),
        label_smoothing=number(config.optimizer.label_smoothing),
        loss_scale=loss_scale.from_config(config),
        ema=jax.tree.map(jnp.copy, variables["params"]) if config.train.ema_decay else None,
        ema_decay=number(config.train.ema_decay),
        model=model,
        loss=config.optimizer.loss,
        accumulate=config.train.accumulate,
        replicas=None,
    )
