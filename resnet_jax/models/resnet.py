"""The network: a stem, stages of residual units, a head."""

from collections.abc import Callable
from functools import partial

import jax.numpy as jnp
from flax import linen as nn
from jax import Array
from jaxtyping import DTypeLike, Float

from resnet_jax.errors import UserError
from resnet_jax.models.branches import Basic, Branch
from resnet_jax.models.initializers import Initializer, he_normal
from resnet_jax.models.layers import Activation, Layers
from resnet_jax.models.norms import BatchNorm, Mode, Norm, no_norm
from resnet_jax.models.orders import ORDERS, Order
from resnet_jax.models.residual_scaling import Fixup, ResidualScaling
from resnet_jax.models.shortcuts import Shortcut, identity, none
from resnet_jax.models.stem_head import CifarStem, Head, Stem, StemLayers
from resnet_jax.models.stochastic_depth import StochasticDepth
from resnet_jax.models.unit import BlockSpec, Unit


class ResNet(nn.Module):
    """A residual network, or a plain one (shortcut `none`).

    Its variables are {"params", "batch_stats"}, all float32, with paths such as stem/conv/kernel,
    stage1/unit03/norm2/scale, stage2/unit01/shortcut/conv/kernel and head/dense/kernel. The initial
    value of a parameter depends only on the key and its path, so a plain network and its residual
    twin start from the same values.

    Attributes:
      stage_sizes: units in each stage. Every stage but the first begins with stride 2.
      widths: channels of each stage; the output of a bottleneck has four times as many.
      num_classes: number of logits.
      stem: the layers before the first unit.
      branch: F.
      shortcut: h.
      order: where norms and activations stand, and the after-addition f.
      branch_scale: s in h(x) + s F(x).
      stochastic_depth: survival probabilities of the branches; None disables it.
      normalization: the normalization layer. Convolutions have no bias, even without one.
      activation: the nonlinearity.
      initializer: initializer of the convolution kernels (`Head` initializes the dense layer).
      unit_dropout: dropout rate between units.
      zero_init_residual: start with F = 0: zero scale of each branch's last norm, or zero kernel of
        its last convolution where no norm follows (pre-activation).
      dtype: dtype of the computation.
      axis_name: mapped axis over which batch statistics are averaged, if any.

    Raises:
      UserError: if the parts do not fit together.
    """

    stage_sizes: tuple[int, ...]
    widths: tuple[int, ...] = (16, 32, 64)
    num_classes: int = 10
    stem: StemLayers = CifarStem()
    branch: Branch = Basic()
    shortcut: Shortcut = identity
    order: Order = ORDERS["original"]
    branch_scale: ResidualScaling = ResidualScaling()
    stochastic_depth: StochasticDepth | None = None
    normalization: Norm = BatchNorm()
    activation: Activation = nn.relu
    initializer: Initializer = he_normal
    unit_dropout: float = 0.0
    zero_init_residual: bool = False
    dtype: DTypeLike = jnp.float32
    axis_name: str | None = None

    def __post_init__(self) -> None:
        _check_stages(self)
        _check_order(self)
        _check_branches(self)
        super().__post_init__()

    @nn.compact
    def __call__(
        self, images: Float[Array, "b h w c"], *, train: bool = False
    ) -> Float[Array, "b classes"]:
        """Classifies images.

        Args:
          images: normalized images.
          train: normalize by batch statistics and update the running ones ("batch_stats" must be
            mutable), and apply dropout and stochastic depth, with the random streams "dropout" and
            "depth". Otherwise use the running statistics and keep everything.

        Returns:
          Logits in float32, or in float64 if that is the dtype.
        """
        layers = self.layers(train)
        x = Stem(self.stem, self.widths[0], layers, name="stem")(images)
        for stage in range(len(self.stage_sizes)):
            x = self._stage(stage, layers)(x)
        zero_init = self.branch_scale.zero_init
        return Head(self.num_classes, self.order.pre, zero_init, layers, name="head")(x)

    def layers(self, train: bool) -> Layers:
        """The layers that all parts of the network share."""
        return Layers(
            norm=self.normalization,
            activation=self.activation,
            initializer=self.initializer,
            mode=Mode(train, self.dtype, self.axis_name),
            dropout=self.branch.dropout,
            biases=self.branch_scale.biases,
        )

    @property
    def momentum(self) -> float:
        """Weight of the old running statistics in an update of batch norm; 0 without batch norm."""
        return getattr(self.normalization, "momentum", 0.0)

    def _stage(self, stage: int, layers: Layers) -> "Stage":
        make = partial(
            Unit,
            shortcut=self.shortcut,
            branch=self.branch,
            order=self.order,
            scaling=self.branch_scale,
            layers=layers,
            kernel_factor=self._kernel_factor(),
            zero_init=self.zero_init_residual or self.branch_scale.zero_init,
            dropout=self.unit_dropout,
        )
        units = tuple(
            partial(make, spec=self._spec(stage, unit)) for unit in range(self.stage_sizes[stage])
        )
        digits = max(2, len(str(max(self.stage_sizes))))
        return Stage(units, digits, name=f"stage{stage + 1}")

    def _spec(self, stage: int, unit: int) -> BlockSpec:
        number, units = sum(self.stage_sizes[:stage]) + unit + 1, sum(self.stage_sizes)
        depth = self.stochastic_depth
        return BlockSpec(
            width=self.widths[stage],
            stride=2 if stage > 0 and unit == 0 else 1,
            first=number == 1,
            survival=depth.of_unit(number, units) if depth else 1.0,
        )

    def _kernel_factor(self) -> float:
        convolutions = self.branch.convolutions(self.widths[0], stride=1)
        return self.branch_scale.kernel_factor(sum(self.stage_sizes), len(convolutions))


class Stage(nn.Module):
    """The units of one stage, one after another.

    Attributes:
      units: constructors of the units, each of which takes the unit's name.
      digits: digits of a unit's number in its name, zero-padded so that names sort.
    """

    units: tuple[Callable[..., Unit], ...]
    digits: int

    @nn.compact
    def __call__(self, x: Float[Array, "b h w c"]) -> Float[Array, "b p q o"]:
        for number, unit in enumerate(self.units, start=1):
            x = unit(name=f"unit{number:0{self.digits}}")(x)
        return x


def _check_stages(model: ResNet) -> None:
    sizes, widths = model.stage_sizes, model.widths
    if len(sizes) != len(widths):
        raise UserError(
            f"{len(sizes)} stages (stage_sizes={sizes}) need as many widths, not {widths}"
        )
    if not sizes or min(*sizes, *widths) < 1:
        raise UserError(f"stages need units and channels: stage_sizes={sizes}, widths={widths}")
    if model.num_classes < 1:
        raise UserError(f"num_classes={model.num_classes} must be 1 or more")
    for width in widths:
        model.branch.convolutions(width, stride=1)  # raises if it is too narrow


def _check_order(model: ResNet) -> None:
    order, convolutions = model.order, model.branch.convolutions(model.widths[0], stride=1)
    elsewhere = (*order.pre, *order.post, *order.after_addition)
    if len(convolutions) == 1 and "norm" in order.between and "norm" not in elsewhere:
        raise UserError(
            "this order has its norm between the convolutions of a branch (as 'one_norm'), and "
            "branch='single' has one convolution: choose another order or branch"
        )


def _check_branches(model: ResNet) -> None:
    """Refuses branches that are dropped without a replacement or that never train.

    Other networks that do not train are allowed, such as a plain one with zero branches, because
    they may be the object of study.
    """
    depth = model.stochastic_depth
    if depth and model.shortcut is none:
        raise UserError(
            f"survival={depth.survival} drops branches; with shortcut='none' nothing would replace "
            "them, and the logits would not depend on the image"
        )
    if isinstance(model.branch_scale, Fixup) and model.normalization is not no_norm:
        raise UserError("branch_scale='fixup' replaces norms: set normalization='none' with it")
    starts_at_zero = model.zero_init_residual or model.branch_scale.zero_init
    if starts_at_zero and model.order.post[-1:] == ("activation",):
        raise UserError(
            "branches initialized to zero never train in this order: the activation before the "
            f"addition (post={model.order.post}) has no gradient at zero; choose another order"
        )
