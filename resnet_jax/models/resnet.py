"""The network: a stem, stages of residual units, a head."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from flax import linen as nn
from jax import Array
from jaxtyping import Float

from resnet_jax.models.activations import ACTIVATIONS
from resnet_jax.models.branches import BRANCHES, STRIDE_ON, Convolution, Outline
from resnet_jax.models.checks import check
from resnet_jax.models.choices import choose
from resnet_jax.models.initializers import INITIALIZERS
from resnet_jax.models.layers import DTYPES, Layers
from resnet_jax.models.norms import NORMALIZATIONS, Norms
from resnet_jax.models.orders import ORDERS
from resnet_jax.models.residual_scaling import SCALES, Scale
from resnet_jax.models.shortcuts import SHORTCUTS, Junction
from resnet_jax.models.stem_head import STEMS, Head
from resnet_jax.models.stochastic_depth import SURVIVALS
from resnet_jax.models.unit import Unit

CHOICES: dict[str, Mapping[str, Any]] = {
    "stem": STEMS,
    "branch": BRANCHES,
    "shortcut": SHORTCUTS,
    "order": ORDERS,
    "stride_on": STRIDE_ON,
    "normalization": NORMALIZATIONS,
    "activation": ACTIVATIONS,
    "initializer": INITIALIZERS,
    "branch_scale": SCALES,
    "survival_rule": SURVIVALS,
    "dtype": DTYPES,
}
"""The settings that are names, each with the table of its choices."""


class ResNet(nn.Module):
    """A residual network, or its plain twin (shortcut "none").

    Its variables are {"params", "batch_stats"}, all float32, with parameters by such paths as
    stem/conv/kernel, stage1/unit03/norm2/scale, stage2/unit01/shortcut/conv/kernel and
    head/dense/kernel. Initial values follow from the key and the path alone, so twins that have a
    parameter in common start from the same value of it.

    Attributes:
      stage_sizes: units in each stage. Every stage but the first begins with stride 2.
      widths: channels of each stage; four times as many leave a bottleneck.
      num_classes: number of logits.
      stem: "cifar", "imagenet", "deep" (ResNet-D's) or "none".
      stem_width: channels that leave the stem; 0 for those of the first stage.
      branch: "single", "basic" or "bottleneck".
      kernel_size: height and width of the branches' convolutions that are 3x3 in the papers, odd.
      cardinality: groups of a bottleneck's inner convolution.
      bottleneck_width: channels of each group in a stage of 64.
      squeeze: reduction of a squeeze and excitation at the end of each branch; 0 for none.
      shortcut: "none"; "A", "B" or "C" of He et al. 2015; "D", ResNet-D's; "scaled",
        "exclusive_gating", "shortcut_only_gating", "dropout" of He et al. 2016, Table 1;
        "identity_plus_conv".
      shortcut_scale: what the shortcut "scaled" multiplies by.
      gate_bias: where the biases of gates start.
      shortcut_dropout: rate of the shortcut "dropout".
      order: "original", "bn_after_addition", "relu_before_addition", "relu_only_preactivation" or
        "preactivation" of He et al. 2016, Table 2; "identity_after_addition"; "one_norm".
      stride_on: "conv1" or "conv2" of a bottleneck.
      normalization: "batch", "group", "layer" or "none". No convolution has a bias, with any.
      norm_groups: groups of channels of the normalization "group".
      activation: "relu", "leaky_relu", "elu", "gelu", "swish" or "tanh".
      initializer: "he", "orthogonal", "delta_orthogonal" or "glorot", of all convolutions. The
        dense layer has its own, see `Head`.
      branch_scale: "none", "constant", "skipinit", "rezero" or "fixup".
      branch_constant: what the branch scale "constant" multiplies branches by.
      survival: probability that a training step takes the last unit's branch; see `survival.py`.
      survival_rule: "linear" or "uniform", what that says of the other units'.
      dropout: rate of the dropout between the convolutions of a branch.
      unit_dropout: rate of the dropout between units.
      momentum: share of the old running statistics that a training step keeps.
      epsilon: added to variances.
      zero_init_residual: start every branch at F = 0, by a zero scale of its last norm, or a zero
        kernel of its last convolution where no norm follows it (pre-activation).
      dtype: "float32", "bfloat16", "float16" or "float64", that of the computation.
      axis_name: mapped axis over which batch statistics are averaged, if any.

    Raises:
      UserError: on a name that its table lacks, on numbers that make no network, and on settings
        that would have no effect.
    """

    stage_sizes: tuple[int, ...]
    widths: tuple[int, ...] = (16, 32, 64)
    num_classes: int = 10
    stem: str = "cifar"
    stem_width: int = 0
    branch: str = "basic"
    kernel_size: int = 3
    cardinality: int = 1
    bottleneck_width: int = 64
    squeeze: int = 0
    shortcut: str = "A"
    shortcut_scale: float = 1.0
    gate_bias: float = -6.0
    shortcut_dropout: float = 0.5
    order: str = "original"
    stride_on: str = "conv1"
    normalization: str = "batch"
    norm_groups: int = 32
    activation: str = "relu"
    initializer: str = "he"
    branch_scale: str = "none"
    branch_constant: float = 1.0
    survival: float = 1.0
    survival_rule: str = "linear"
    dropout: float = 0.0
    unit_dropout: float = 0.0
    momentum: float = 0.9
    epsilon: float = 1e-5
    zero_init_residual: bool = False
    dtype: str = "float32"
    axis_name: str | None = None

    def __post_init__(self) -> None:
        for setting, table in CHOICES.items():
            choose(table, getattr(self, setting), setting)
        check(self)
        super().__post_init__()

    @nn.compact
    def __call__(
        self, images: Float[Array, "b h w c"], *, train: bool = False
    ) -> Float[Array, "b classes"]:
        """Classifies a batch of images.

        Args:
          images: normalised images.
          train: normalise by the batch's statistics and update the running ones, for which
            "batch_stats" must be mutable, and draw what is dropped from the random streams
            "dropout" and "depth"; else by the running ones, and drop nothing.

        Returns:
          Logits in float32, or in float64 if that is computed in.
        """
        layers = self._layers(train)
        x = STEMS[self.stem](self.stem_width or self.widths[0], layers, name="stem")(images)
        for stage in range(len(self.stage_sizes)):
            x = self._stage(stage, layers)(x)
        opening = ORDERS[self.order].opening
        return Head(self.num_classes, opening, self._scale.zero_ends, layers, name="head")(x)

    def _stage(self, stage: int, layers: Layers) -> "Stage":
        units = tuple(self._unit(layers, stage, unit) for unit in range(self.stage_sizes[stage]))
        return Stage(units, max(2, len(str(max(self.stage_sizes)))), name=f"stage{stage + 1}")

    def _unit(self, layers: Layers, stage: int, unit: int) -> Callable[..., Unit]:
        number, units = sum(self.stage_sizes[:stage]) + unit + 1, sum(self.stage_sizes)
        stride = 2 if stage > 0 and unit == 0 else 1
        branch = self._branch(self.widths[stage], stride)
        return partial(
            Unit,
            shortcut=SHORTCUTS[self.shortcut],
            branch=branch,
            junction=Junction(
                features=branch[-1].features,
                stride=stride,
                order=ORDERS[self.order],
                scale=self.shortcut_scale,
                gate_bias=self.gate_bias,
                dropout=self.shortcut_dropout,
                layers=layers,
            ),
            first=number == 1,
            squeeze=self.squeeze,
            zero_init=self.zero_init_residual or self._scale.zero_ends,
            scale=self._scale,
            survival=SURVIVALS[self.survival_rule](number, units, self.survival),
            dropout=self.unit_dropout,
        )

    def _branch(self, width: int, stride: int) -> tuple[Convolution, ...]:
        outline = Outline(
            width,
            stride,
            self.stride_on,
            self.kernel_size,
            self.cardinality,
            self.bottleneck_width,
        )
        return BRANCHES[self.branch](outline)

    def _layers(self, train: bool) -> Layers:
        dtype = DTYPES[self.dtype]
        return Layers(
            normalization=self.normalization,
            norms=Norms(
                self.momentum, self.epsilon, self.norm_groups, self.axis_name, dtype, train
            ),
            activation=self.activation,
            dtype=self.dtype,
            initializer=self.initializer,
            biases=self._scale.biases,
            dropout=self.dropout,
            train=train,
        )

    @property
    def _scale(self) -> Scale:
        convolutions = len(self._branch(width=1, stride=1))
        return SCALES[self.branch_scale](sum(self.stage_sizes), convolutions, self.branch_constant)


class Stage(nn.Module):
    """Units of one width, one after another.

    Attributes:
      units: makers of the units, each of which takes the unit's name.
      digits: of a unit's number, zero-padded so that names sort.
    """

    units: tuple[Callable[..., Unit], ...]
    digits: int

    @nn.compact
    def __call__(self, x: Float[Array, "b h w c"]) -> Float[Array, "b p q o"]:
        """Maps the output of the stage before to that of this one."""
        for number, unit in enumerate(self.units, start=1):
            x = unit(name=f"unit{number:0{self.digits}}")(x)
        return x
