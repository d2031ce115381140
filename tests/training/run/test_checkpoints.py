import logging

import jax
import jax.numpy as jnp
import numpy as np
import orbax.checkpoint as ocp
import pytest

from resnet_jax.errors import UserError
from resnet_jax.training import config as configs
from resnet_jax.training.run.checkpoints import Checkpoints, Progress
from resnet_jax.training.run.session import load_dataset
from resnet_jax.training.step import state as states
from resnet_jax.training.step.state import TrainState


@pytest.fixture
def fresh(tiny) -> TrainState:
    return states.create(tiny, load_dataset(tiny))


@pytest.fixture
def state(fresh) -> TrainState:
    """A state in which every leaf differs from that of a fresh one."""
    draws = np.random.default_rng(0)

    def drawn(leaf):
        if jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.prng_key):
            return jax.random.key(draws.integers(1, 1000))
        return jnp.asarray(1000 * draws.normal(size=leaf.shape), leaf.dtype)

    return jax.tree.map(drawn, fresh).replace(step=jnp.int32(7))


def leaves(state: TrainState):
    for path, leaf in jax.tree.leaves_with_path(state):
        is_key = jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.prng_key)
        bits = np.asarray(jax.random.key_data(leaf) if is_key else leaf)
        yield jax.tree_util.keystr(path), leaf.dtype, bits.shape, bits.tobytes()


def test_every_leaf_comes_back_bitwise(state, fresh, tiny, tmp_path):
    with Checkpoints(tmp_path) as kept:
        kept.save(state, tiny)
    with Checkpoints(tmp_path) as kept:
        restored, progress = kept.restore(fresh)
    assert list(leaves(restored)) == list(leaves(state))
    assert progress == Progress()
    assert not {*leaves(fresh)} & {*leaves(state)}  # else a leaf could come from `like`
    assert jax.tree.structure(restored) == jax.tree.structure(state)


def test_the_key_comes_back_as_a_typed_key(state, fresh, tiny, tmp_path):
    with Checkpoints(tmp_path) as kept:
        kept.save(state, tiny)
        restored, _ = kept.restore(fresh)
    assert jax.dtypes.issubdtype(restored.key.dtype, jax.dtypes.prng_key)
    draws = [jax.random.normal(each.key, (3,)) for each in (restored, state)]
    np.testing.assert_array_equal(*draws)


def test_shapes_alone_say_what_to_restore(state, tiny, tmp_path):
    with Checkpoints(tmp_path) as kept:
        kept.save(state, tiny)
        shapes = jax.eval_shape(lambda: states.create(tiny, load_dataset(tiny)))
        assert list(leaves(kept.restore(shapes)[0])) == list(leaves(state))


def test_only_the_newest_are_kept(state, fresh, tiny, tmp_path):
    with Checkpoints(tmp_path, keep=2) as kept:
        for step in (2, 4, 6):
            kept.save(state.replace(step=jnp.int32(step)), tiny)
        assert kept.latest() == 6
    assert sorted(path.name for path in tmp_path.iterdir()) == ["4", "6"]
    with Checkpoints(tmp_path) as kept:
        assert [int(kept.restore_before(fresh, step).step) for step in (6, 7)] == [4, 6]
        assert kept.restore_before(fresh, 4) is None
        assert int(kept.restore(fresh)[0].step) == 6


def test_a_state_saved_twice_is_saved_once(state, fresh, tiny, tmp_path):
    with Checkpoints(tmp_path) as kept:
        kept.save(state, tiny)
        kept.save(fresh.replace(step=state.step), tiny)
    with Checkpoints(tmp_path) as kept:
        kept.save(fresh.replace(step=state.step), tiny)
        assert list(leaves(kept.restore(fresh)[0])) == list(leaves(state))


def test_an_empty_folder_has_no_checkpoint(fresh, tmp_path):
    with Checkpoints(tmp_path / "none") as kept:
        assert kept.latest() is None
        assert kept.restore(fresh) is None


def test_progress_is_restored_with_the_state(state, fresh, tiny, tmp_path):
    progress = Progress(pending=[{"loss": 0.1, "error": 1 / 3}], compile=1.5, total=2.5)
    with Checkpoints(tmp_path) as kept:
        kept.save(state, tiny, progress)
        assert kept.restore(fresh)[1] == progress


@pytest.mark.parametrize("damage", [b"", b"\0" * 64], ids=["emptied", "garbled"])
def test_corrupt_files_are_one_clear_error(state, fresh, tiny, tmp_path, damage):
    with Checkpoints(tmp_path) as kept:
        kept.save(state, tiny)
    for file in (tmp_path / "7" / "state").rglob("*"):
        if file.is_file():
            file.write_bytes(damage)
    with (
        Checkpoints(tmp_path) as kept,
        pytest.raises(UserError, match=r"checkpoint 7 cannot be read \(.") as raised,
    ):
        kept.restore(fresh)
    assert "\n" not in str(raised.value)


def test_a_truncated_array_is_never_restored_as_something_else(state, fresh, tiny, tmp_path):
    with Checkpoints(tmp_path) as kept:
        kept.save(state, tiny)
    largest = max(
        (file for file in (tmp_path / "7" / "state").rglob("*") if file.is_file()),
        key=lambda file: file.stat().st_size,
    )
    largest.write_bytes(largest.read_bytes()[: largest.stat().st_size // 2])
    with Checkpoints(tmp_path) as kept, pytest.raises(UserError, match="cannot be read"):
        kept.restore(fresh)


def test_the_state_of_another_network_is_refused(state, tiny, tmp_path):
    deeper = configs.override(tiny, {"model.stage_sizes": (2,)})
    with Checkpoints(tmp_path) as kept:
        kept.save(state, tiny)
        with pytest.raises(UserError, match="of another network"):
            kept.restore(states.create(deeper, load_dataset(deeper)))
    assert [path.name for path in tmp_path.iterdir()] == ["7"]  # and not quarantined


@pytest.mark.parametrize(
    ("error", "transient"),
    [
        (PermissionError(13, "Permission denied"), True),
        (ValueError("RESOURCE_EXHAUSTED: out of file descriptors"), True),
        (OSError(24, "Too many open files"), True),
        (ValueError("DATA_LOSS: CRC-32C checksum verification failed"), False),
        (FileNotFoundError(2, "No such file or directory"), False),
    ],
)
def test_only_a_corrupt_checkpoint_is_quarantined(
    state, fresh, tiny, tmp_path, monkeypatch, error, transient
):
    with Checkpoints(tmp_path) as kept:
        kept.save(state, tiny)

    def fail(*_):
        raise error

    with Checkpoints(tmp_path) as kept:
        monkeypatch.setattr(kept, "_read", fail)
        with pytest.raises(UserError, match="try again" if transient else "damaged-7"):
            kept.restore(fresh)
    assert [path.name for path in tmp_path.iterdir()] == ["7" if transient else "damaged-7"]


def logged(caplog, path: str) -> bool:
    """Whether absl's logger passes on an error logged by a file."""
    caplog.clear()
    logger = logging.getLogger("absl")
    logger.handle(logger.makeRecord("absl", logging.ERROR, path, 1, "failed", (), None))
    return bool(caplog.records)


def test_only_orbax_does_not_log_while_checkpoints_are_open(tmp_path, caplog):
    assert logged(caplog, ocp.__file__)
    with Checkpoints(tmp_path):
        assert not logged(caplog, ocp.__file__)
        assert logged(caplog, __file__)
    assert logged(caplog, ocp.__file__)
