"""Seeds that are added until the data decide: the looks of a group-sequential design."""

from collections.abc import Sequence
from dataclasses import dataclass

from resnet_jax.errors import UserError

LOOKS = (5, 8, 12, 20)


@dataclass(frozen=True)
class Until:
    """Adds seeds until every claim is decided, at declared numbers of seeds only.

    Claims are judged with the first 5 seeds, say. The cells of claims that are still open get three
    more, and so on up to the last look; cells of decided claims get none. Each look has an equal
    share of the 5% of false verdicts (`analysis.claims.judge`). Without such a correction, a test
    at 5% after 3 seeds and, if that fails, another after 10 is wrong in 9.3% of all cases.

    Attributes:
      looks: increasing numbers of seeds at which claims are judged.
      start: the first seed; a look at n seeds has seeds `start` to `start + n - 1`.

    Raises:
      UserError: `looks` is empty or does not increase, or its first number is below 2.

    Example:
      >>> Until(looks=(3, 5)).seeds(5)
      (0, 1, 2, 3, 4)
    """

    looks: Sequence[int] = LOOKS
    start: int = 0

    def __post_init__(self) -> None:
        valid = not isinstance(self.looks, str | bytes) and isinstance(self.looks, Sequence)
        if not valid or not all(type(look) is int for look in self.looks) or not self.looks:
            raise UserError(
                f"Until: looks are numbers of seeds, such as {LOOKS}, not {self.looks!r}"
            )
        if list(self.looks) != sorted(set(self.looks)) or self.looks[0] < 2:
            raise UserError(
                f"Until: looks start at 2 seeds or more and increase, not {self.looks!r}"
            )
        object.__setattr__(self, "looks", tuple(self.looks))

    def seeds(self, look: int) -> tuple[int, ...]:
        """The seeds of a look, which has that number of them."""
        return tuple(range(self.start, self.start + look))


def until(seeds: Sequence[int], looks: Sequence[int] = LOOKS) -> Until:
    """Seeds until decided that begin with the given ones, for an experiment of fixed seeds.

    Raises:
      UserError: the seeds are not consecutive, so that it is unclear which come next.

    Example:
      >>> until((0, 1, 2)).looks
      (3, 5, 8, 12, 20)
    """
    if list(seeds) != list(range(seeds[0], seeds[0] + len(seeds))):
        raise UserError(
            f"--until-decided: needs consecutive seeds such as 0, 1, 2, not {tuple(seeds)!r}"
        )
    first = max(len(seeds), 2)
    return Until((first, *(look for look in looks if look > first)), seeds[0])
