"""Experiment files, and the errors for mistakes in them."""

from pathlib import Path

import pytest

from resnet_jax.errors import UserError
from resnet_jax.lab import Experiment, figures, load
from resnet_jax.lab.analysis import claims


def test_a_file_is_read_and_names_the_experiment(experiment_file: Path):
    experiment = load(experiment_file)
    assert experiment.name == "degradation"
    assert experiment.file == experiment_file
    assert experiment.configure(family="plain", depth=20) == {"model.name": "plain20"}
    assert [claim.measure for claim in experiment.claims] == ["train_error", "train_error"]


def test_a_file_leaves_no_bytecode_beside_it(experiment_file: Path):
    load(experiment_file)
    assert [each.name for each in experiment_file.parent.iterdir()] == ["degradation.py"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("experiment = (", r"wrong\.py, line 1: .*never closed"),
        ("a = 1\nb = a + c\n", r"wrong\.py, line 2: NameError: name 'c'"),
        ("import os", r"wrong\.py: defines no variable `experiment`"),
        (
            "from resnet_jax.lab import Experiment\n\n"
            "experiment = Experiment(question='?', base='b.py', axes={'depth': ()})\n",
            r"wrong\.py, line 3: axis 'depth'",
        ),
        (
            "from resnet_jax.lab import Experiment\n\n"
            "experiment = Experiment(question='?', base='b.py', axis={'depth': (20,)})\n",
            r"wrong\.py, line 3: Experiment: no field 'axis'; did you mean 'axes'",
        ),
    ],
)
def test_a_mistake_in_the_file_is_one_line_that_says_where(tmp_path: Path, text, message):
    file = tmp_path / "wrong.py"
    file.write_text(text)
    with pytest.raises(UserError, match=message) as caught:
        load(file)
    assert "\n" not in str(caught.value)


def test_a_missing_file_suggests_the_closest_name(experiment_file: Path):
    with pytest.raises(UserError, match=r"did you mean 'degradation\.py'"):
        load(experiment_file.with_name("degradaton.py"))


@pytest.mark.parametrize("name", ["my_scale", "my_scale.py"])
def test_a_file_in_the_experiments_folder_is_suggested(tmp_path, monkeypatch, name):
    (tmp_path / "experiments").mkdir()
    (tmp_path / "experiments" / "my_scale.py").touch()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"did you mean 'experiments/my_scale\.py'\?"):
        load(name)


PLAIN, RESIDUAL = {"depth": 20, "family": "plain"}, {"depth": 20, "family": "resnet"}


def wrong(**fields) -> str:
    """The error of an experiment with an invalid field."""
    axes = {"family": ("plain", "resnet"), "depth": (20, 56)}
    with pytest.raises(UserError) as caught:
        Experiment(**{"question": "?", "base": "b.py", "axes": axes, **fields})
    return str(caught.value)


def test_axes_are_checked():
    assert "axis 'depth': a value is repeated in (20, 20)" in wrong(axes={"depth": (20, 20)})
    assert "axis 'depth': None is not" in wrong(axes={"depth": (20, None)})
    assert "axis 'family': expected a tuple" in wrong(axes={"family": "plain"})
    assert "axis 'status'" in wrong(axes={"status": ("a", "b")})


@pytest.mark.parametrize(
    ("fields", "field", "given"),
    [
        ({"seeds": 3}, "seeds", "3"),
        ({"measures": "train_error"}, "measures", "'train_error'"),
        ({"figures": figures.Final(x="depth")}, "figures", "Final(...)"),
        (
            {"figures": (figures.Final(x="depth", lines="family", measures="train_error"),)},
            "figure 'final': measures",
            "'train_error'",
        ),
        ({"claims": claims.Greater("is", "train_error", {}, {})}, "claims", "Greater(...)"),
        ({"axes": {"family": "plain"}}, "axis 'family'", "'plain'"),
        ({"axes": ("depth",)}, "axes", "('depth',)"),
        ({"axes": {"depth": {20, 56}}}, "axis 'depth'", "set(...)"),
        ({"axes": {"depth": 20}}, "axis 'depth'", "20"),
        ({"axes": {"depth": None}}, "axis 'depth'", "None"),
    ],
)
def test_a_field_that_is_not_a_tuple_is_named_in_one_line(fields, field, given):
    message = wrong(**fields)
    assert message.startswith(f"{field}: expected a ")
    assert message.endswith(f", not {given}")
    assert "\n" not in message


def test_an_axis_cannot_have_the_name_of_a_column():
    assert wrong(axes={"unit": ("a", "b")}).startswith("axis 'unit'")


def test_lists_and_ranges_are_accepted_for_tuples():
    made = Experiment(question="?", base="b.py", axes={"depth": [20, 56]}, seeds=range(3))
    assert (list(made.seeds), made.along("depth")[0]) == ([0, 1, 2], (20, {"depth": 20}))


def test_seeds_are_checked():
    assert "seeds" in wrong(seeds=())
    assert "seeds" in wrong(seeds=(0, 0))
    assert "seeds" in wrong(seeds=(0.5,))


def test_each_measure_has_a_value_for_runs_that_diverge():
    assert "'gradient_norm'" in wrong(measures=("train_error", "gradient_norm"))


def test_the_cells_of_claims_lie_in_the_grid():
    claim = claims.Greater("plain is worse", "train_error", cell=PLAIN, than=RESIDUAL)
    Experiment(
        question="?",
        base="b.py",
        claims=(claim,),
        axes={"family": ("plain", "resnet"), "depth": (20,)},
    )
    for cell, message in [
        ({"family": "plain"}, "no 'depth'; choose one of (20, 56)"),
        ({**PLAIN, "depth": 21}, "depth=21 is not one of (20, 56)"),
        ({**PLAIN, "widht": 2}, "no axis 'widht'"),
    ]:
        assert message in wrong(claims=(claims.Greater("it is", "train_error", cell, RESIDUAL),))
    assert "'train_eror'" in wrong(claims=(claims.Greater("it is", "train_eror", PLAIN, RESIDUAL),))


def test_figures_show_existing_axes_and_measures_and_mix_no_values():
    assert "no axis 'dept'; did you mean 'depth'?" in wrong(figures=(figures.Final(x="dept"),))
    assert "values ('plain', 'resnet') of axis 'family'" in wrong(
        figures=(figures.Final(x="depth"),)
    )
    assert "'loss'" in wrong(figures=(figures.Final(x="depth", measures=("loss",)),))
    twice = figures.Final(x="depth", lines="family")
    assert "['final', 'final']" in wrong(figures=(twice, twice))


def test_a_users_network_is_labeled_by_its_file():
    experiment = Experiment(
        question="?", base="b.py", axes={"network": ("my_net.py:my_model", "a_b")}
    )
    assert experiment.label("my_net.py:my_model") == "my_net.py:my_model"
    assert experiment.label("a_b") == "a b"


def test_labels_stand_for_axes_and_values(experiment_file: Path):
    experiment = load(experiment_file)
    assert [experiment.label(each) for each in ("resnet", "plain", "depth", 20)] == [
        "residual",
        "plain",
        "layers",
        "20",
    ]
