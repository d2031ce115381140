"""What is fixed before an experiment is run, and what was changed afterwards.

The first `resnet-jax run` of an experiment stores its claims, measures and looks and the digests of
the code in the plan. Later changes are allowed; each is listed in the report, as a departure from
the plan. A claim that is written or altered after its data were seen is weaker evidence.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from typing import Any

from resnet_jax.lab.design import ranges
from resnet_jax.lab.design.experiment import Experiment
from resnet_jax.lab.design.protocols import Claim
from resnet_jax.lab.formatting import listed
from resnet_jax.training.run import environment

RULES = (
    *("lab/analysis/claims", "lab/analysis/judging", "lab/analysis/verdicts", "lab/inference"),
    "lab/measures",
)
"""The files of this package that judge claims."""

Registration = Mapping[str, Any]
Claims = Mapping[str, Mapping[str, Any]]


def register(experiment: Experiment) -> Registration:
    """Describes what an experiment is going to test, and how, as plain JSON types.

    Returns:
      `claims` (by their sentences), `measures`, `looks`, `seeds` (of the first look), `tuned
      settings` and `tuning seeds` if there are any, `code` (digests by file), `time` (UTC) and
      `sha256`, a hash of all of these.
    """
    content = {
        "time": now(),
        "claims": {claim.text: _described(claim) for claim in experiment.claims},
        "measures": [str(each) for each in experiment.measures],
        "looks": list(experiment.looks),
        "seeds": list(experiment.first_seeds),
        **_tuning(experiment),
        "code": environment.code() | environment.digests(RULES),
    }
    text = json.dumps(content, sort_keys=True)
    return {**content, "sha256": hashlib.sha256(text.encode()).hexdigest()}


def departures(before: Registration, experiment: Experiment) -> Iterator[str]:
    """Lists how an experiment differs from its registration, a sentence for each difference.

    Args:
      before: the registration; if empty, nothing was registered and nothing is listed.
      experiment: the experiment as it is now.
    """
    if not before:
        return
    after = register(experiment)
    yield from _departures_of_claims(before["claims"], after["claims"])
    for name in ("measures", "looks", "tuned settings", "tuning seeds"):
        old, new = before.get(name, []), after.get(name, [])
        if old != new:
            yield f"{name} were {_words(old)} and now are {_words(new)}"
    new = after["seeds"]
    old = before.get("seeds", new)  # earlier versions registered none
    if any(a != b for a, b in zip(old, new, strict=False)):  # how many is told by the looks
        yield f"seeds were {_words(old)} and now are {_words(new)}"
    if files := environment.differing((before["code"], after["code"])):
        yield f"the code changed after registration: {listed(sorted(files))}"


def _departures_of_claims(before: Claims, after: Claims) -> Iterator[str]:
    removed = [text for text in before if text not in after]
    for text, new in after.items():
        old = before.get(text)
        reworded = next((each for each in removed if before[each] == new), None)
        if old is None and reworded:
            removed.remove(reworded)
            yield f"the claim “{reworded}” now reads “{text}”"
        elif old is None:
            yield f"the claim “{text}” was added"
        else:
            for name in sorted(old.keys() | new.keys()):
                values = [repr(each.get(name)) for each in (old, new)]
                if values[0] != values[1]:
                    yield f"the claim “{text}” had {name} {values[0]} and now has {values[1]}"
    yield from (f"the claim “{text}” was removed" for text in removed)


def _tuning(experiment: Experiment) -> dict[str, Any]:
    """The ranges of nuisance settings and the seeds that choose among them, if any."""
    if not experiment.tune:
        return {}
    tried = [f"{name} ({', '.join(ranges.words(of))})" for name, of in experiment.tune.items()]
    return {"tuned settings": tried, "tuning seeds": list(experiment.tuning_seeds)}


def now() -> str:
    """The time, in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _words(values: list[Any]) -> str:
    return ", ".join(map(str, values)) or "none"


def _described(claim: Claim) -> dict[str, Any]:
    """The class of a claim and its fields, except for `published`, which decides nothing."""
    made: Any = claim  # a user's own claim may be of any class
    if is_dataclass(made):
        known = {each.name: getattr(made, each.name) for each in fields(made)}
    else:
        known = {"measure": claim.measure, "cells": [dict(cell) for cell in claim.cells]}
    known = {name: value for name, value in known.items() if name not in ("text", "published")}
    return {"type": type(claim).__name__, **{name: _plain(value) for name, value in known.items()}}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        return str(value)  # JSON has no infinity
    return value if isinstance(value, str | int | float | bool | None) else type(value).__name__
