"""The settings of a run: every config key, its default and its meaning.

A file in `configs/` starts from `base()` and changes what it needs. A key that is not here is an
error, which names the nearest key. `resnet-jax settings` prints this table.
"""

from collections.abc import Mapping
from typing import Any

from ml_collections import ConfigDict
from ml_collections.config_dict import placeholder

SETTINGS: dict[str, tuple[Any, str]] = {
    "seed": (0, "seed of the initial weights, the data order and the augmentation"),
    # The network.
    "model.name": ("resnet20", "a network of the zoo, or `FILE.py:VARIABLE`, a Linen module"),
    "model.stage_sizes": ((), "units in each stage"),
    "model.widths": ((), "channels of each stage"),
    "model.stem": ("", "cifar, imagenet, deep (ResNet-D) or none"),
    "model.stem_width": (int, "output channels of the stem"),
    "model.branch": ("", "F: single, basic or bottleneck"),
    "model.kernel_size": (int, "kernel size of the convolutions that are 3x3 in the papers"),
    "model.cardinality": (int, "groups of a bottleneck's inner convolution (ResNeXt)"),
    "model.bottleneck_width": (int, "channels of each group in a stage of width 64"),
    "model.squeeze": (int, "reduction ratio of squeeze-and-excitation; 0: none"),
    "model.shortcut": (
        "",
        "h: none, A, B, C, D, scaled, exclusive_gating, shortcut_only_gating, dropout or "
        "identity_plus_conv",
    ),
    "model.shortcut_scale": (float, "factor of the shortcut `scaled`"),
    "model.gate_bias": (float, "initial bias of the gates of gating shortcuts"),
    "model.shortcut_dropout": (float, "rate of the shortcut `dropout`"),
    "model.order": (
        "",
        "order of norm, activation and addition: original, bn_after_addition, "
        "relu_before_addition, relu_only_preactivation, preactivation, identity_after_addition "
        "or one_norm",
    ),
    "model.stride_on": (
        "",
        'strided convolution of a bottleneck: conv1 (as in the paper) or conv2 ("v1.5")',
    ),
    "model.activation": ("", "relu, leaky_relu, elu, gelu, swish or tanh"),
    "model.initializer": ("", "he, orthogonal, delta_orthogonal or glorot"),
    "model.branch_scale": ("", "s in h(x) + s F(x): none, constant, skipinit, rezero or fixup"),
    "model.branch_constant": (float, "factor of the branch scale `constant`"),
    "model.survival": (
        float,
        "stochastic depth: survival probability of the last unit's branch; 1: off",
    ),
    "model.survival_rule": ("", "stochastic depth: linear decay over units, or uniform"),
    "model.dropout": (float, "dropout rate between the convolutions of a branch"),
    "model.unit_dropout": (float, "dropout rate between units"),
    "model.normalization": ("", "batch, group, layer or none"),
    "model.norm_groups": (int, "number of groups of group norm"),
    "model.momentum": (0.9, "batch norm: momentum of the running statistics"),
    "model.epsilon": (1e-5, "added to the variance by every norm"),
    "model.zero_init_residual": (False, "start every branch at F = 0"),
    "model.dtype": (
        "float32",
        "dtype of the computation: float32, bfloat16, float16 (with a dynamic loss scale) or "
        "float64; parameters are float32, or float64 in the last case",
    ),
    # Data and augmentation.
    "data.name": (
        "digits",
        "a set of `resnet-jax data list`, or any TFDS set with an image and a label",
    ),
    "data.data_dir": ("", "folder of prepared sets"),
    "data.train_split": ("", "split to train on, such as `train[:45000]`"),
    "data.test_split": ("", "split to evaluate on"),
    "data.image_key": ("", "feature of a TFDS set that holds the image"),
    "data.label_key": ("", "feature of a TFDS set that holds the label"),
    "data.image_size": (0, "side of random resized crops, in pixels; 0: images as stored"),
    "data.normalize": (
        "pixel",
        "pixel (subtracts the mean image), channel (its mean and deviation) or none",
    ),
    "data.crop_padding": (0, "random crops: pixels of zero padding; 0: off"),
    "data.flip": (False, "random horizontal flips"),
    "data.rotate": (0.0, "random rotations: largest angle, in degrees; 0: off"),
    "data.cutout": (0, "cutout: side of the square, in pixels; 0: off"),
    "data.rand_augment": (0, "RandAugment: operations per image, out of fourteen; 0: off"),
    "data.rand_magnitude": (9.0, "RandAugment: magnitude, from 0 to 30"),
    "data.mixup": (0.0, "mixup: alpha; 0: off"),
    "data.cutmix": (0.0, "CutMix: alpha; 0: off"),
    "data.workers": (0, "processes that decode large images; 0: decode in this process"),
    "data.synthetic.shape": ((8, 8, 1), "`synthetic` set: shape of an image"),
    "data.synthetic.classes": (10, "`synthetic` set: number of classes"),
    "data.synthetic.num_train": (1024, "`synthetic` set: number of training images"),
    "data.synthetic.num_test": (256, "`synthetic` set: number of test images"),
    # Optimizer and loss.
    "optimizer.name": ("sgd", "sgd, rmsprop, adagrad, adam, adamw, lars or lamb"),
    "optimizer.learning_rate": (0.1, "peak learning rate"),
    "optimizer.momentum": (0.9, "sgd, rmsprop and lars; 0: none"),
    "optimizer.nesterov": (False, "Nesterov's momentum, for sgd, rmsprop and lars"),
    "optimizer.b1": (0.9, "adam, adamw and lamb: decay of the first moment"),
    "optimizer.b2": (0.999, "adam, adamw, lamb and rmsprop: decay of the second moment"),
    "optimizer.epsilon": (1e-8, "added to the denominator, for all but sgd and lars"),
    "optimizer.trust_coefficient": (0.001, "lars: trust coefficient"),
    "optimizer.weight_decay": (
        1e-4,
        "coefficient of the L2 penalty; decoupled weight decay for adamw and lamb",
    ),
    "optimizer.l1": (0.0, "coefficient of the L1 penalty"),
    "optimizer.decay": (
        "all",
        "parameters that L2, L1 and trust ratios act on: all (as in the papers) or kernels",
    ),
    "optimizer.clip_norm": (0.0, "largest global norm of the gradient; 0: no clipping"),
    "optimizer.clip_value": (0.0, "largest absolute value of a gradient element; 0: no clipping"),
    "optimizer.loss": ("cross_entropy", "cross_entropy, or mean_squared_error on one-hot labels"),
    "optimizer.label_smoothing": (0.0, "share of the target spread over all classes"),
    # Learning-rate schedule.
    "schedule.name": ("constant", "constant, piecewise or cosine"),
    "schedule.warmup": (
        "linear",
        "linear (a ramp) or constant (a jump at its end)",
    ),
    "schedule.warmup_factor": (0.0, "share of the learning rate at which the warm-up starts"),
    "schedule.warmup_steps": (0, "length of the warm-up"),
    "schedule.warmup_epochs": (0.0, "length of the warm-up"),
    "schedule.drop_steps": ((), "piecewise: when the rate is multiplied by drop_factor"),
    "schedule.drop_epochs": ((), "piecewise: when the rate is multiplied by drop_factor"),
    "schedule.drop_factor": (0.1, "piecewise: factor of each drop"),
    # Devices.
    "devices.mapping": ("jit", "jit (one program over a mesh of devices) or pmap (replicas)"),
    "devices.count": (0, "number of devices; 0: all"),
    "devices.batch_stats": (
        "sync",
        "batch norm statistics: sync (of the whole batch) or per_replica (of a device's part)",
    ),
    # Probes.
    "probe.steps": ((), "measure the network after these numbers of updates"),
    "probe.every": (0, "and after every multiple of this number of updates; 0: off"),
    "probe.sites": (
        ("stage*/unit??", "*/conv?", "*/kernel"),
        "modules and parameters to measure, as shell patterns",
    ),
    # Length and bookkeeping of a run.
    "train.steps": (0, "length of training"),
    "train.epochs": (0.0, "length of training"),
    "train.batch_size": (128, "over all devices"),
    "train.accumulate": (
        1,
        "gradient accumulation: parts of a batch, each with batch statistics of its own",
    ),
    "train.ema_decay": (
        0.0,
        "decay of averaged weights, evaluated beside the raw ones; 0: none",
    ),
    "train.loss_scale": (2.0**15, "float16: initial loss scale, a power of two"),
    "train.loss_scale_period": (
        2000,
        "float16: the scale doubles after so many finite steps; a non-finite one halves it",
    ),
    "train.deterministic": (False, "bitwise reproducible on GPUs too, but slower"),
    "train.eval_batch_size": (256, "over all devices"),
    "train.log_steps": (10, "steps between records of the training loss and error"),
    "train.eval_steps": (
        0,
        "between evaluations on the test split; there is always one at the end",
    ),
    "train.eval_epochs": (0.0, "the same, in epochs"),
    "train.checkpoint_steps": (0, "between checkpoints; there is always one at the end"),
    "train.checkpoint_epochs": (0.0, "the same, in epochs"),
    "train.keep_checkpoints": (2, "number of newest checkpoints to keep"),
}
"""Dotted name -> (default, meaning), in the order of the config.

A type in place of a default stands for None: the named network decides. So do empty strings and
tuples, for the network or the data set. Durations come in pairs, `..._steps` and `..._epochs`; 0 or
an empty tuple is "not given", and giving both is an error.
"""


def base() -> ConfigDict:
    """The config with all settings at their defaults: ResNet-20 on digits, SGD with momentum."""
    config = ConfigDict()
    for name, (default, _) in SETTINGS.items():
        *sections, key = name.split(".")
        section = config
        for each in sections:
            if each not in section:
                section[each] = ConfigDict()
            section = section[each]
        section[key] = placeholder(default) if isinstance(default, type) else default
    return config


def markdown() -> str:
    """The settings as a Markdown table. An empty default: the network or data set decides."""
    lines = ["| setting | default | meaning |", "| --- | --- | --- |"]
    for name, (default, meaning) in SETTINGS.items():
        empty = isinstance(default, type) or default in ("", ())
        lines.append(f"| `{name}` | {'' if empty else f'`{default!r}`'} | {meaning} |")
    return "\n".join(lines) + "\n"


def flatten(config: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """The leaves of a config by dotted name, in the order of the tree."""
    leaves: dict[str, Any] = {}
    for key in config:
        value, name = config[key], f"{prefix}{key}"
        nested = isinstance(value, ConfigDict | dict)
        leaves |= flatten(value, f"{name}.") if nested else {name: value}
    return leaves
