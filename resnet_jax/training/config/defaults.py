"""The tree of settings: every key that a config may set, its default, and what it means.

A file in `configs/` starts from `base()` and changes what it needs. Nothing outside this tree
exists: a key that is not here is a mistake, and is answered with the nearest one that is.
"""

from collections.abc import Mapping
from typing import Any

from ml_collections import ConfigDict
from ml_collections.config_dict import placeholder


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


def flatten(config: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """The leaves of a config by dotted name, in the order of the tree."""
    leaves: dict[str, Any] = {}
    for key in config:
        value, name = config[key], f"{prefix}{key}"
        nested = isinstance(value, ConfigDict | dict)
        leaves |= flatten(value, f"{name}.") if nested else {name: value}
    return leaves
