"""From an experiment that tunes settings to its tuning runs, and to its final runs."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from resnet_jax import lab
from resnet_jax.data import digits
from resnet_jax.errors import UserError
from resnet_jax.lab.design import grid, tuning
from resnet_jax.lab.design.ranges import Times
from resnet_jax.lab.design.tuning import tuning_runs, validation_splits, with_settings
from resnet_jax.lab.studies import study
from resnet_jax.training import config as configs
from resnet_jax.training.run.session import load_dataset

ROOT = Path(__file__).parents[3]
RATE, DECAY = "optimizer.learning_rate", "optimizer.weight_decay"


@pytest.fixture
def experiment() -> lab.Experiment:
    return lab.Experiment(
        question="?",
        base=configs.load(ROOT / "configs" / "digits.py"),
        axes={"family": ("plain", "resnet"), "depth": (8, 14)},
        configure=lambda family, depth: {"model.name": f"{family}{depth}"},
        seeds=(0, 1, 2),
        tune={RATE: (0.003, 0.03), DECAY: (0.0, 1e-4, 1e-3)},
        name="trial",
    )


def test_every_cell_tries_every_combination_with_every_tuning_seed(experiment):
    runs = tuning_runs(experiment)
    assert [(*run.axes.values(), *run.settings.values(), run.seed) for run in runs] == [
        (family, depth, rate, decay, seed)
        for family in ("plain", "resnet")
        for depth in (8, 14)
        for rate in (0.003, 0.03)
        for decay in (0.0, 1e-4, 1e-3)
        for seed in (1000, 1001)
    ]
    assert len({run.name for run in runs}) == len(runs)
    for run in runs:
        assert run.name == grid.run_name(run.config, "trial")
        assert run.config.model.name == f"{run.axes['family']}{run.axes['depth']}"
        found = run.config.optimizer
        assert (found.learning_rate, found.weight_decay) == tuple(run.settings.values())
        assert run.config.seed == run.seed


def test_tuning_runs_differ_from_a_final_run_in_what_is_tried_alone(experiment):
    final, tried = grid.expand(experiment)[0], tuning_runs(experiment)[0]
    changed = {each.partition(":")[0] for each in configs.differences(final.config, tried.config)}
    assert changed == {RATE, DECAY, "seed", "data.train_split", "data.test_split"}


def test_tuning_never_sees_the_test_set(experiment):
    """Compared with the pixels of the whole set: the two parts are the training split, in order."""
    dataset = load_dataset(tuning_runs(experiment)[0].config)
    train, validation = (np.asarray(dataset.splits[name].images) for name in ("train", "test"))
    assert (len(train), len(validation)) == (1293, 144)
    whole = digits.examples("train").images
    np.testing.assert_array_equal(np.concatenate([train, validation]), whole)


@pytest.mark.parametrize(
    ("split", "size", "expected"),
    [
        ("", 1000, (900, 1000)),
        ("train", 50_000, (45_000, 50_000)),
        ("train[:40%]", 1000, (360, 400)),
        ("train[20%:]", 1000, (920, 1000)),
        ("train[20%:60.5%]", 1000, (564, 605)),  # 56.45%, rounded to examples
        ("train[:45000]", 50_000, (40_500, 45_000)),
        ("train[1000:1281167]", 1_281_167, (1_153_150, 1_281_167)),
        ("train[:]", 1000, (900, 1000)),
    ],
)
def test_the_last_tenth_of_the_training_split_is_for_validation(split, size, expected):
    from resnet_jax.data.splits import parse_split

    parts = [parse_split(each, {"train": size}) for each in validation_splits(split)]
    whole = parse_split(split or "train", {"train": size})
    assert parts[0][1].start == whole[1].start
    assert (parts[0][1].stop, parts[1][1].stop) == expected
    assert parts[1][1].start == parts[0][1].stop
    assert parts[1][1].stop == whole[1].stop


@pytest.mark.parametrize("split", ["train+test", "train[-100:]", "train[100:]", "train[10:50%]"])
def test_a_split_without_a_known_end_is_refused(experiment, split):
    with pytest.raises(UserError, match=r"family='plain', depth=8.*data\.train_split"):
        tuning_runs(replace(experiment, settings={"data.train_split": split}))


def test_a_set_without_slices_is_refused(experiment):
    with pytest.raises(UserError, match="synthetic"):
        tuning_runs(replace(experiment, settings={"data.name": "synthetic"}))


def test_multiples_are_those_of_the_cells_own_value(experiment):
    """What `configure` sets in a cell is what a range is relative to, and what a list replaces."""

    def configure(family, depth):
        own = {RATE: 0.001, "optimizer.name": "adam"} if family == "plain" else {}
        return {"model.name": f"{family}{depth}", **own}

    def rates(tune):
        runs = tuning_runs(replace(experiment, configure=configure, tune=tune))
        return {
            family: sorted(
                {r.config.optimizer.learning_rate for r in runs if r.axes["family"] == family}
            )
            for family in ("plain", "resnet")
        }

    assert rates({RATE: Times(0.3, 1, 3)}) == {
        "plain": [0.0003, 0.001, 0.003],
        "resnet": [0.003, 0.01, 0.03],
    }
    assert rates({RATE: (0.5, 0.7)}) == {"plain": [0.5, 0.7], "resnet": [0.5, 0.7]}


def test_final_runs_have_the_chosen_settings_and_their_own_seeds_and_splits(experiment):
    runs = grid.expand(experiment)
    chosen = {grid.key(run.axes): {RATE: 0.03, DECAY: 1e-3} for run in runs[:3]}
    final = with_settings(experiment, runs, chosen)
    assert [(run.axes, run.seed) for run in final] == [(run.axes, run.seed) for run in runs]
    for before, after in zip(runs[:3], final[:3], strict=True):
        assert configs.differences(before.config, after.config) == [
            f"{RATE}: 0.01 -> 0.03",
            f"{DECAY}: 0.0001 -> 0.001",
        ]
        assert after.name == grid.run_name(after.config, "trial")
    assert all(run.name.endswith("-untuned") for run in final[3:])
    assert len({run.name for run in final}) == len(final)


def test_without_ranges_nothing_is_tuned(experiment):
    plain = replace(experiment, tune={})
    runs = grid.expand(plain)
    assert (tuning_runs(plain), with_settings(plain, runs, {})) == ([], runs)


def test_cells_that_tuning_would_make_equal_are_refused(experiment):
    def configure(family, depth):
        return {"model.name": f"{family}8", RATE: 0.1 if depth == 8 else 0.01}

    for given in ((0.01, 0.1), Times(1, 10)):
        with pytest.raises(UserError, match=r"depth=8 and family='plain', depth=14"):
            tuning_runs(replace(experiment, configure=configure, tune={RATE: given}))


def test_a_setting_that_does_not_exist_is_named(experiment):
    for given in ((0.1, 0.2), Times(1, 2)):
        with pytest.raises(UserError, match=r"optimizer\.learnin_rate.*learning_rate"):
            tuning_runs(replace(experiment, tune={"optimizer.learnin_rate": given}))
    with pytest.raises(UserError, match=RATE):
        tuning_runs(replace(experiment, tune={RATE: ("a", "b")}))


def test_numbers_of_seeds_do_not_change_the_tuning_runs(experiment):
    before = [run.name for run in tuning_runs(experiment)]
    assert before == [run.name for run in tuning_runs(replace(experiment, seeds=lab.Until((5, 8))))]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"tune": (0.1, 0.2)}, "tune"),
        ({"tune": {RATE: 0.1}}, RATE),
        ({"tune": {RATE: (0.1,)}}, RATE),
        ({"tune": {RATE: (0.1, 0.1)}}, RATE),
        ({"tune": {RATE: (0.1, None)}}, "None"),
        ({"tune": {"depth": (1, 2)}}, "axis"),
        ({"tune": {"seed": (1, 2)}}, "seed"),
        ({"tune": {"data.test_split": ("a", "b")}}, r"data\.test_split"),
        ({"tuning_seeds": ()}, "tuning_seeds"),
        ({"tuning_seeds": 3}, "tuning_seeds"),
        ({"tuning_seeds": (1000, 2)}, r"\[2\]"),
        ({"tuning_seeds": (1000, 11), "seeds": lab.Until((5, 12))}, r"\[11\]"),
        ({"diverged": {"train_error": 90.0}, "measures": ("train_error",)}, "test_error"),
    ],
)
def test_what_cannot_be_tuned_is_refused(experiment, fields, message):
    with pytest.raises(UserError, match=message):
        replace(experiment, **fields)


def test_a_study_is_not_tuned():
    def measure(*, seed: int, size: float = 1.0):
        return lab.design.study.Findings({"x": size})

    with pytest.raises(UserError, match="study"):
        lab.Experiment(
            question="?", study=study(measure), measures=("x",), tune={"size": (1.0, 2.0)}
        )


def test_tuning_is_of_a_tenth():
    """As documented, and as in He et al. 2015, section 4.2: 45,000 and 5,000 of 50,000."""
    assert tuning.HELD_OUT == 5_000 / 50_000
