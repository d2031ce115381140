"""The state: all that a run is, from one step to the next."""

from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn
from flax import struct
from jaxtyping import Array, Float, Int, Key, PyTree
from ml_collections import ConfigDict

from resnet_jax import data, models
from resnet_jax.data import Dataset, Shard
from resnet_jax.errors import UserError
from resnet_jax.training import config as configs
from resnet_jax.training.config import own_model
from resnet_jax.training.step import loss_scale, precision
from resnet_jax.training.step import optimizer as optimizers
from resnet_jax.training.step import schedule as schedules
from resnet_jax.training.step.loss_scale import LossScale
from resnet_jax.training.step.optimizer import Optimizer
from resnet_jax.training.step.precision import number
from resnet_jax.training.step.replicas import Replicas
from resnet_jax.training.step.schedule import Schedule


class Inputs(struct.PyTreeNode):
    """How raw images become what the network sees.

    Attributes:
      mean: subtracted, in units of a stored pixel (0 to 255).
      std: divided by, in the same units.
      crop_padding: pixels of padding before a random crop of the original size; 0 for no crop.
      rotate: largest angle of a random rotation, in degrees; None for none.
      mixup: alpha of mixup; None for none.
      cutmix: alpha of cutmix; None for none.
      rand_magnitude: what each operation of RandAugment does, from 0 to 30; None for none.
      flip: whether images are flipped left to right with probability one half.
      cutout: side of a random square of zeros in pixels; 0 for none.
      rand_augment: operations of RandAugment on each image.
      classes: that labels can be of.
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
        """Those of `config.data`; numbers of what it leaves out are None, and no program has them.

        Args:
          settings: `config.data`.
          dataset: for its mean and standard deviation.
        """

        def used(value: float, use: float) -> Float[Array, ""] | None:
            return number(value) if use else None

        return Inputs(
            mean=jnp.asarray(dataset.mean, float),
            std=jnp.asarray(dataset.std, float),
            rotate=used(settings.rotate, settings.rotate),
            mixup=used(settings.mixup, settings.mixup),
            cutmix=used(settings.cutmix, settings.cutmix),
            rand_magnitude=used(settings.rand_magnitude, settings.rand_augment),
            crop_padding=settings.crop_padding,
            flip=settings.flip,
            cutout=settings.cutout,
            rand_augment=settings.rand_augment,
            classes=dataset.num_classes,
        )


class TrainState(struct.PyTreeNode):
    """Everything that a step reads and writes.

    The network and the choices of the recipe are static: `jax.jit(train_step)` compiles once for
    each of them, whatever the seed and the numbers of the recipe, which are leaves.

    Attributes:
      step: number of updates made.
      params: trainable parameters, float32; float64 if the network computes in that.
      batch_stats: running means and variances of the normalisations, as the parameters.
      opt_state: the optimizer's state.
      key: the run's random key; a step's own key is folded from it and `step`.
      optimizer: settings of the optimizer.
      schedule: the learning rate as a function of the step.
      inputs: normalisation and augmentation of images.
      label_smoothing: share of the target spread evenly over the classes.
      loss_scale: of a network that computes in float16; None for others.
      ema: average of the parameters over the steps, with the weights that `ema_decay` gives them;
        None if there is none.
      ema_decay: share of the old average that a step keeps, after a start in which it keeps less.
      model: the network.
      loss: what is made smaller, a key of `objective.LOSSES`.
      accumulate: parts of a batch that a step takes one after another.
      replicas: how the step is mapped over replicas; None where it sees the whole batch.
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
        """The keys of a step's random streams, by the names under which networks draw from them.

        "dropout" masks single activations: each replica has draws of its own. "depth" takes or
        leaves whole branches, alike in all replicas. Each part of a batch has its own of both.

        Args:
          part: which of the parts of an accumulated batch is in hand.
        """
        step_key = jax.random.fold_in(self.key, self.step)
        own = jax.random.split(step_key, 3)[2]  # the first two children are the augmentation's
        dropout, depth = jax.random.split(jax.random.fold_in(own, part))
        if self.replicas:
            dropout = jax.random.fold_in(dropout, self.replicas.index())
        return {"dropout": dropout, "depth": depth}


def build_model(config: ConfigDict, num_classes: int) -> nn.Module:
    """The network of `config.model`; settings left empty are the zoo's own.

    A name such as `my_net.py:model` is a network of the user's own (see `own_model.load`), of
    which the file decides all else: with `dtype` float64 its variables and inputs are of 64 bits,
    and with float16 its loss is scaled, but no other setting of `config.model` reaches it.

    Raises:
      UserError: a name or a setting that the zoo does not have, or one that is given to a network
        of the user's own.
    """
    if own_model.is_own(config.model.name):
        _refuse_settings(config.model)
        return own_model.load(config.model.name, num_classes)
    return models.create(config.model.name, num_classes, **network_settings(config.model))


def network_settings(settings: ConfigDict) -> dict[str, Any]:
    """What `config.model` says of a network of the zoo: all but its name and what is left to it."""
    return {
        key: value
        for key, value in settings.items()
        if key != "name" and value not in ("", None, ())
    }


def _refuse_settings(settings: ConfigDict) -> None:
    """Refuses what a network of the user's own would not take notice of."""
    default = configs.base().model
    for name, value in settings.items():
        read = name == "name" or (name == "dtype" and value in ("float16", "float64"))
        if not read and value != default[name]:
            raise UserError(
                f"model.{name} = {value!r} changes nothing of {settings.name}: the file decides; "
                "leave the setting out, and write it there"
            )


def create(config: ConfigDict, dataset: Dataset) -> TrainState:
    """The state of a run before its first step.

    Twins, networks that share parameter names and shapes, start from the same values: each
    parameter's key is derived from the seed and its own name.

    Args:
      config: the run's full config.
      dataset: the set that it trains on, for the shape of an image and its mean.

    Raises:
      UserError: a setting of the network that does not exist, or float64 where it is not allowed.
    """
    precision.check(config)
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


def load_dataset(
    config: ConfigDict,
    shard: Shard = Shard(),  # noqa: B008, it is frozen
    eval_batch_size: int | None = None,
) -> Dataset:
    """The data set of a config, its order drawn from the run's seed.

    Args:
      config: the run's full config.
      shard: the part of each batch that this process loads.
      eval_batch_size: in place of the config's.
    """
    return data.load(
        config.data,
        batch_size=config.train.batch_size,
        eval_batch_size=eval_batch_size or config.train.eval_batch_size,
        seed=config.seed,
        shard=shard,
    )
