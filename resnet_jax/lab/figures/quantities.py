"""Names, units and definitions of the quantities that probes record, for axes and captions."""

from dataclasses import dataclass

from resnet_jax.errors import UserError, did_you_mean


@dataclass(frozen=True)
class Quantity:
    """How to label a recorded quantity; all are nonnegative and are drawn on a log axis.

    Attributes:
      words: its name in running text.
      unit: its unit; empty for a pure number.
      meaning: its definition, for a caption.
    """

    words: str
    unit: str
    meaning: str

    @property
    def axis_label(self) -> str:
        """The label of an axis, with the unit on a second line."""
        label = f"{self.words}\n({self.unit})" if self.unit else self.words
        return label[:1].upper() + label[1:]


_PER_WEIGHT, _PER_SIGNAL = "nats per unit of weight", "nats per unit of signal"

_OF_WEIGHTS = {
    "gradient_norm": Quantity("gradient norm", _PER_WEIGHT, "Frobenius norm, not squared"),
    "gradient_rms": Quantity(
        "RMS gradient", _PER_WEIGHT, "Frobenius norm over the root of the number of weights"
    ),
    "weight_norm": Quantity("weight norm", "", "Frobenius norm, not squared"),
    "relative": Quantity("relative gradient", "nats / weight²", "gradient norm over weight norm"),
    "invariant": Quantity(
        "scale-invariant gradient |G| |W|", "nats", "gradient norm times weight norm, not squared"
    ),
    "update_ratio": Quantity("relative update", "", "norm of one step's update over weight norm"),
}
_OF_SIGNALS = {
    "gradient_norm": Quantity(
        "gradient norm",
        _PER_SIGNAL,
        "Frobenius norm over the batch of the mean loss's gradient, not squared",
    ),
    "gradient_rms": Quantity(
        "per-example RMS gradient",
        _PER_SIGNAL,
        "root mean square of the mean loss's gradient, times the batch size",
    ),
    "signal_std": Quantity("standard deviation", "", "over examples, positions and channels"),
    "signal_variance": Quantity("variance", "", "over examples, positions and channels"),
    "channel_variance": Quantity(
        "variance within channels", "", "over examples and positions, averaged over channels"
    ),
}
_KNOWN: dict[str, dict[str, Quantity]] = {
    "unit": _OF_WEIGHTS,
    "parameter": _OF_WEIGHTS,
    "activation": _OF_SIGNALS,
}


def describe_quantity(name: str, of: str) -> Quantity:
    """Returns the description of a recorded quantity.

    Args:
      name: a column of the probes' records.
      of: the kind of site: "unit", "parameter" or "activation".

    Raises:
      UserError: unknown kind of site, or the kind does not have this quantity.
    """
    if of not in _KNOWN:
        raise UserError(f"of={of!r} is not a kind of site; {did_you_mean(of, _KNOWN)}")
    if name not in _KNOWN[of]:
        hint = did_you_mean(name, _KNOWN[of])
        raise UserError(f"quantity {name!r} is not recorded for sites of kind {of!r}; {hint}")
    return _KNOWN[of][name]
