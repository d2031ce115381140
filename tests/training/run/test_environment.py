import json
import platform
import subprocess
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

import jax
import numpy as np
import pytest

from resnet_jax import renamed
from resnet_jax.training.run import environment


def test_the_environment_names_versions_and_devices():
    found = environment.environment()
    assert found["python"] == platform.python_version()
    assert found["packages"]["jax"] == jax.__version__
    assert found["packages"]["numpy"] == np.__version__
    assert found["devices"] == [each.device_kind for each in jax.devices()]
    assert found["cores"] >= 1
    assert json.loads(json.dumps(found)) == found


@pytest.mark.skipif(not Path("/proc/cpuinfo").exists(), reason="/proc/cpuinfo is Linux's")
def test_the_processor_is_named_as_the_system_names_it():
    named = subprocess.run(["lscpu"], capture_output=True, text=True, env={"LC_ALL": "C"}).stdout
    model = next((line for line in named.splitlines() if line.startswith("Model name")), None)
    if model is None:
        pytest.skip("lscpu does not name the processor")
    assert environment.environment()["processor"] == model.partition(":")[2].strip()


def test_the_time_is_now_and_has_a_time_zone():
    started = datetime.fromisoformat(environment.environment()["started"])
    assert abs((datetime.now(UTC) - started).total_seconds()) < 10


def test_a_package_that_is_not_installed_is_listed_as_such(monkeypatch):
    monkeypatch.setattr(environment, "PACKAGES", ("jax", "no-such-package"))
    assert environment.environment()["packages"]["no-such-package"] == "not installed"


def git(folder: Path, *arguments: str) -> str:
    author = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    command = ["git", "-C", str(folder), *author, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def checkout(tmp_path, monkeypatch) -> Path:
    """A checkout with one commit in place of this package's own."""
    module = tmp_path / "resnet_jax" / "training" / "environment.py"
    module.parent.mkdir(parents=True)
    module.write_text("1")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message", "One")
    monkeypatch.setattr(environment, "PACKAGE", tmp_path / "resnet_jax")
    return tmp_path


def test_the_commit_is_that_of_the_checkout(checkout):
    assert environment.commit() == git(checkout, "rev-parse", "HEAD")


def test_a_checkout_with_changes_says_so(checkout):
    (checkout / "resnet_jax" / "training" / "environment.py").write_text("2")
    assert environment.commit() == git(checkout, "rev-parse", "HEAD") + "+changes"


def test_changes_are_a_patch_that_reproduces_them(checkout, tmp_path):
    assert environment.changes() == b""
    file = checkout / "resnet_jax" / "training" / "environment.py"
    file.write_bytes(b"2\r\n \n\xff")
    patch = tmp_path / "changes.diff"
    patch.write_bytes(environment.changes())
    git(checkout, "checkout", "--", "resnet_jax")
    assert file.read_text() == "1"
    git(checkout, "apply", str(patch))
    assert file.read_bytes() == b"2\r\n \n\xff"


def test_the_files_whose_code_differs_are_found():
    code = environment.code()
    assert {"models/shortcuts.py", "training/step/step.py", "lab/studies/paths.py"} <= set(code)
    assert not any(file.startswith("cli/") for file in code)
    other = {**code, "models/unit.py": "0" * 12}
    removed = {file: digest for file, digest in code.items() if file != "data/order.py"}
    assert environment.differing([code, code, {}]) == []
    assert sorted(environment.differing([code, other, removed])) == [
        "data/order.py",
        "models/unit.py",
    ]


@pytest.mark.parametrize("pattern", environment.COMPUTING)
def test_each_pattern_of_computing_files_matches_one(pattern):
    assert environment.matching(pattern)


def test_code_from_before_the_files_were_moved_is_not_other_code():
    before = renamed._table()["code"]
    after = renamed.current(before)
    assert environment.differing([before, after]) == []
    assert set(after) & set(environment.code())
    changed = {**before, "models/draws.py": "0" * 12}
    assert environment.differing([changed, before]) == ["models/initializers.py"]
    assert environment.in_part(changed, after)["models/initializers.py"].startswith("0" * 12)


@pytest.mark.parametrize(("old", "new"), renamed._table()["modules"].items())
def test_a_renamed_module_is_found_by_its_old_name(old, new):
    assert find_spec(f"resnet_jax.{new}")
    assert old.rpartition(".")[0] == "" or find_spec(f"resnet_jax.{old}")


def test_there_is_no_commit_without_a_checkout(checkout, monkeypatch):
    (checkout / ".git").rename(checkout / "elsewhere")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(checkout.parent))
    assert environment.commit() == ""


def test_there_is_no_commit_without_git(checkout, monkeypatch):
    monkeypatch.setenv("PATH", str(checkout / "nothing"))
    assert environment.commit() == ""
