"""The network: a stem, stages of residual units, a head."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from flax import linen as nn
from jax import Array
from jaxtyping import Float

from resnet_jax.errors import UserError
from resnet_jax.models.branches import BRANCHES, STRIDE_ON
from resnet_jax.models.choices import choose
from resnet_jax.models.draws import INITIALIZERS
from resnet_jax.models.ends import STEMS, Head
from resnet_jax.models.layers import DTYPES, NORMALIZATIONS, Layers
from resnet_jax.models.orders import ORDERS
from resnet_jax.models.scales import SCALES, Scale
from resnet_jax.models.shortcuts import SHORTCUTS
from resnet_jax.models.unit import Unit

CHOICES: dict[str, Mapping[str, Any]] = {
    "stem": STEMS,
    "branch": BRANCHES,
    "shortcut": SHORTCUTS,
    "order": ORDERS,
    "stride_on": STRIDE_ON,
    "normalization": NORMALIZATIONS,
    "initializer": INITIALIZERS,
    "branch_scale": SCALES,
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
      stem: "cifar" or "imagenet".
      branch: "basic" or "bottleneck".
      shortcut: "none", "A", "B", "C" or "scaled".
      order: "original" or "preactivation".
      stride_on: "conv1" or "conv2" of a bottleneck.
      normalization: "batch" or "none". No convolution has a bias, with either.
      initializer: "he", "orthogonal", "delta_orthogonal" or "glorot", of all convolutions. The
        dense layer has its own, see `Head`.
      branch_scale: "none", "constant", "skipinit", "rezero" or "fixup".
      branch_constant: what the branch scale "constant" multiplies branches by.
      shortcut_scale: what the shortcut "scaled" multiplies by.
      momentum: share of the old running statistics that a training step keeps.
      epsilon: added to variances.
      zero_init_residual: start every branch at F = 0, by a zero scale of its last norm, or a zero
        kernel of its last convolution where no norm follows it (pre-activation).
      dtype: "float32", "bfloat16", "float16" or "float64", that of the computation.
      axis_name: mapped axis over which batch statistics are averaged, if any.

    Raises:
      UserError: on a name that its table lacks, and on numbers that make no network.
    """

    stage_sizes: tuple[int, ...]
    widths: tuple[int, ...] = (16, 32, 64)
    num_classes: int = 10
    stem: str = "cifar"
    branch: str = "basic"
    shortcut: str = "A"
    order: str = "original"
    stride_on: str = "conv1"
    normalization: str = "batch"
    initializer: str = "he"
    branch_scale: str = "none"
    branch_constant: float = 1.0
    shortcut_scale: float = 1.0
    momentum: float = 0.9
    epsilon: float = 1e-5
    zero_init_residual: bool = False
    dtype: str = "float32"
    axis_name: str | None = None

    def __post_init__(self) -> None:
        for setting, table in CHOICES.items():
            choose(table, getattr(self, setting), setting)
        _check_stages(self.stage_sizes, self.widths)
        _check_numbers(self.num_classes, self.momentum, self.epsilon)
        _check_scales(self)
        super().__post_init__()

    @nn.compact
    def __call__(
        self, images: Float[Array, "b h w c"], *, train: bool = False
    ) -> Float[Array, "b classes"]:
        """Classifies a batch of images.

        Args:
          images: normalised images.
          train: normalise by the batch's statistics and update the running ones, for which
            "batch_stats" must be mutable; else by the running ones.

        Returns:
          Logits in float32, or in float64 if that is computed in.
        """
        layers = self._layers(train)
        x = STEMS[self.stem](self.widths[0], layers, name="stem")(images)
        for stage in range(len(self.stage_sizes)):
            x = self._stage(stage, layers)(x)
        opening = ORDERS[self.order].opening
        return Head(self.num_classes, opening, self._scale.zero_ends, layers, name="head")(x)

    def _stage(self, stage: int, layers: Layers) -> "Stage":
        units = tuple(
            self._unit(
                layers,
                self.widths[stage],
                stride=2 if stage > 0 and unit == 0 else 1,
                opens=(stage, unit) != (0, 0),
            )
            for unit in range(self.stage_sizes[stage])
        )
        return Stage(units, max(2, len(str(max(self.stage_sizes)))), name=f"stage{stage + 1}")

    def _unit(self, layers: Layers, width: int, stride: int, opens: bool) -> Callable[..., Unit]:
        return partial(
            Unit,
            shortcut=SHORTCUTS[self.shortcut],
            branch=BRANCHES[self.branch](width, stride, self.stride_on),
            order=ORDERS[self.order],
            stride=stride,
            opens=opens,
            zero_init=self.zero_init_residual or self._scale.zero_ends,
            scale=self._scale,
            shortcut_scale=self.shortcut_scale,
            layers=layers,
        )

    def _layers(self, train: bool) -> Layers:
        return Layers(
            normalization=self.normalization,
            momentum=self.momentum,
            epsilon=self.epsilon,
            axis_name=self.axis_name,
            dtype=self.dtype,
            initializer=self.initializer,
            biases=self._scale.biases,
            train=train,
        )

    @property
    def _scale(self) -> Scale:
        branches = sum(self.stage_sizes)
        convolutions = len(BRANCHES[self.branch](1, 1, self.stride_on))
        return SCALES[self.branch_scale](branches, convolutions, self.branch_constant)


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


def _check_stages(sizes: tuple[int, ...], widths: tuple[int, ...]) -> None:
    if len(sizes) != len(widths):
        raise UserError(
            f"{len(sizes)} stages (stage_sizes={sizes}) need as many widths, not {widths}"
        )
    if not sizes or min(*sizes, *widths) < 1:
        raise UserError(f"stages need units and channels: stage_sizes={sizes}, widths={widths}")


def _check_numbers(num_classes: int, momentum: float, epsilon: float) -> None:
    if num_classes < 1:
        raise UserError(f"a network needs one class or more, not num_classes={num_classes}")
    if not 0 <= momentum < 1:
        raise UserError(f"momentum={momentum} of the running statistics is not in [0, 1)")
    if epsilon < 0:
        raise UserError(f"epsilon={epsilon} is added to variances and cannot be negative")


def _check_scales(model: ResNet) -> None:
    if model.branch_scale == "fixup" and model.normalization != "none":
        raise UserError("branch_scale='fixup' replaces norms: set normalization='none' with it")
    if model.branch_constant != 1 and model.branch_scale != "constant":
        raise UserError(
            f"branch_constant={model.branch_constant} has no effect without branch_scale='constant'"
        )
    if model.shortcut_scale != 1 and model.shortcut != "scaled":
        raise UserError(
            f"shortcut_scale={model.shortcut_scale} has no effect without shortcut='scaled'"
        )
