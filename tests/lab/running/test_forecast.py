"""Forecasts of the cost of a grid, without its data."""

from dataclasses import replace

import pytest

from resnet_jax import models
from resnet_jax.lab import Experiment
from resnet_jax.lab.design.study import Study
from resnet_jax.lab.running import forecast
from resnet_jax.training import config as configs

CIFAR = configs.override(
    configs.base(), {"data.name": "cifar10", "train.epochs": 2.0, "train.batch_size": 100}
)

SMALL = {"stage_sizes": (1,), "widths": (4,)}


@pytest.fixture
def experiment(monkeypatch, tmp_path) -> Experiment:
    """A grid on CIFAR-10, which is not on this machine."""
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "nothing prepared"))
    return Experiment(
        question="?",
        base=CIFAR,
        name="cifar",
        axes={"model.name": ("resnet14", "resnet8"), "optimizer.nesterov": (False, True)},
        seeds=(0, 1, 2),
    )


@pytest.fixture
def timed(monkeypatch) -> list[str]:
    """Replaces the timing by 2 s for a batch, and lists the networks that were timed."""
    asked: list[str] = []

    def time_step(cost: forecast.Cost) -> forecast.Measured:
        asked.append(cost.network)
        work = cost.batch_size * cost.multiply_adds
        return forecast.Measured(cost.network, "one abacus", cost.batch_size, 2.0, 1.0, 2.0 / work)

    monkeypatch.setattr(forecast, "time_step", time_step)
    return asked


def test_it_counts_what_the_grid_has(experiment, timed, tmp_path):
    found = forecast.forecast(experiment, tmp_path)
    assert (found.cells, found.seeds, found.runs, found.chosen, found.done) == (4, 3, 12, 12, 0)
    assert [(cost.network, cost.runs, cost.steps) for cost in found.costs] == [
        ("resnet14", 6, 1000),
        ("resnet8", 6, 1000),
    ]
    for cost in found.costs:
        summary = models.summarize(models.create(cost.network), (32, 32, 3))
        assert (cost.params, cost.multiply_adds) == (summary.params, summary.multiply_adds)
    assert found.images() == 12 * 100_000
    assert timed == ["resnet8"]


def test_hours_are_those_of_the_step_scaled_by_multiply_adds(experiment, timed, tmp_path):
    found = forecast.forecast(experiment, tmp_path)
    large, small = (cost.multiply_adds for cost in found.costs)
    expected = 6 * 1000 * 2.0 * (1 + large / small) / 3600
    assert found.hours() == pytest.approx(expected)


def test_a_piece_is_counted_and_what_is_done_is_not_to_do(experiment, timed, tmp_path):
    done = forecast.grid.expand(experiment)[0].name
    folder = tmp_path / "cifar" / "runs" / done
    folder.mkdir(parents=True)
    (folder / "result.json").write_text('{"status": "done", "message": "", "step": 1000}')
    found = forecast.forecast(experiment, tmp_path, {"model.name": ("resnet14",)})
    assert (found.runs, found.chosen, found.done) == (12, 6, 1)
    (cost,) = found.costs
    assert (cost.runs, cost.waiting) == (6, 5)
    assert found.hours() == pytest.approx(5 * 1000 * 2.0 / 3600)
    assert found.hours(waiting=False) == pytest.approx(6 * 1000 * 2.0 / 3600)


def test_networks_of_one_name_are_told_apart_by_what_differs(experiment, timed, tmp_path):
    axes = {"model.name": ("resnet14", "resnet8"), "model.shortcut": ("A", "B")}
    found = forecast.forecast(replace(experiment, axes=axes), tmp_path)
    assert [cost.network for cost in found.costs] == [
        f"{name} (shortcut {shortcut})" for name in axes["model.name"] for shortcut in "AB"
    ]


def test_what_is_left_to_the_zoo_is_not_named_and_a_zero_is(experiment, timed, tmp_path):
    gated = {"model.shortcut": "exclusive_gating"}
    kinds = {"A": {"model.shortcut": "A"}, "gated": gated, "0": gated | {"model.gate_bias": 0.0}}
    base = {"model.name": "resnet8"}
    found = forecast.forecast(
        replace(experiment, axes={"kind": (*kinds,)}, configure=lambda kind: base | kinds[kind]),
        tmp_path,
    )
    assert [cost.network for cost in found.costs] == [
        "resnet8 (shortcut A)",
        "resnet8 (shortcut exclusive_gating)",
        "resnet8 (gate_bias 0.0, shortcut exclusive_gating)",
    ]


def test_a_study_has_no_estimate_and_says_why(experiment, tmp_path):
    study = Study(measure=lambda config, path: None)
    found = forecast.forecast(replace(experiment, study=study, measures=("loss",)), tmp_path)
    assert found.measured is None
    assert "study" in found.why_not


@pytest.fixture
def one_network(experiment, monkeypatch) -> Experiment:
    """A grid of one network of one unit, whose step is timed once."""
    monkeypatch.setattr(forecast, "TIMED", 1)
    settings = {f"model.{name}": value for name, value in SMALL.items()}
    return replace(experiment, axes={"model.name": ("resnet8",)}, settings=settings)


def multiply_adds() -> int:
    return models.summarize(models.create("resnet8", **SMALL), (32, 32, 3)).multiply_adds


def timed_step(experiment: Experiment, settings: dict, results) -> forecast.Measured:
    grid = replace(experiment, settings={**experiment.settings, **settings})
    measured = forecast.forecast(grid, results).measured
    assert measured is not None
    assert measured.step > 0
    assert measured.device.startswith("one ")
    return measured


def test_a_step_is_timed_on_noise_of_the_shape_of_the_data(one_network, tmp_path):
    measured = timed_step(one_network, {"train.batch_size": 8}, tmp_path)
    assert (measured.network, measured.images) == ("resnet8", 8)
    assert measured.per_multiply_add == pytest.approx(measured.step / (8 * multiply_adds()))


@pytest.mark.filterwarnings("error:Explicitly requested dtype")
def test_a_step_in_float64_is_timed_in_float64(one_network, tmp_path):
    timed_step(one_network, {"model.dtype": "float64", "train.batch_size": 2}, tmp_path)


def test_on_a_cpu_a_large_batch_is_cut(one_network, monkeypatch, tmp_path):
    monkeypatch.setattr(forecast, "CPU_WORK", 8.5 * multiply_adds())
    monkeypatch.setattr(forecast.jax, "local_devices", lambda: forecast.jax.devices("cpu"))
    assert timed_step(one_network, {"train.accumulate": 2}, tmp_path).images == 8
