"""What the runs say of a claim."""

from dataclasses import dataclass
from typing import Literal

from resnet_jax.lab.measures import measure as named
from resnet_jax.lab.wording import NOT_KNOWN, count, decimals, number

Outcome = Literal["supported", "refuted", "not enough runs"]


@dataclass(frozen=True)
class Verdict:
    """What the runs say of a claim.

    Attributes:
      text: the claim.
      outcome: supported, refuted, or not enough runs to tell.
      measure: what was compared.
      estimate: the mean paired difference, in the measure's unit of difference.
      low: the lower end of its 95% interval.
      high: the upper end.
      n: the number of pairs.
      rule: how it was decided, in words.
      notes: what a reader has to know beside it: runs that diverged, pairs that lack a run.
    """

    text: str
    outcome: Outcome
    measure: str
    estimate: float
    low: float
    high: float
    n: int
    rule: str
    notes: tuple[str, ...] = ()

    @property
    def numbers(self) -> str:
        """The estimate, its interval and the number of pairs, in words."""
        if not self.n:
            return "no pair of runs yet"
        places = decimals([self.high - self.low])
        estimate, low, high = (
            number(value, places, sign=True) for value in (self.estimate, self.low, self.high)
        )
        words = f"{estimate} {named(self.measure).unit_of_difference}".rstrip()
        pairs = count(self.n, "pair")
        if low == NOT_KNOWN:
            return f"{words} (no interval from {pairs})"
        return f"{words} (95% interval {low} to {high}, {pairs})"
