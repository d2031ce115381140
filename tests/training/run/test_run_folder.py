import json

import pytest

from resnet_jax.errors import UserError
from resnet_jax.training import config as configs
from resnet_jax.training.run import environment
from resnet_jax.training.run.run_folder import Result, RunFolder


@pytest.fixture
def folder(tmp_path):
    made = RunFolder(tmp_path / "run")
    made.claim(configs.base())
    return made


def test_a_folder_keeps_its_config_and_environment(folder):
    folder.refuse_other(configs.base())
    assert folder.config().to_dict() == configs.base().to_dict()
    assert folder.environment()["packages"]["jax"]
    assert folder.environment()["devices"]


def test_a_run_keeps_uncommitted_changes_while_there_are_any(folder, monkeypatch):
    monkeypatch.setattr(environment, "changes", lambda: b"--- a")
    folder.claim(configs.base())
    assert folder.changes.read_bytes() == b"--- a"
    monkeypatch.setattr(environment, "changes", lambda: b"")
    folder.claim(configs.base())
    assert not folder.changes.exists()


def test_a_run_resumed_under_other_code_records_both(folder, monkeypatch):
    before = environment.code()
    monkeypatch.setattr(environment, "code", lambda: {**before, "models/unit.py": "0" * 12})
    folder.claim(configs.base())
    assert folder.environment()["code"]["models/unit.py"] == "0" * 12  # no checkpoint yet
    folder.checkpoints.mkdir()
    monkeypatch.setattr(environment, "code", lambda: before)
    folder.claim(configs.base())
    found = folder.environment()["code"]
    assert found["models/unit.py"] == f"{'0' * 12}+{before['models/unit.py']}"
    assert environment.differing([before, found]) == ["models/unit.py"]


@pytest.mark.parametrize("text", ["[]", "{", ""])
def test_an_unreadable_environment_is_empty(folder, text):
    (folder.path / "environment.json").write_text(text)
    assert folder.environment() == {}


def test_a_folder_of_another_config_is_refused_with_the_differences(folder):
    with pytest.raises(UserError, match="seed: 0 -> 1"):
        folder.refuse_other(configs.override(configs.base(), {"seed": 1}))


def test_rewind_drops_later_and_incomplete_records(folder):
    for step in (10, 20, 30):
        folder.append({"step": step})
    with open(folder.path / "metrics.jsonl", "a") as file:
        file.write('{"step": 4')
    folder.rewind(20)
    lines = (folder.path / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == [10, 20]


def test_a_result_ends_the_run(folder):
    assert folder.result() is None
    result = Result("done", "", 20, {"total": 1.0}, {"test_error": 5.0})
    folder.finish(result)
    assert folder.result() == result


def test_a_folder_without_a_readable_run_is_refused(folder, tmp_path):
    with pytest.raises(UserError, match="holds no run"):
        RunFolder(tmp_path).config()
    (folder.path / "config.json").write_text("{")
    with pytest.raises(UserError, match="corrupt"):
        folder.config()
