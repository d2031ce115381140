"""The aggregated table against pandas' own grouping."""

import shutil

import numpy as np
import pandas as pd

from resnet_jax.lab.analysis import tables
from resnet_jax.lab.design import validation
from resnet_jax.lab.design.experiment import Experiment
from resnet_jax.lab.results import records
from resnet_jax.lab.results.folder import Folder


def read(results: Folder) -> tuple[pd.DataFrame, Experiment]:
    found = records.read(results)
    return found.runs, found.experiment


def test_each_cell_and_measure_is_summarized(results: Folder):
    runs, experiment = read(results)
    table = tables.aggregate(runs, experiment)
    assert len(table) == 6 * 2
    for measure, ours in table.groupby("measure"):
        theirs = runs.groupby(["family", "depth"])[measure].agg(["count", "mean", "std", "median"])
        ours = ours.set_index(["family", "depth"]).sort_index()
        np.testing.assert_allclose(ours[["n", "mean", "std", "median"]], theirs)
        assert (ours["low"] < ours["mean"]).all()
        assert (ours["mean"] < ours["high"]).all()


def test_names_refused_for_axes_are_the_columns_of_the_tables(results: Folder):
    runs, experiment = read(results)
    columns = {*runs, *tables.aggregate(runs, experiment), "experiment"}
    assert columns - set(experiment.axes) - set(experiment.measures) == validation.COLUMNS


def test_statuses_of_runs_are_counted(results: Folder, diverge, fail):
    diverge("plain56-seed0-abcdef")
    fail("plain56-seed1-abcdef")
    shutil.rmtree(results.runs / "plain56-seed2-abcdef")
    table = tables.aggregate(*read(results))
    cell = table.query("family == 'plain' and depth == 56 and measure == 'test_error'").iloc[0]
    assert (cell["n"], cell["diverged"], cell["failed"], cell["missing"]) == (1, 1, 1, 1)
    assert (cell["mean"], np.isnan(cell["low"])) == (90.0, True)


def test_an_experiment_without_axes_has_one_cell():
    runs = pd.DataFrame(
        {"run": "a", "seed": [0, 1], "status": "done", "train_error": [1.0, 3.0], "test_error": 2.0}
    )
    table = tables.aggregate(runs, Experiment(question="?", base="b.py"))
    assert list(table["mean"]) == [2.0, 2.0]


def test_readable_table_uses_the_labels_of_the_experiment(results: Folder, diverge):
    diverge("resnet20-seed0-abcdef")
    runs, experiment = read(results)
    readable = tables.for_reading(tables.aggregate(runs, experiment), experiment)
    heads = ["family", "layers", "measure", "n", "mean", "std", "median"]
    heads += ["95% interval, seeds", "remarks"]  # the number of examples is not recorded here
    assert readable.head == heads
    assert readable.numeric == [False] * 3 + [True] * 5 + [False]
    row = next(row for row in readable.rows if row[:2] == ["residual", "20"])
    assert (row[2], row[3], row[-1]) == ("training error (%)", "3", "1 diverged")
    assert all(len(row) == len(readable.head) for row in readable.rows)


def test_empty_columns_are_dropped(results: Folder):
    runs, experiment = read(results)
    assert "remarks" not in tables.for_reading(tables.aggregate(runs, experiment), experiment).head


def test_every_run_has_a_row(results: Folder, fail):
    fail("plain32-seed1-abcdef")
    readable = tables.runs_for_reading(*read(results))
    assert len(readable.rows) == 18
    row = dict(zip(readable.head, readable.rows[4], strict=True))
    assert row["status"] == "failed"
    assert row["training error (%)"] == "–"
    assert (row["time"], row["compilation"]) == ("12 s", "2.0 s")
