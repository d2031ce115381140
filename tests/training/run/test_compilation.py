import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import pytest

from resnet_jax.training.run import compilation

ROOT = Path(__file__).parents[3]

# Compiles a function with the cache enabled, and prints the hits and misses of the cache.
COMPILE_ONE = """
import jax, jax.monitoring, jax.numpy as jnp
from resnet_jax.training.run.compilation import use_cache

events = []
jax.monitoring.register_event_listener(lambda event, **_: events.append(event))
use_cache()
x = jnp.ones((4, 4))
events.clear()
jax.jit(lambda x: jnp.sin(x) @ x.T)(x)
print(*(events.count(f"/jax/compilation_cache/cache_{what}") for what in ("hits", "misses")))
"""


@pytest.mark.parametrize(
    ("intervals", "since", "seconds"),
    [
        ([], 0, 0),
        ([(1, 3), (5, 6)], 0, 3),
        ([(1, 6), (2, 3), (4, 5)], 0, 5),  # nested
        ([(1, 4), (3, 6)], 0, 5),  # overlapping
        ([(5, 6), (1, 3)], 0, 3),  # in the order of their ends, not of their starts
        ([(1, 3), (1, 3)], 0, 2),
        ([(1, 3), (5, 6)], 4, 1),
        ([(1, 3), (5, 9)], 6, 3),  # in progress at the reading
        ([(1, 3)], 4, 0),
    ],
)
def test_nested_stages_are_counted_once(monkeypatch, intervals, since, seconds):
    monkeypatch.setattr(compilation, "_intervals", intervals)
    assert compilation.compile_seconds(since) == seconds


def test_what_jax_compiles_is_noted_and_what_it_runs_is_not(monkeypatch):
    monkeypatch.setattr(compilation, "_intervals", [])
    program = jax.jit(lambda x: jnp.cos(x) * 3)
    program(jnp.ones(5))
    once = compilation.compile_seconds(0)
    program(jnp.ones(5))
    assert 0 < once == compilation.compile_seconds(0)


def test_the_cache_folder_is_the_users(monkeypatch):
    for name in ("RESNET_JAX_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "/home/someone")
    assert compilation.cache_folder() == Path("/home/someone/.cache/resnet_jax/xla")
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    assert compilation.cache_folder() == Path("/caches/resnet_jax/xla")
    monkeypatch.setenv("RESNET_JAX_CACHE", "/mine")
    assert compilation.cache_folder() == Path("/mine/xla")


@pytest.fixture
def jax_settings():
    """Restores JAX's settings of the cache after a test."""
    names = (
        "jax_compilation_cache_dir",
        "jax_persistent_cache_min_compile_time_secs",
        "jax_persistent_cache_min_entry_size_bytes",
    )
    before = {name: jax.config.values[name] for name in names}
    yield names
    for name, value in before.items():
        jax.config.update(name, value)


def test_the_cache_is_on_by_default(monkeypatch, jax_settings, tmp_path):
    monkeypatch.setenv("RESNET_JAX_CACHE", str(tmp_path))
    jax.config.update("jax_compilation_cache_dir", None)
    compilation.use_cache()
    assert jax.config.values["jax_compilation_cache_dir"] == str(tmp_path / "xla")


def test_a_cache_that_the_user_has_configured_is_kept(jax_settings):
    folder, seconds, _ = jax_settings
    jax.config.update(folder, "/chosen/by/the/user")
    jax.config.update(seconds, 7.0)
    compilation.use_cache()
    assert jax.config.values[folder] == "/chosen/by/the/user"
    assert jax.config.values[seconds] == 7.0


def in_a_process(*arguments: str, cache: Path, monkeypatch) -> str:
    monkeypatch.setenv("RESNET_JAX_CACHE", str(cache))
    monkeypatch.delenv("JAX_COMPILATION_CACHE_DIR", raising=False)
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_second_process_finds_what_the_first_compiled(monkeypatch, tmp_path):
    compile_one = lambda: in_a_process(
        "-c", COMPILE_ONE, cache=tmp_path, monkeypatch=monkeypatch
    ).split()
    assert compile_one() == ["0", "1"]
    assert compile_one() == ["1", "0"]


@pytest.mark.slow
def test_another_seed_in_another_process_compiles_nothing(monkeypatch, tmp_path):
    def programs_after(seed: int) -> set[str]:
        config = ("--config", "configs/smoke.py", f"--config.seed={seed}")
        place = ("--workdir", str(tmp_path / f"run{seed}"))
        command = ("-m", "resnet_jax.cli", "train", *config, *place)
        in_a_process(*command, cache=tmp_path / "cache", monkeypatch=monkeypatch)
        return {path.name for path in (tmp_path / "cache" / "xla").glob("*-cache")}

    first = programs_after(seed=0)
    assert any("train_step" in name for name in first)
    assert programs_after(seed=1) == first
