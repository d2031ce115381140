import sys

import pytest

from resnet_jax.errors import UserError, one_line
from resnet_jax.files import errors_of, load_python_file, user_cache, write_atomically


def test_a_file_is_executed_and_leaves_nothing_behind(tmp_path):
    file = tmp_path / "math.py"  # named as a module that it imports
    file.write_text(
        "from __future__ import annotations\n"
        "import math\n"
        "from dataclasses import dataclass\n\n"
        "@dataclass\n"
        "class Circle:\n"
        "    radius: float\n\n"
        "def area(circle):\n"
        "    return math.pi * circle.radius**2\n"
    )
    before = set(sys.modules)
    module = load_python_file(file)
    assert module.area(module.Circle(2.0)) == pytest.approx(12.566, abs=1e-3)
    assert set(sys.modules) - before <= {"math"}
    assert [path.name for path in tmp_path.iterdir()] == ["math.py"]


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("x = 1\ny = x / 0\n", 2, "ZeroDivisionError"),
        ("x = 1\n\ny = (\n", 3, "never closed"),
        ("from resnet_jax.errors import UserError\nraise UserError('of mine')\n", 2, "of mine"),
    ],
)
def test_an_error_names_the_file_and_the_line(tmp_path, text, line, told):
    file = tmp_path / "broken.py"
    file.write_text(text)
    with pytest.raises(UserError, match=rf"broken\.py, line {line}: .*{told}") as raised:
        load_python_file(file)
    assert "\n" not in str(raised.value)


def test_an_error_of_a_function_names_its_line(tmp_path):
    file = tmp_path / "late.py"
    file.write_text("def fail():\n    return [][0]\n")
    module = load_python_file(file)
    with pytest.raises(UserError, match=r"late\.py, line 2: IndexError"), errors_of(file):
        module.fail()


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r"none\.py"):
        load_python_file(tmp_path / "none.py")


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    file = tmp_path / "page.txt"
    write_atomically(file, "one")
    with pytest.raises(UnicodeEncodeError):
        write_atomically(file, "\ud800")
    assert file.read_text() == "one"


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("first\nsecond"), "ValueError: first"),
        (KeyError("depth"), "KeyError: 'depth'"),
        (TimeoutError(), "TimeoutError"),
        (UserError("a whole message"), "a whole message"),
    ],
)
def test_an_exception_in_one_line(error, line):
    assert one_line(error) == line


def test_a_long_message_is_cut():
    assert len(one_line(RuntimeError("x" * 5000))) < 250


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"RESNET_JAX_CACHE": "/a"}, "/a"),
        ({"XDG_CACHE_HOME": "/b"}, "/b/resnet_jax"),
        ({"HOME": "/c"}, "/c/.cache/resnet_jax"),
    ],
)
def test_the_cache_folder_follows_the_environment(monkeypatch, variables, expected):
    for name in ("RESNET_JAX_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert str(user_cache()) == expected
