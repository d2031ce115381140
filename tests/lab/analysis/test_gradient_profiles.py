"""Whether gradients vanish, in words, from the records of probes."""

import math

import pandas as pd
import pytest

from resnet_jax import lab
from resnet_jax.lab.analysis import gradient_profiles, tables
from resnet_jax.lab.analysis.growth import geometric


def records(norms, step=0):
    return pd.DataFrame(
        {
            "kind": "probe",
            "of": "unit",
            "step": step,
            "site": [f"stage1/unit{n:02d}" for n in range(1, len(norms) + 1)],
            "stage": 1,
            "unit": range(1, len(norms) + 1),
            "depth": range(1, len(norms) + 1),
            "gradient_norm": norms,
        }
    )


def test_first_to_last_divides_the_norms_of_the_end_units():
    metrics = pd.concat([records([50.0, 3.0, 0.5]), records([1.0, 1.0, 4.0], step=7)])
    assert gradient_profiles.first_to_last(0)(metrics) == pytest.approx(100.0)
    assert gradient_profiles.decades(0)(metrics) == pytest.approx(2.0)
    assert gradient_profiles.first_to_last(7)(metrics) == pytest.approx(0.25)
    assert (
        gradient_profiles.decades()(records([0.0, 1.0])) == -math.inf
    )  # a branch that starts at zero
    assert math.isnan(gradient_profiles.decades()(records([0.0, 0.0])))


@pytest.mark.parametrize(
    ("ratios", "words"),
    [
        ([1000.0, 1100.0, 900.0], "explodes towards the input"),
        ([4.0, 4.1, 3.9], "grows towards the input"),
        ([0.01, 0.011, 0.009], "vanishes towards the input"),
        ([1.0, 1.1, 0.9], "neither vanishes nor explodes"),
        ([0.1, 1.0, 10.0], "inconclusive whether the change exceeds a factor of 2"),
        ([5.0], "a single seed"),
        ([math.nan], "no finished run"),
    ],
)
def test_sentence_follows_the_interval(ratios, words):
    assert words in gradient_profiles.sentence("a network", geometric(ratios))


def test_runs_without_a_ratio_are_counted():
    ratio = geometric([4.0, 4.1, 3.9])
    counted = gradient_profiles.sentence("a network", ratio, undefined=2)
    assert "3 seeds" in counted
    assert "2 runs with a ratio of zero or not finite" in counted
    lost = gradient_profiles.sentence("a network", geometric([]), undefined=1)
    assert lost == "a network: a ratio of zero or not finite in 1 run."


def test_nonfinite_ratios_are_counted_in_findings_and_table(recwarn):
    runs = pd.DataFrame(
        {"run": ["a", "b", "c"], "net": "x", "seed": [0, 1, 2], "status": "done", "message": ""}
        | {"decades": [-math.inf, 0.0, math.nan], "seconds_total": 1.0, "seconds_compile": 0.5}
    )
    metrics = records([1.0, 1.0]).assign(run="b")
    asked = lab.Experiment(
        question="?", axes={"net": ("x",)}, measures=("decades",), diverged={"decades": math.nan}
    )
    found = lab.Records(asked, runs, metrics, {}, 0)
    (told,) = gradient_profiles.along(found, "net", "decades", 0)
    assert "2 runs with a ratio of zero or not finite" in told
    read = tables.for_reading(tables.aggregate(runs, asked), asked)
    assert read.rows[0][read.head.index("remarks")] == "2 not finite"
    tables.runs_for_reading(runs, asked)
    assert not recwarn.list


def test_growth_sentence_compares_both_laws(tmp_path):
    runs = pd.DataFrame({"run": ["a", "b", "c"], "seed": [0, 1, 2], "status": "done", "net": "x"})
    rates = {"a": 1.5, "b": 1.6, "c": 1.55}
    profiles = [
        records([rate ** (-n / 2) for n in range(16)]).assign(run=run)
        for run, rate in rates.items()
    ]
    asked = lab.Experiment(question="?", axes={"net": ("x",)})
    found = lab.Records(asked, runs, pd.concat(profiles), {}, 0)
    grown = gradient_profiles.growth_in(found, {"net": "x"})
    assert 1 / grown.rate.mean == pytest.approx((1.5 * 1.6 * 1.55) ** (1 / 3))
    told = gradient_profiles.growth_sentence(grown)
    assert "the 12 repeated units" in told  # four at the end are left out
    assert "a factor of 1.55 per unit" in told
    assert "(95% interval 1.43 to 1.68; the norm by 1.24; R² 1.00)" in told
    assert told.endswith("the exponential fits better.")
    assert (
        gradient_profiles.growth_sentence(gradient_profiles.growth_in(found, {"net": "none"})) == ""
    )
