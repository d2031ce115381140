"""What is measured at sites of a network, as a figure speaks of it: words, units and meaning."""

from dataclasses import dataclass
from typing import Literal

from resnet_jax.errors import UserError, did_you_mean

Of = Literal["unit", "parameter", "activation"]


@dataclass(frozen=True)
class Quantity:
    """How to speak of a quantity that is never negative, and so can stand on a log axis.

    Attributes:
      words: what to call it.
      unit: what it is measured in; empty for a pure number.
      meaning: what it is exactly, as the rest of a sentence; for a caption.
    """

    words: str
    unit: str
    meaning: str

    @property
    def axis_label(self) -> str:
        """What to write on an axis; the unit on a line of its own: `(nats per unit of weight)`."""
        label = f"{self.words}\n({self.unit})" if self.unit else self.words
        return label[:1].upper() + label[1:]


_PER_WEIGHT, _PER_SIGNAL = "nats per unit of weight", "nats per unit of signal"

_OF_WEIGHTS = {
    "gradient_norm": Quantity("gradient norm", _PER_WEIGHT, "the Frobenius norm, not squared"),
    "gradient_rms": Quantity(
        "RMS gradient", _PER_WEIGHT, "the norm over the root of the number of weights, not squared"
    ),
    "weight_norm": Quantity("weight norm", "", "the Frobenius norm, not squared"),
    "relative": Quantity(
        "relative gradient", "nats / weight²", "norm of the gradient over norm of the weights"
    ),
    "invariant": Quantity(
        "scale-free gradient |G| |W|",
        "nats",
        "norm of the gradient times norm of the weights, neither of them squared",
    ),
    "update_ratio": Quantity(
        "relative update", "", "norm of the step over norm of the weights, per step"
    ),
}
_OF_SIGNALS = {
    "gradient_norm": Quantity(
        "gradient norm",
        _PER_SIGNAL,
        "the Frobenius norm over the batch, of the mean loss, not squared",
    ),
    "gradient_rms": Quantity(
        "per-example RMS gradient",
        _PER_SIGNAL,
        "the batch size times the root mean square, not squared",
    ),
    "signal_std": Quantity("standard deviation", "", "over examples, positions and channels"),
    "signal_variance": Quantity("variance", "", "over examples, positions and channels"),
    "channel_variance": Quantity(
        "variance within channels", "", "over examples and positions, the mean of the channels"
    ),
}
_KNOWN: dict[str, dict[str, Quantity]] = {
    "unit": _OF_WEIGHTS,
    "parameter": _OF_WEIGHTS,
    "activation": _OF_SIGNALS,
}


def quantity(name: str, of: str) -> Quantity:
    """The quantity of a name.

    Args:
      name: a column of the records of probes.
      of: the kind of site: "unit", "parameter" or "activation".

    Raises:
      UserError: there is no such kind of site, or it has no such quantity to draw.
    """
    if of not in _KNOWN:
        raise UserError(f"of={of!r} is no kind of site; {did_you_mean(of, _KNOWN)}")
    if name not in _KNOWN[of]:
        hint = did_you_mean(name, _KNOWN[of])
        raise UserError(f"no quantity {name!r} of sites of kind {of!r} to draw; {hint}")
    return _KNOWN[of][name]
