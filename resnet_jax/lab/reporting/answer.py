"""What an experiment found, in sentences made of its verdicts."""

from collections import Counter
from collections.abc import Iterable, Sequence

from resnet_jax.lab.analysis.verdicts import Outcome, Verdict
from resnet_jax.lab.formatting import count
from resnet_jax.lab.inference import MOST_SEEDS
from resnet_jax.lab.measures import describe

OUTCOMES: tuple[Outcome, ...] = ("supported", "refuted", "inconclusive")


def answer(verdicts: Sequence[Verdict]) -> str:
    """One sentence: the first claim with its numbers, and how many of the others came out how.

    Returns:
      The sentence; empty without claims.
    """
    if not verdicts:
        return ""
    first, *others = verdicts
    words = describe(first.measure).words
    if not first.n:
        found = f"“{first.text}” is not decided: {first.numbers}"
    else:
        what = "difference in" if first.counted == "pair" else "mean"
        comma = "," if "," in words else ""
        found = f"“{first.text}” is {first.outcome}: the {what} {words}{comma} is {first.numbers}"
    return f"{found}{_others(others)}."


def _others(verdicts: Sequence[Verdict]) -> str:
    if not verdicts:
        return ""
    if len(verdicts) == 1:
        return f"; the other claim is {verdicts[0].outcome}"
    tallied = {
        outcome: n for outcome, n in by_outcome(each.outcome for each in verdicts).items() if n
    }
    if len(tallied) == 1:
        return f"; the other {len(verdicts)} claims are {verdicts[0].outcome}"
    words = [f"{n} {'is' if n == 1 else 'are'} {outcome}" for outcome, n in tallied.items()]
    return f"; of the other {len(verdicts)} claims, {', '.join(words[:-1])} and {words[-1]}"


def by_outcome(outcomes: Iterable[str]) -> dict[Outcome, int]:
    """Counts verdicts by outcome, in the order of `OUTCOMES`."""
    counts = Counter(outcomes)
    return {outcome: counts[outcome] for outcome in OUTCOMES}


def needed(verdict: Verdict) -> str:
    """How many seeds would probably decide an open claim; empty if it is decided or not known."""
    if verdict.outcome != "inconclusive" or not verdict.needed:
        return ""
    if verdict.needed >= MOST_SEEDS:
        return f"{MOST_SEEDS:,} seeds or more would be needed to decide it"
    return f"about {count(verdict.needed, 'seed')} would probably decide it"


def looks(verdicts: Sequence[Verdict], declared: Sequence[int]) -> str:
    """At which of the declared numbers of seeds the claims were decided; empty for one look.

    Args:
      verdicts: one for each claim.
      declared: the numbers of seeds at which claims are judged.
    """
    if len(declared) < 2 or not verdicts:
        return ""
    at = Counter(verdict.look for verdict in verdicts)
    words = [f"{at[look]} at {count(look, 'seed')}" for look in declared if at[look]]
    still_open = sum(verdict.outcome == "inconclusive" for verdict in verdicts)
    words += [f"{still_open} open"] if still_open else []
    numbers = f"{', '.join(map(str, declared[:-1]))} and {declared[-1]}"
    return f"Looks were declared at {numbers} seeds; claims decided: {', '.join(words)}."
