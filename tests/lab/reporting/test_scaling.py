"""The report's table of scaling laws."""

import math

import numpy as np
import pytest
from scipy import stats

from resnet_jax.lab.reporting.scaling import scaling_section
from resnet_jax.lab.results import records
from resnet_jax.lab.results.folder import Folder


def test_a_row_has_both_slopes_with_intervals_and_the_digits_that_they_support(results: Folder):
    found = records.read(results)
    section = scaling_section(found)
    rows = {(row[0], row[1]): row[2:] for row in section.table.rows}
    plain = found.runs[found.runs["family"] == "plain"]
    logs = np.log(plain.pivot(index="seed", columns="depth", values="train_error").to_numpy())
    slopes = [stats.linregress(np.log([20, 32, 56]), of_seed).slope for of_seed in logs]
    low, high = stats.t.interval(0.95, 2, np.mean(slopes), stats.sem(slopes))
    assert 0.1 <= high - low < 1  # two digits of it are two decimals
    words = f"{np.mean(slopes):.2f} ({low:.2f} to {high:.2f})"
    assert rows["training error", "plain"][:2] == ["3", words]
    assert len(section.table.head) == len(section.table.numeric) == len(section.table.rows[0])


def test_what_has_no_fit_is_named_with_the_reason(results: Folder):
    found = records.read(results)
    residual = found.runs["family"] == "resnet"
    found.runs.loc[residual, "train_error"] = 0.0
    found.runs.loc[residual, "test_error"] = [1.0, 2.0, 3.0, 2.0, 3.0, 1.0, 3.0, 1.0, 2.0]
    unfitted = " ".join(scaling_section(found).notes).partition("No fit: ")[2]
    assert "training error, residual (9 of 9 values" in unfitted
    assert "test error, residual (no trend" in unfitted


def test_diverged_runs_are_counted(results: Folder):
    found = records.read(results)
    assert "iverged" not in " ".join(scaling_section(found).notes)
    runs = found.runs
    here = (runs["family"] == "plain") & (runs["depth"] == 56) & (runs["seed"] == 0)
    runs.loc[here, "status"] = "diverged"
    notes = " ".join(scaling_section(found).notes)
    assert "declared values (2 in these fits)" in notes  # of both errors


@pytest.mark.parametrize("value", [0.0, math.nan, 1.0])
def test_no_section_where_nothing_has_a_fit(results: Folder, value):
    found = records.read(results)
    found.runs[["train_error", "test_error"]] = value
    assert scaling_section(found) is None
