"""All records below a folder as one table, for a notebook."""

import json
from pathlib import Path

import pandas as pd

from resnet_jax.errors import UserError
from resnet_jax.lab.results import folder, records
from resnet_jax.lab.results.folder import Folder
from resnet_jax.training.run.run_folder import RunFolder


def experiments_in(results: Path) -> list[Path]:
    """The folders of experiments in a folder of results, by name.

    Raises:
      UserError: there is none.
    """
    found = sorted(path for path in results.glob("*") if Folder(path).plan.is_file())
    if not found:
        raise UserError(f"{results}: holds no results of experiments; `resnet-jax run` makes them")
    return found


def load_records(path: str | Path) -> pd.DataFrame:
    """Reads every record of a run, of an experiment, or of all experiments in a folder.

    Args:
      path: the folder of a run (`train --workdir`), of an experiment (`results/degradation`), or
        of experiments (`results`).

    Returns:
      One row for each record, in the order in which it was written: `experiment` and the columns
      of its axes (none for a run by itself), `run`, `seed`, `status` ("done", "diverged",
      "failed", "missing": not ended), and what was recorded: `kind`, `split`, `step` and so on. A
      recorded quantity that is called as an axis is, `depth` for one, becomes `depth_recorded`.
      Columns that an experiment or a kind of record has not are NaN there.

    Raises:
      UserError: the folder is none of these, or its records cannot be read.

    Example:
      records = load_records("results/degradation")
      curves = records.query("kind == 'train' and step == 300")
      curves.groupby(["family", "depth"])["error"].mean()
    """
    path = Path(path)
    if Folder(path).plan.is_file():
        return _of_experiment(path)
    if (path / "config.json").is_file():
        return _of_run(path)
    if not path.is_dir():
        raise UserError(f"{path}: there is no such folder")
    return pd.concat(map(_of_experiment, experiments_in(path)), ignore_index=True)


def _of_experiment(path: Path) -> pd.DataFrame:
    place = Folder(path)
    plan, experiment = folder.read_plan(place), folder.read_experiment(place)
    found = records.read(place, experiment, plan)
    axes = list(experiment.axes)
    known = ["experiment", *axes, "seed", "status"]
    runs = found.runs[["run", *axes, "seed", "status"]].assign(experiment=experiment.results_name)
    clashing = {name: f"{name}_recorded" for name in known if name in found.metrics}
    joined = found.metrics.rename(columns=clashing).merge(runs, on="run", how="left")
    first = ["experiment", "run", *axes, "seed", "status"]
    return joined[[*first, *(name for name in joined if name not in first)]]


def _of_run(path: Path) -> pd.DataFrame:
    result = RunFolder(path).result()
    metrics = records.metrics_of(path)
    metrics["run"] = path.resolve().name  # "." has a name too
    metrics.insert(0, "experiment", "")
    metrics.insert(2, "seed", json.loads((path / "config.json").read_text()).get("seed"))
    metrics.insert(3, "status", result.status if result else "missing")
    return metrics
