"""The tree of settings: every key that a config may set, its default, and what it means.

A file in `configs/` starts from `base()` and changes what it needs. Nothing outside this tree
exists: a key that is not here is a mistake, and is answered with the nearest one that is.
"""

import functools
import importlib.util
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ml_collections import ConfigDict
from ml_collections.config_dict import placeholder

from resnet_jax.errors import UserError, did_you_mean


def base() -> ConfigDict:
    """The whole tree with its defaults: ResNet-20 on digits, SGD with momentum, 100 steps.

    Durations come in pairs, `..._steps` and `..._epochs`; zero (or an empty tuple) is "not given",
    and to give both is an error. Empty strings leave a choice to the zoo or to the data set.
    """
    config = ConfigDict()
    config.seed = 0  # of the initial weights, the order of the data, and the augmentation

    config.model = model = ConfigDict()
    model.name = "resnet20"  # an entry of the zoo, or FILE.py:VARIABLE, a Linen module
    # What is empty or None is as the zoo has it; the names of choices stand in models/network.py.
    model.stage_sizes = ()  # units in each stage
    model.widths = ()  # channels of each stage
    model.stem = ""  # cifar | imagenet | deep | none
    model.stem_width = placeholder(int)  # channels that leave the stem
    model.branch = ""  # single | basic | bottleneck
    model.kernel_size = placeholder(int)  # of the convolutions that are 3x3 in the papers
    model.cardinality = placeholder(int)  # groups of a bottleneck's inner convolution
    model.bottleneck_width = placeholder(int)  # channels of each, in a stage of 64
    model.squeeze = placeholder(int)  # reduction of a squeeze and excitation; 0: none
    model.shortcut = ""  # none | A | B | C | D | scaled | exclusive_gating | ...
    model.shortcut_scale = placeholder(float)  # what the shortcut "scaled" multiplies by
    model.gate_bias = placeholder(float)  # where the biases of gates start
    model.shortcut_dropout = placeholder(float)  # rate of the shortcut "dropout"
    model.order = ""  # original | preactivation | bn_after_addition | ...
    model.stride_on = ""  # conv1 (as in the paper) | conv2 ("v1.5"): the strided bottleneck layer
    model.activation = ""  # relu | leaky_relu | elu | gelu | swish | tanh
    model.initializer = ""  # he | orthogonal | delta_orthogonal | glorot
    model.branch_scale = ""  # none | constant | skipinit | rezero | fixup: what multiplies a branch
    model.branch_constant = placeholder(float)  # what the branch scale "constant" multiplies by
    model.survival = placeholder(float)  # stochastic depth: probability of the last unit's branch
    model.survival_rule = ""  # linear | uniform: what that says of the other units'
    model.dropout = placeholder(float)  # rate, between the convolutions of a branch
    model.unit_dropout = placeholder(float)  # rate, between units
    model.normalization = ""  # batch | group | layer | none
    model.norm_groups = placeholder(int)  # groups of channels of group norm
    model.momentum = 0.9  # of the running statistics
    model.epsilon = 1e-5  # added to the variance
    model.zero_init_residual = False  # every branch starts at zero
    # Of the computation: float32 | bfloat16 | float16 | float64. Parameters stay float32, and are
    # float64 in the last; float16 comes with a loss scale (train.loss_scale).
    model.dtype = "float32"

    config.data = data = ConfigDict()
    data.name = "digits"  # `resnet-jax data list`, or any TFDS set with an image and a label
    data.data_dir = ""  # where prepared sets lie
    data.train_split = ""
    data.test_split = ""
    data.image_key = ""
    data.label_key = ""
    data.image_size = 0  # 0: as stored; otherwise random-resized crops of this many pixels
    data.normalize = "pixel"  # pixel | channel | none: which mean is subtracted
    data.crop_padding = 0  # pixels of padding before a random crop; 0: no crop
    data.flip = False  # random horizontal flip
    data.rotate = 0.0  # largest angle of a random rotation, in degrees; 0: none
    data.cutout = 0  # side of a random square of zeros, in pixels; 0: none
    data.rand_augment = 0  # RandAugment: operations on each image, of fourteen; 0: none
    data.rand_magnitude = 9.0  # RandAugment: how much each does, from 0 to 30
    data.mixup = 0.0  # alpha of the share that another example is mixed in with; 0: none
    data.cutmix = 0.0  # alpha of the share that a box of another example takes; 0: none
    data.workers = 0  # processes that decode large images; 0: in this process
    data.synthetic = ConfigDict(
        dict(shape=(8, 8, 1), classes=10, num_train=1024, num_test=256)
    )  # what data.name = "synthetic" makes

    config.optimizer = optimizer = ConfigDict()
    optimizer.name = "sgd"  # sgd | rmsprop | adagrad | adam | adamw | lars | lamb
    optimizer.learning_rate = 0.1
    optimizer.momentum = 0.9  # sgd, rmsprop, lars; 0: none
    optimizer.nesterov = False  # sgd, rmsprop, lars
    optimizer.b1 = 0.9  # adam, adamw, lamb: of the mean of gradients
    optimizer.b2 = 0.999  # adam, adamw, lamb, rmsprop: of the mean of squared gradients
    optimizer.epsilon = 1e-8  # all but sgd and lars
    optimizer.trust_coefficient = 0.001  # lars: a layer's step at rate 1, in norms of its weights
    optimizer.weight_decay = 1e-4  # L2; decoupled from the gradient in adamw and lamb
    optimizer.l1 = 0.0  # coefficient of an L1 penalty
    optimizer.decay = "all"  # all (as in the papers) | kernels: what L2, L1 and trust ratios act on
    optimizer.clip_norm = 0.0  # largest global norm of the gradient; 0: not clipped
    optimizer.clip_value = 0.0  # largest size of an element of the gradient; 0: not clipped
    optimizer.loss = "cross_entropy"  # cross_entropy | mean_squared_error, from the one-hot label
    optimizer.label_smoothing = 0.0

    config.schedule = schedule = ConfigDict()
    schedule.name = "constant"  # constant | piecewise | cosine
    schedule.warmup = "linear"  # linear | constant, from or at warmup_factor x learning rate
    schedule.warmup_factor = 0.0
    schedule.warmup_steps = 0
    schedule.warmup_epochs = 0.0
    schedule.drop_steps = ()  # piecewise: when the rate is multiplied by drop_factor
    schedule.drop_epochs = ()
    schedule.drop_factor = 0.1

    config.devices = devices = ConfigDict()
    devices.mapping = "jit"  # jit | pmap: how devices run the step (see training/mapping.py)
    devices.count = 0  # how many devices; 0: all
    devices.batch_stats = "sync"  # sync | per_replica: whose statistics normalise a batch

    config.probe = probe = ConfigDict()
    probe.steps = ()  # measure the network after so many updates; 0 is before the first
    probe.every = 0  # and every so many steps from then on; 0: not
    probe.sites = ("stage*/unit??", "*/conv?", "*/kernel")  # what is measured, as shell patterns

    config.train = train = ConfigDict()
    train.steps = 0
    train.epochs = 0.0
    train.batch_size = 128  # over all devices
    train.accumulate = 1  # parts that a batch is taken in; each is normalised by itself
    train.ema_decay = 0.0  # of averaged weights, evaluated beside the raw ones; 0: none
    train.loss_scale = 2.0**15  # float16: what the loss is multiplied by at first; a power of two
    train.loss_scale_period = 2000  # float16: so many good updates double it, a bad one halves it
    train.deterministic = False  # the same bits each time on GPUs too, at a cost in speed
    train.eval_batch_size = 256
    train.log_steps = 10  # a record of the training error this often
    train.eval_steps = 0  # an evaluation on the test split this often, and at the end
    train.eval_epochs = 0.0
    train.checkpoint_steps = 0  # a checkpoint this often, and at the end
    train.checkpoint_epochs = 0.0
    train.keep_checkpoints = 2
    return config


def load(path: str | Path, variant: str = "") -> ConfigDict:
    """The config that a Python file's `get_config()` returns, checked.

    Args:
      path: the file.
      variant: given to `get_config` unless it is empty.

    Raises:
      UserError: there is no such file, it does not run, or it is no config.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"there is no config file {path}")
    spec = importlib.util.spec_from_file_location(f"config_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise UserError(f"{path} is not a Python file; a config ends in .py")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
        config = module.get_config(*([variant] if variant else []))
    except UserError:
        raise
    except Exception as error:
        raise UserError(f"{path} does not run: {type(error).__name__}: {error}") from error
    if not isinstance(config, ConfigDict):
        raise UserError(f"{path}: get_config() returns {kind_of(config)}, and not a ConfigDict")
    check(config)
    return config


def override(config: ConfigDict, settings: Mapping[str, Any]) -> ConfigDict:
    """A copy of a config with some settings changed.

    Args:
      config: a config made from `base()`.
      settings: new values by dotted name, `{"model.name": "plain20"}`.

    Raises:
      UserError: a name that the config does not have, or a value of another type.
    """
    config = config.copy_and_resolve_references()
    for name, value in settings.items():
        *parents, leaf = name.split(".")
        branch: Any = config
        for parent in parents:
            branch = branch.get(parent) if isinstance(branch, ConfigDict) else None
        if not isinstance(branch, ConfigDict) or leaf not in branch:
            raise UserError(f"no setting '{name}': {did_you_mean(name, flatten(config))}")
        _check_optional(name, value)
        try:
            branch[leaf] = value
        except TypeError:
            raise UserError(
                f"{name} = {value!r} is {kind_of(value)}; it takes {takes(name, branch[leaf])}"
            ) from None
    return config


def check(config: ConfigDict) -> None:
    """Raises a `UserError` if a config has other keys than `base()`, or settings that clash."""
    given, known = flatten(config), flatten(base())
    for name in given:
        if name not in known:
            raise UserError(f"no setting '{name}': {did_you_mean(name, known)}")
    if missing := [name for name in known if name not in given]:
        raise UserError(f"the setting '{missing[0]}' is missing; start a config from base()")
    for name, choices in _CHOICES.items():
        if given[name] not in choices:
            raise UserError(f"{name} = {given[name]!r}: {did_you_mean(str(given[name]), choices)}")
    for name in optional():
        _check_optional(name, given[name])
    for name, (low, high) in _RANGES.items():
        if not low <= given[name] <= high:
            limit = f"from {low} to {high}" if math.isfinite(high) else f"{low} or more"
            raise UserError(f"{name} = {given[name]}: must be {limit}")
    for name, kind in _ELEMENTS.items():
        if not all(isinstance(each, kind) for each in given[name]):
            raise UserError(f"{name} = {given[name]!r}: must be a tuple of {_NAMES[kind]}")
    if given["data.mixup"] and given["data.cutmix"]:
        raise UserError(
            f"data.mixup = {given['data.mixup']} and data.cutmix = {given['data.cutmix']} both mix "
            "a batch's examples: set one of them to 0"
        )
    if math.frexp(given["train.loss_scale"])[0] != 0.5:
        raise UserError(
            f"train.loss_scale = {given['train.loss_scale']}: must be a power of two, which "
            "changes no digit of a gradient"
        )
    if not given["model.name"]:
        raise UserError("model.name is empty: name a network, such as 'resnet20'")


def flatten(config: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """The leaves of a config by dotted name, in the order of the tree."""
    leaves: dict[str, Any] = {}
    for key in config:
        value, name = config[key], f"{prefix}{key}"
        nested = isinstance(value, ConfigDict | dict)
        leaves |= flatten(value, f"{name}.") if nested else {name: value}
    return leaves


def differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """What differs between two configs, a line each: `model.name: 'plain20' -> 'resnet20'`."""
    ours, theirs = flatten(to_dict(one)), flatten(to_dict(other))
    names = dict.fromkeys([*ours, *theirs])
    return [
        f"{name}: {ours.get(name)!r} -> {theirs.get(name)!r}"
        for name in names
        if ours.get(name) != theirs.get(name)
    ]


def to_dict(config: Mapping[str, Any]) -> dict[str, Any]:
    """A config as plain JSON types (tuples become lists)."""
    plain = config.to_dict() if isinstance(config, ConfigDict) else dict(config)
    return json.loads(json.dumps(plain))


def from_dict(plain: Mapping[str, Any]) -> ConfigDict:
    """The config that `to_dict` was given, checked.

    Raises:
      UserError: a setting that does not exist, or a value of another type.
    """
    leaves = flatten(dict(plain))
    return override(
        base(), {name: tuple(v) if isinstance(v, list) else v for name, v in leaves.items()}
    )


_NEVER_NEGATIVE = (
    "data.crop_padding",
    "data.cutmix",
    "data.cutout",
    "data.image_size",
    "data.mixup",
    "data.rand_augment",
    "data.workers",
    "devices.count",
    "model.epsilon",
    "optimizer.clip_norm",
    "optimizer.clip_value",
    "optimizer.epsilon",
    "optimizer.l1",
    "optimizer.learning_rate",
    "optimizer.trust_coefficient",
    "optimizer.weight_decay",
    "probe.every",
    "schedule.drop_factor",
    "schedule.warmup_factor",
)
_FROM_ONE = (
    "data.synthetic.classes",
    "data.synthetic.num_test",
    "data.synthetic.num_train",
    "train.accumulate",
    "train.batch_size",
    "train.eval_batch_size",
    "train.keep_checkpoints",
    "train.log_steps",
    "train.loss_scale_period",
)
_SHARES = (
    "model.momentum",
    "optimizer.b1",
    "optimizer.b2",
    "optimizer.label_smoothing",
    "train.ema_decay",
)
_RANGES: dict[str, tuple[float, float]] = {
    "data.rand_magnitude": (0, 30),
    "data.rotate": (0, 180),
    "seed": (0, 2**32 - 1),
    "train.loss_scale": (2.0**-126, 2.0**127),
    **dict.fromkeys(_NEVER_NEGATIVE, (0, math.inf)),
    **dict.fromkeys(_FROM_ONE, (1, math.inf)),
    **dict.fromkeys(_SHARES, (0, 1)),
}
_ELEMENTS: dict[str, type | tuple[type, ...]] = {
    "data.synthetic.shape": int,
    "model.stage_sizes": int,
    "model.widths": int,
    "probe.sites": str,
    "probe.steps": int,
    "schedule.drop_epochs": (int, float),
    "schedule.drop_steps": int,
}
_ONE = {int: "a whole number", float: "a number"}
_NAMES = {int: "whole numbers", str: "strings", (int, float): "numbers"}


def kind_of(value: Any) -> str:
    """The type of a setting's value, with its article: `an int`."""
    name = type(value).__name__
    return f"an {name}" if name[0] in "aeiou" else f"a {name}"


@functools.cache
def optional() -> Mapping[str, type]:
    """The settings that may be None, with the type that they have else."""
    model = base().model
    return {
        f"model.{name}": kind
        for name, value in model.items()
        if value is None and (kind := model.get_type(name))
    }


def takes(name: str, value: Any) -> str:
    """What a setting takes, in words.

    Args:
      name: its dotted name.
      value: one that it has, for an example where the name does not say it all.
    """
    if name in optional():
        return f"{_ONE[optional()[name]]}; leave it out, or give None, for the zoo's own"
    return f"{kind_of(value)} such as {value!r}"


def _check_optional(name: str, value: Any) -> None:
    """Refuses another type; a config dict does not, of a setting that is None so far."""
    if name not in optional() or value is None:
        return
    if isinstance(value, bool) or not isinstance(value, optional()[name] | int):
        raise UserError(f"{name} = {value!r}: it takes {takes(name, value)}")


_CHOICES: dict[str, tuple[str, ...]] = {
    "devices.mapping": ("jit", "pmap"),
    "devices.batch_stats": ("sync", "per_replica"),
    "model.dtype": ("float32", "bfloat16", "float16", "float64"),
    "data.normalize": ("pixel", "channel", "none"),
    "optimizer.name": ("sgd", "rmsprop", "adagrad", "adam", "adamw", "lars", "lamb"),
    "optimizer.loss": ("cross_entropy", "mean_squared_error"),
    "optimizer.decay": ("all", "kernels"),
    "schedule.name": ("constant", "piecewise", "cosine"),
    "schedule.warmup": ("linear", "constant"),
}
