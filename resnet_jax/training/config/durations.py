"""Durations: given in steps or in epochs, turned into steps in one place."""

from ml_collections import ConfigDict

from resnet_jax.errors import UserError


def steps(section: ConfigDict, name: str, steps_per_epoch: float) -> int:
    """A duration of a config section in steps; 0 if it is not given.

    Args:
      section: the section, such as `config.train`.
      name: the duration's name before `_steps` and `_epochs` (`"eval"`), or `""` for `steps` and
        `epochs` themselves.
      steps_per_epoch: number of training examples over the batch size.

    Raises:
      UserError: both are given, or the one given is negative.
    """
    in_steps, in_epochs = _names(name)
    _refuse_both(section, in_steps, in_epochs)
    count = section[in_steps] or round(section[in_epochs] * steps_per_epoch)
    if count < 0:
        raise UserError(f"{in_steps} and {in_epochs} cannot be negative")
    if section[in_epochs] and not count:
        raise UserError(f"{in_epochs} = {section[in_epochs]} is less than one step")
    return count


def moments(section: ConfigDict, name: str, steps_per_epoch: float) -> tuple[int, ...]:
    """A tuple of durations of a config section in steps, such as the drops of a schedule.

    Raises:
      UserError: both are given, or they are not positive and increasing.
    """
    in_steps, in_epochs = _names(name)
    _refuse_both(section, in_steps, in_epochs)
    counts = tuple(section[in_steps]) or tuple(
        round(epoch * steps_per_epoch) for epoch in section[in_epochs]
    )
    if any(count <= 0 for count in counts) or list(counts) != sorted(set(counts)):
        raise UserError(f"{in_steps} or {in_epochs} must be positive and increasing: {counts}")
    return counts


def total(train: ConfigDict, steps_per_epoch: float) -> int:
    """The length of a run in steps.

    Raises:
      UserError: neither `train.steps` nor `train.epochs` is given, or both are.
    """
    count = steps(train, "", steps_per_epoch)
    if not count:
        raise UserError("how long to train is not given: set train.steps or train.epochs")
    return count


def _names(name: str) -> tuple[str, str]:
    return (f"{name}_steps", f"{name}_epochs") if name else ("steps", "epochs")


def _refuse_both(section: ConfigDict, in_steps: str, in_epochs: str) -> None:
    if section[in_steps] and section[in_epochs]:
        raise UserError(
            f"{in_steps} = {section[in_steps]} and {in_epochs} = {section[in_epochs]} are both "
            "given: keep one and set the other to 0"
        )
