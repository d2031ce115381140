"""The command, in this process: what it answers, and how it says what is wrong."""

import doctest
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from resnet_jax import cli, lab
from resnet_jax.cli import executor, terminal
from resnet_jax.cli import run as run_command
from resnet_jax.cli.flags import config_from
from resnet_jax.data.catalog import DESCRIPTIONS
from resnet_jax.lab.design import grid
from resnet_jax.lab.results.folder import Folder, write_plan
from resnet_jax.lab.running import forecast

CONFIG = """
from resnet_jax.training import config

def get_config(name="resnet8"):
    tiny = config.base()
    tiny.model.name = name
    tiny.data.name = "synthetic"
    tiny.data.synthetic.num_train = 48
    tiny.data.synthetic.num_test = 20
    tiny.optimizer.learning_rate = 0.01
    tiny.train.steps = 4
    tiny.train.batch_size = 16
    tiny.train.eval_batch_size = 48
    tiny.train.log_steps = 2
    tiny.train.checkpoint_steps = 2
    return tiny
"""

EXPERIMENT = """
from resnet_jax.lab import Experiment, claims

experiment = Experiment(
    question="Does a shortcut help?",
    base="configs/tiny.py",
    axes={"model.shortcut": ("none", "A")},
    claims=(
        claims.Greater("Without it training is worse", "train_error",
                     cell={"model.shortcut": "none"}, than={"model.shortcut": "A"}),
    ),
    seeds=(0, 1),
)
"""

TRAIN = ("train", "--config", "configs/tiny.py", "--workdir", "run")


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch) -> Path:
    """The folder in which the commands are typed, with a config, an experiment and no data."""
    for path, text in {"configs/tiny.py": CONFIG, "experiments/trial.py": EXPERIMENT}.items():
        (tmp_path / path).parent.mkdir()
        (tmp_path / path).write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "datasets"))
    return tmp_path


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """The folder of a run that `train` made."""
    folder = tmp_path_factory.mktemp("trained")
    (folder / "tiny.py").write_text(CONFIG)
    command = ("train", "--config", str(folder / "tiny.py"), "--workdir", str(folder / "run"))
    assert cli.main(command) == 0
    return folder / "run"


@pytest.fixture
def run(trained, project) -> Path:
    """A copy of it, for a test to spoil."""
    return shutil.copytree(trained, project / "run")


def words(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((*TRAIN, "--config.model.nme=resnet8"), "no setting 'model.nme'.*'model.name'"),
        ((*TRAIN, "--config.modle.name=resnet8"), "no setting 'modle.name'.*'model.name'"),
        ((*TRAIN, "--config.model=resnet8"), "no setting 'model'"),
        ((*TRAIN, "--config.train.steps=many"), "train.steps=many.*takes an int such as 4"),
        ((*TRAIN, "--config.train.steps=4.5"), "train.steps=4.5.*takes an int"),
        ((*TRAIN, "--config.data.flip=perhaps"), "data.flip=perhaps.*takes a bool"),
        ((*TRAIN, "--config.schedule.drop_steps=5"), r"with the drops \(5,\).*'piecewise'"),
        ((*TRAIN, "--config.schedule.drop_steps=(5"), "drop_steps"),
        ((*TRAIN, "--config.schedule.drop_steps=often"), "drop_steps"),
        ((*TRAIN, "--config.train.batch_size=0"), "batch_size = 0: must be 1 or more"),
        ((*TRAIN, "--config.train.keep_checkpoints=0"), "keep_checkpoints = 0: must be 1 or more"),
        ((*TRAIN, "--config.optimizer.name=sdg"), "'sdg': did you mean 'sgd'"),
        ((*TRAIN, "--config.train.epochs=1"), "steps = 4 and epochs = 1.0 are both given"),
        ((*TRAIN, "--config.train.steps=0"), "set train.steps or train.epochs"),
        ((*TRAIN, "--config.data.crop_padding=-1"), "crop_padding"),
        ((*TRAIN, "--config.seed=99999999999999999999"), "seed"),
        ((*TRAIN, "--config.model.survival=abc"), "it takes a number; leave it out, or give None"),
        ((*TRAIN, "--config.model.squeeze=1.5"), "it takes a whole number; leave it out"),
        ((*TRAIN, "--config.model.name="), "model.name is empty"),
        ((*TRAIN, "--config.model.name=resnet21"), "'resnet21'.*resnet20 and resnet26"),
        ((*TRAIN, "--config.model.name=resnte20"), "'resnte20'.*'resnet20'"),
        ((*TRAIN, "--config.model.shortcut=Z"), "shortcut='Z'"),
        ((*TRAIN, "--config.data.name=cifar10"), "resnet-jax data prepare cifar10"),
        ((*TRAIN, "--config.data.name=cifer10"), "did you mean 'cifar10'"),
        ((*TRAIN, "--confg.train.steps=4"), "unknown argument --confg.train.steps"),
        ((*TRAIN, "more"), "unknown arguments: more"),
        ((*TRAIN[:-1], "configs/tiny.py"), "configs/tiny.py"),
        (("train", "--config", "none.py", "--workdir", "run"), "no config file none.py"),
        (("train", "--config", "configs", "--workdir", "run"), "no config file configs"),
        (("eval", "--workdir", "nowhere"), "nowhere holds no run"),
        (("eval", "--workdir", "configs"), "configs holds no run"),
        (("run", "experiments/trail.py"), "experiments/trail.py.*did you mean 'trial.py'"),
        (("run", "nowhere/trial.py"), "nowhere/trial.py: there is no such experiment file"),
        (("run", "configs/tiny.py"), "no variable `experiment`"),
        (("run", "experiments/trial.py", "--results", "configs/tiny.py"), "configs/tiny.py"),
        (("run", "experiments/trial.py", "--scale", "papr"), "no scale 'papr'; known: default"),
        (("run", "experiments/trial.py", "--only", "shortcut=A"), "did you mean 'model.shortcut'"),
        (("report", "results/trial"), "results/trial: holds no results.*`resnet-jax run"),
        (("summary", "resnet21"), "'resnet21'.*resnet20 and resnet26"),
        (("summary", "alexnet"), "no network is called 'alexnet'"),
        (("summary", "resnet20", "--image-shape", "0", "8", "1"), "image"),
        (("summary", "resnet20", "--image-shape", "8", "8", "0"), "image"),
        (("data", "prepare", "cifar"), "did you mean 'cifar10'"),
        (("data", "prepare", "a set"), "'a set'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_the_user_can_mend_is_one_line(arguments, message, project, capsys):
    before = set(project.rglob("*"))
    assert cli.main(arguments) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert re.fullmatch(rf"resnet-jax: .*{message}.*\n", told.err), told.err
    assert set(project.rglob("*")) == before, "a command that cannot be run leaves nothing behind"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import no_such_module", "configs/broken.py, line 1: ModuleNotFoundError"),
        ("def get_config(:", "configs/broken.py, line 1: SyntaxError"),
        ("x = 1", "configs/broken.py .*get_config"),
        ("def get_config():\n    return 3", "configs/broken.py"),
        ("def get_config():\n    return None", "configs/broken.py"),
        (CONFIG.replace("tiny.train.steps", "tiny.train.stesp"), "stesp"),
        (CONFIG.replace("return", "del tiny.seed; return"), "setting 'seed' is missing"),
    ],
    ids=["import", "syntax", "no function", "a number", "nothing", "misspelt", "a part"],
)
def test_a_config_file_that_is_none_is_one_line(text, message, project, capsys):
    (project / "configs" / "broken.py").write_text(text)
    assert cli.main(("train", "--config", "configs/broken.py", "--workdir", "run")) == 2
    told = capsys.readouterr()
    assert re.fullmatch(rf"resnet-jax: .*{message}.*\n", told.err), told.err
    assert "Traceback" not in told.err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import no_such_module", r"line 1: ModuleNotFoundError"),
        ("experiment = 3", "no variable `experiment` that is an Experiment"),
        (EXPERIMENT.replace("tiny.py", "tny.py"), "base 'configs/tny.py': no such file"),
        (EXPERIMENT.replace("model.shortcut", "model.shortct"), "did you mean 'model.shortcut'"),
        (EXPERIMENT.replace('than={"model.shortcut": "A"}', 'than={"depth": 3}'), "no axis"),
    ],
    ids=["import", "a number", "base", "setting", "claim"],
)
def test_an_experiment_file_that_is_none_is_one_line(text, message, project, capsys):
    (project / "experiments" / "broken.py").write_text(text)
    assert cli.main(("run", "experiments/broken.py")) == 2
    told = capsys.readouterr()
    assert re.fullmatch(rf"resnet-jax: .*{message}.*\n", told.err), told.err
    assert not (project / "results").exists()


@pytest.mark.parametrize(
    "arguments",
    [(), ("walk",), ("run",), ("train", "--workdir", "run"), ("summary", "resnet20", "--deep")],
    ids=" ".join,
)
def test_a_command_that_is_none_ends_with_how_it_is_used(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 2
    told = capsys.readouterr().err.splitlines()
    assert told[0].startswith("usage: resnet-jax")
    assert re.match("resnet-jax.*: error: ", told[-1])


@pytest.mark.parametrize("arguments", ["--help", "run --help", "train --help", "data list"])
def test_a_command_starts_without_what_it_does_not_use(arguments):
    """Importing these takes seconds, in which `--help` and `data list` would print nothing."""
    heavy = ("jax", "flax", "tensorflow_datasets", "pandas", "matplotlib", "scipy")
    code = f"import atexit, sys; from resnet_jax.cli import main; heavy = {heavy}; "
    code += "atexit.register(lambda: print([each for each in heavy if each in sys.modules])); "
    code += f"main({arguments.split()})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_train_keeps_the_run_and_says_how_it_ended(project, capsys):
    assert cli.main((*TRAIN, "--config.seed=3", "--config.train.steps=2")) == 0
    written = json.loads((project / "run" / "config.json").read_text())
    assert (written["seed"], written["train"]["steps"]) == (3, 2)
    final = json.loads((project / "run" / "result.json").read_text())["final"]
    told = capsys.readouterr()
    ending = f"training error {final['train_error']:.2f}%, test error {final['test_error']:.2f}%"
    assert told.out.count(ending) == 1
    assert told.out.endswith("run: run\n")
    assert told.err == ""


def test_a_variant_of_a_config_stands_after_a_colon(project):
    command = ("train", "--config", "configs/tiny.py:plain8", "--workdir", "run")
    assert cli.main((*command, "--config.train.steps=1")) == 0
    assert json.loads((project / "run" / "config.json").read_text())["model"]["name"] == "plain8"


def test_train_again_trains_nothing(run, capsys):
    before = {path: path.stat().st_mtime_ns for path in run.rglob("*")}
    assert cli.main(TRAIN) == 0
    assert "ended before: run: training error" in capsys.readouterr().out
    assert {path: path.stat().st_mtime_ns for path in run.rglob("*")} == before


def test_a_folder_of_another_run_is_refused(run, capsys):
    before = (run / "config.json").read_text()
    assert cli.main((*TRAIN, "--config.seed=1")) == 2
    told = capsys.readouterr()
    assert re.fullmatch(r"resnet-jax: run holds .* \(seed: 0 -> 1\): choose another .*\n", told.err)
    assert (run / "config.json").read_text() == before


def test_a_run_that_diverged_ends_in_failure_and_says_where(capsys):
    rough = ("--config.optimizer.learning_rate=3e38", "--config.model.normalization=none")
    assert cli.main((*TRAIN, *rough)) == 1
    told = capsys.readouterr()
    assert "diverged at step 2: the loss is not finite at step 2 (learning rate 3e+38" in told.out
    assert told.err == ""


@pytest.mark.parametrize("split", ["train", "test"])
def test_eval_says_what_the_run_reported(run, capsys, split):
    final = json.loads((run / "result.json").read_text())["final"]
    assert cli.main(("eval", "--workdir", "run", "--split", split)) == 0
    examples = {"train": 48, "test": 20}[split]
    assert capsys.readouterr().out == (
        f"step 4, {split} split, {examples} examples: error {final[f'{split}_error']:.2f}%, "
        f"loss {final[f'{split}_loss']:.4f} nats\n"
    )


def test_eval_of_a_run_without_checkpoints_is_one_line(run, capsys):
    shutil.rmtree(run / "checkpoints")
    assert cli.main(("eval", "--workdir", "run")) == 2
    assert capsys.readouterr().err == "resnet-jax: there is no checkpoint in run\n"


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '{"status": "done"}'])
@pytest.mark.parametrize("name", ["config.json", "result.json"])
def test_a_run_with_a_damaged_file_is_one_line(run, capsys, name, text):
    (run / name).write_text(text)
    assert cli.main(TRAIN) == 2
    assert re.fullmatch(r"resnet-jax: run\b.*\n", capsys.readouterr().err)


def test_an_interrupted_command_says_that_it_can_go_on(monkeypatch, capsys):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("resnet_jax.training.run.loop.train", interrupt)
    assert cli.main(TRAIN) == 130
    assert capsys.readouterr().err.strip().startswith("interrupted")


def test_run_ends_with_the_table_the_verdict_and_the_report(project, capsys):
    assert cli.main(("run", "experiments/trial.py")) == 0
    told = capsys.readouterr()
    assert told.err == ""
    *_, last = told.out.splitlines()
    assert last == "report: results/trial/report.html"
    assert (project / "results" / "trial" / "report.html").is_file()
    assert "inconclusive Without it training is worse" in words(told.out)
    assert re.search(r"none training error \(%\) 2 ", words(told.out))

    assert cli.main(("report", "results/trial")) == 0
    table = told.out.partition("model.shortcut")[2]
    assert capsys.readouterr().out.partition("model.shortcut")[2] == table != ""


def test_a_grid_is_done_in_pieces(project, capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["resnet-jax", "run", "trial.py", "--only", "model.shortcut=A"])
    piece = ("run", "experiments/trial.py", "--seeds", "1", "--only", "model.shortcut=A")
    assert cli.main(piece) == 0
    told = capsys.readouterr().out
    assert "1 run, 0 of them done before" in told
    assert "1 missing" in told
    plan = json.loads((project / "results" / "trial" / "experiment.json").read_text())
    assert [run["seed"] for run in plan["runs"]] == [0, 0]
    assert plan["command"] == "resnet-jax run trial.py"
    assert cli.main(("run", "experiments/trial.py", "--seeds", "1")) == 0
    assert "2 runs, 1 of them done before" in capsys.readouterr().out


def test_a_dry_run_runs_nothing(project, capsys):
    assert cli.main(("run", "experiments/trial.py", "--dry-run")) == 0
    told = words(capsys.readouterr().out)
    assert "trial, scale default: 2 cells (2 model.shortcut) x 2 seeds = 4 runs; 4 asked" in told
    assert re.search(r"resnet8 \(shortcut A\) [\d,]+ [\d,]+ 4 16 2 2 ", told)
    assert "training images: 256 to do, 256 in all" in told
    assert re.search(r"estimate: .* device hours .* Measured on one .* of resnet8", told)
    assert not (project / "results").exists()


def test_a_dry_run_says_nothing_of_seeds_from_runs_with_other_axes(project, capsys, monkeypatch):
    step = forecast.Measured("resnet8", "one cpu", 1, 0.1, 1.0, 1e-9)
    monkeypatch.setattr(forecast, "time_step", lambda cost: step)
    file = project / "experiments" / "trial.py"
    experiment = lab.load(file)
    write_plan(Folder(project / "results" / "trial"), experiment, grid.expand(experiment), "run")
    assert cli.main(("run", "experiments/trial.py", "--dry-run")) == 0
    assert "Without it training is worse: unknown" in capsys.readouterr().out
    text = EXPERIMENT.replace('"A")},', '"A"), "model.dropout": (0.0, 0.1)},')
    for shortcut in ("none", "A"):
        cell = f'"model.shortcut": "{shortcut}"'
        text = text.replace(f"{{{cell}}}", f'{{{cell}, "model.dropout": 0.1}}')
    file.write_text(text)
    assert cli.main(("run", "experiments/trial.py", "--dry-run")) == 0
    told = capsys.readouterr().out
    assert "8 runs" in told
    assert "Without it" not in told


def test_a_dry_run_says_what_a_grid_leaves_out_and_cuts_no_number(project, capsys, monkeypatch):
    scaled = {
        "model.shortcut": "scaled",
        "model.shortcut_scale": 0.123456789,
        "model.branch_scale": "constant",
        "model.branch_constant": 0.123456789,
    }
    kinds = {"A": {"model.shortcut": "A"}, "scaled": scaled, "not run": None}
    text = EXPERIMENT.partition("    claims")[0] + ")\n"
    axes = f"axes={{'kind': {(*kinds,)}}}, configure=lambda kind: {kinds}[kind],"
    text = text.replace('axes={"model.shortcut": ("none", "A")},', axes)
    (project / "experiments" / "trial.py").write_text(text)
    monkeypatch.setattr(terminal.CONSOLE, "width", 80)
    step = forecast.Measured("resnet8", "one cpu", 1, 0.1, 1.0, 1e-9)
    monkeypatch.setattr(forecast, "time_step", lambda cost: step)
    assert cli.main(("run", "experiments/trial.py", "--dry-run")) == 0
    told = capsys.readouterr().out
    assert "2 cells (3 kind, 1 left out) x 5 seeds = 10 runs" in words(told)
    assert "up to 20 seeds" in words(told)
    assert "a step of 1 image of" in words(told)
    assert "…" not in told


def test_run_with_a_run_that_failed_ends_in_failure(project, capsys):
    text = EXPERIMENT.partition("    claims")[0] + ")\n"
    # A pattern that matches no site is known only once the network runs.
    axes = 'axes={"probe.sites": ("*", "none")}, configure=lambda **cell: '
    axes += '{"probe.sites": (cell["probe.sites"],), "probe.steps": (0,)}'
    text = text.replace('axes={"model.shortcut": ("none", "A")}', axes)
    (project / "experiments" / "trial.py").write_text(text)
    assert cli.main(("run", "experiments/trial.py")) == 1
    told = capsys.readouterr()
    assert told.err == ""
    assert "failed at step 0: no site of the network matches 'none'" in told.out
    assert "5 failed" in words(told.out)
    assert "Traceback" not in told.out


def test_summary_shows_every_unit_the_totals_and_what_is_published(capsys):
    assert cli.main(("summary", "resnet20")) == 0
    told = words(capsys.readouterr().out)
    for unit in (1, 2, 3):
        assert f"stage3 unit0{unit} 8x8x64" in told
    assert "resnet20: 20 weighted layers without projections, 269,722 parameters" in told
    assert "published: parameters 0.27M" in told


def test_summary_takes_settings_of_the_network(capsys):
    assert cli.main(("summary", "resnet20", "--config.model.shortcut=B")) == 0
    told = words(capsys.readouterr().out)
    projections = 16 * 32 + 2 * 32 + 32 * 64 + 2 * 64  # two, with their norms
    assert f"{269_722 + projections:,} parameters" in told
    assert "published" not in told
    assert cli.main(("summary", "resnet20", "--config.model.squeeze=4")) == 0
    assert "269,722" not in words(capsys.readouterr().out)
    assert cli.main(("summary", "resnet20", "--config.model.shotcut=B")) == 2
    assert "did you mean 'model.shortcut'" in capsys.readouterr().err


def test_summary_takes_the_shape_of_an_image(capsys):
    assert cli.main(("summary", "resnet8", "--image-shape", "28", "28", "1")) == 0
    assert "for an image of 28x28x1" in words(capsys.readouterr().out)


def test_data_list_names_every_set_of_the_catalog(capsys):
    assert cli.main(("data", "list")) == 0
    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines()[1:]]
    assert listed == list(DESCRIPTIONS)


def test_data_prepare_prints_the_folder_of_a_set(project, capsys):
    (project / "sets" / "cifar10" / "3.0.2").mkdir(parents=True)
    assert cli.main(("data", "prepare", "cifar10", "--data-dir", "sets")) == 0
    assert capsys.readouterr().out == "cifar10: sets/cifar10/3.0.2\n"


def test_data_prepare_has_nothing_to_do_for_the_digits(project, capsys):
    assert cli.main(("data", "prepare", "digits", "--data-dir", "sets")) == 0
    assert "digits: built in" in capsys.readouterr().out
    assert not (project / "sets").exists()


@pytest.mark.parametrize("module", [executor, run_command], ids=lambda module: module.__name__)
def test_its_examples_hold(module):
    ran = doctest.testmod(module)
    assert ran.failed == 0
    assert ran.attempted > 0


def test_none_gives_a_number_back_to_the_zoo(tmp_path):
    file = tmp_path / "deep.py"
    file.write_text(
        "from resnet_jax.training import config\n\n"
        "def get_config():\n"
        "    return config.override(config.base(), {'model.survival': 0.9})\n"
    )
    assert config_from(str(file), ()).model.survival == 0.9
    assert config_from(str(file), ("--config.model.survival=None",)).model.survival is None
    given = ("--config.model.survival=None", "--config.model.survival=0.8")
    assert config_from(str(file), given).model.survival == 0.8
