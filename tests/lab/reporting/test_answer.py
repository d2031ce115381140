"""The answer in one sentence, and what is said of open claims and of looks."""

import pytest

from resnet_jax.lab.analysis.claims import Verdict
from resnet_jax.lab.reporting import answer


def verdict(outcome: str = "supported", **more) -> Verdict:
    fields = {
        "text": "Deeper is worse",
        "measure": "train_error",
        "estimate": 61.5,
        "low": 50.25,
        "high": 72.75,
        "n": 5,
        "rule": "a rule",
    }
    return Verdict(outcome=outcome, **(fields | more))


def test_the_answer_is_one_sentence_with_the_first_claims_numbers():
    others = [verdict("refuted"), verdict("supported"), verdict("refuted")]
    told = answer.answer([verdict(), *others])
    numbers = ("+62", "+50 to +73", "5 pairs")
    for part in ("“Deeper is worse” is supported", "training error", *numbers):
        assert part in told
    assert told.endswith("of the other 3 claims, 1 is supported and 2 are refuted.")


@pytest.mark.parametrize(
    ("others", "end"),
    [
        ([], "5 pairs)."),
        (["refuted"], "the other claim is refuted."),
        (["refuted"] * 3, "the other 3 claims are refuted."),
        (
            ["inconclusive", "refuted", "supported", "supported"],
            "2 are supported, 1 is refuted and 1 is inconclusive.",
        ),
    ],
)
def test_the_other_claims_are_counted(others, end):
    assert answer.answer([verdict(), *map(verdict, others)]).endswith(end)


def test_without_claims_or_runs():
    assert answer.answer([]) == ""
    told = answer.answer([verdict("inconclusive", n=0)])
    assert "no complete pair of runs yet" in told
    assert "+62" not in told


def test_an_open_claim_says_how_many_seeds_would_decide_it():
    assert "14 seeds" in answer.needed(verdict("inconclusive", needed=14))
    assert "1,000 seeds or more" in answer.needed(verdict("inconclusive", needed=1000))
    assert answer.needed(verdict("inconclusive")) == ""
    assert answer.needed(verdict("supported", needed=14)) == ""


def test_claims_are_counted_by_the_look_that_decided_them():
    verdicts = [verdict(look=5), verdict(look=12), verdict(look=5), verdict("inconclusive")]
    told = answer.looks(verdicts, (5, 8, 12))
    assert "5, 8 and 12 seeds" in told
    assert "2 at 5 seeds, 1 at 12 seeds, 1 open" in told
    assert answer.looks(verdicts, (5,)) == ""
