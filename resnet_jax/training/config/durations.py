"""Durations, given in steps or in epochs and resolved to steps; and the plan of a run."""

from dataclasses import dataclass

from ml_collections import ConfigDict

from resnet_jax.errors import UserError


@dataclass(frozen=True)
class Plan:
    """When a run logs, evaluates, checkpoints and probes.

    Attributes:
      total: length of the run in steps.
      log: steps between records of the training loss; 0 for one at the end only.
      evaluate: steps between evaluations, likewise.
      checkpoint: steps between checkpoints, likewise.
      probe: numbers of updates after which the network is measured.
      probe_every: and every so many updates; 0 for never.
    """

    total: int
    log: int
    evaluate: int
    checkpoint: int
    probe: tuple[int, ...] = ()
    probe_every: int = 0

    @staticmethod
    def of(config: ConfigDict, num_train: int) -> "Plan":
        """The plan of a config, with epochs of `num_train` examples resolved to steps.

        Raises:
          UserError: a duration is given twice or not at all, or a probe comes after the end.
        """
        train, epoch = config.train, num_train / config.train.batch_size
        length = total(train, epoch)
        if late := [step for step in config.probe.steps if not 0 <= step < length]:
            raise UserError(
                f"probe.steps = {tuple(config.probe.steps)}: {late[0]} is not among the steps from "
                f"0 to {length - 1} of the run"
            )
        return Plan(
            total=length,
            log=train.log_steps,
            evaluate=steps(train, "eval", epoch),
            checkpoint=steps(train, "checkpoint", epoch),
            probe=tuple(config.probe.steps),
            probe_every=config.probe.every,
        )

    def logs_after(self, step: int) -> bool:
        """Whether the training loss is recorded after a step; steps count from 1."""
        return self._due(step, self.log)

    def checkpoints_after(self, step: int) -> bool:
        """Whether the state is saved after a step."""
        return self._due(step, self.checkpoint)

    def evaluates_after(self, step: int) -> bool:
        """Whether the test error is measured after a step that is not the last.

        After the last one a run is always evaluated, on both splits.
        """
        return 0 < step < self.total and self._due(step, self.evaluate)

    def probes_in(self, step: int) -> bool:
        """Whether the network is measured in a step, before that step's update."""
        updates = step - 1
        return updates in self.probe or (self.probe_every > 0 and updates % self.probe_every == 0)

    @property
    def has_probes(self) -> bool:
        """Whether the network is measured in any step."""
        return bool(self.probe or self.probe_every)

    def _due(self, step: int, every: int) -> bool:
        return step == self.total or (every > 0 and step % every == 0)


def steps(section: ConfigDict, name: str, steps_per_epoch: float) -> int:
    """A duration of a config section in steps; 0 if it is not given.

    Args:
      section: the section, such as `config.train`.
      name: the setting's name before `_steps` and `_epochs` (`"eval"`), or `""` for `steps` and
        `epochs` themselves.
      steps_per_epoch: number of training examples over the batch size.

    Raises:
      UserError: both are given, or the one given is negative or less than one step.
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
        raise UserError("the length of the run is not given: set train.steps or train.epochs")
    return count


def _names(name: str) -> tuple[str, str]:
    return (f"{name}_steps", f"{name}_epochs") if name else ("steps", "epochs")


def _refuse_both(section: ConfigDict, in_steps: str, in_epochs: str) -> None:
    if section[in_steps] and section[in_epochs]:
        raise UserError(
            f"{in_steps} = {section[in_steps]} and {in_epochs} = {section[in_epochs]} are both "
            "given: keep one and set the other to 0"
        )
