import gzip
import json
import shutil
import struct

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from resnet_jax.errors import UserError
from resnet_jax.training import config as configs
from resnet_jax.training.devices import mapping as mappings
from resnet_jax.training.run.checkpoints import Checkpoints
from resnet_jax.training.run.loop import train
from resnet_jax.training.run.meter import Meter
from resnet_jax.training.run.observer import Observer, TensorBoard
from resnet_jax.training.run.session import evaluate_run, load_dataset
from resnet_jax.training.step import state as states


class StopAfter(Observer):
    """Interrupts the run as Ctrl-C would."""

    def __init__(self, step):
        self.step = step

    def progress(self, step):
        if step == self.step:
            raise KeyboardInterrupt


def final_state(folder, config):
    with Checkpoints(folder / "checkpoints") as kept:
        return kept.restore(states.create(config, load_dataset(config)))[0]


def records(folder):
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{k: v for k, v in line.items() if k != "images_per_second"} for line in lines]


def assert_same(one, other):
    as_numbers = lambda x: (
        jax.random.key_data(x) if jax.dtypes.issubdtype(x.dtype, jax.dtypes.prng_key) else x
    )
    jax.tree.map(
        lambda a, b: np.testing.assert_array_equal(as_numbers(a), as_numbers(b)), one, other
    )


def test_a_run_leaves_records_checkpoints_and_a_result(tiny, tmp_path):
    result = train(tiny, tmp_path / "run")
    assert (result.status, result.step) == ("done", 6)
    written = records(tmp_path / "run")
    assert [r["step"] for r in written if r["kind"] == "train"] == [2, 4, 6]
    ends = {r["split"]: r for r in written if r["kind"] == "eval"}
    assert (ends["train"]["examples"], ends["test"]["examples"]) == (48, 20)
    assert result.final["test_error"] == ends["test"]["error"]
    assert result.seconds["compile"] < result.seconds["total"]


@pytest.mark.parametrize("cut", [1, 3, 5])
def test_an_interrupted_run_ends_bitwise_as_an_uninterrupted_one(tiny, tmp_path, cut):
    train(tiny, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        train(tiny, tmp_path / "cut", StopAfter(cut))
    train(tiny, tmp_path / "cut")
    assert_same(final_state(tmp_path / "whole", tiny), final_state(tmp_path / "cut", tiny))
    assert records(tmp_path / "whole") == records(tmp_path / "cut")


def test_a_finished_run_is_not_trained_again(tiny, tmp_path):
    first = train(tiny, tmp_path)
    assert train(tiny, tmp_path, StopAfter(1)) == first


def test_evaluation_of_the_last_checkpoint_gives_what_the_run_reported(tiny, tmp_path):
    result = train(tiny, tmp_path)
    for split in ("train", "test"):
        found = evaluate_run(tmp_path, split)
        assert found["error"] == pytest.approx(result.final[f"{split}_error"])
        assert found["loss"] == pytest.approx(result.final[f"{split}_loss"], rel=1e-6)


def test_a_loss_that_is_not_finite_ends_the_run_and_names_the_step(tiny, tmp_path):
    config = configs.override(
        tiny, {"optimizer.learning_rate": 3e38, "model.normalization": "none"}
    )
    result = train(config, tmp_path)
    assert result.status == "diverged"
    assert "step 2 " in result.message
    assert "learning rate 3e+38" in result.message
    assert "last finite loss 2." in result.message
    assert train(config, tmp_path, StopAfter(1)) == result


def test_evaluations_during_training_do_not_change_the_run(tiny, tmp_path):
    train(tiny, tmp_path / "without")
    config = configs.override(tiny, {"train.eval_steps": 1})
    train(config, tmp_path / "with")
    assert_same(final_state(tmp_path / "without", tiny), final_state(tmp_path / "with", config))
    steps = [r["step"] for r in records(tmp_path / "with") if r.get("split") == "test"]
    assert steps == [1, 2, 3, 4, 5, 6]


def test_a_folder_of_another_run_is_refused_and_kept(tiny, tmp_path):
    result = train(tiny, tmp_path)
    with pytest.raises(UserError, match="seed: 0 -> 1"):
        train(configs.override(tiny, {"seed": 1}), tmp_path)
    assert train(tiny, tmp_path) == result


def test_a_missing_or_corrupt_checkpoint_is_one_clear_error(tiny, tmp_path):
    train(tiny, tmp_path)
    with pytest.raises(UserError, match="holds no run"):
        evaluate_run(tmp_path / "elsewhere")
    for file in (tmp_path / "checkpoints").rglob("*"):
        if file.is_file():
            file.write_bytes(b"")
    with pytest.raises(UserError, match="cannot be read"):
        evaluate_run(tmp_path)
    shutil.rmtree(tmp_path / "checkpoints")
    with pytest.raises(UserError, match="no checkpoint"):
        evaluate_run(tmp_path)


def test_averaged_weights_are_evaluated_beside_the_raw_ones(tiny, tmp_path):
    result = train(configs.override(tiny, {"train.ema_decay": 0.5}), tmp_path)
    assert {"test_error", "test_ema_error", "train_ema_loss"} <= set(result.final)
    last = records(tmp_path)[-1]
    assert last["ema_loss"] == result.final["test_ema_loss"] != last["loss"]


def test_a_trace_of_some_steps_is_written_for_perfetto(tiny, tmp_path):
    train(tiny, tmp_path, profile=range(3, 5))
    (trace,) = (tmp_path / "profile").rglob("perfetto_trace.json.gz")
    events = json.loads(gzip.decompress(trace.read_bytes()))
    names = {event.get("name", "") for event in events["traceEvents"]}
    assert any("train_step" in name for name in names)


def test_tensorboard_gets_each_number_by_step(tiny, tmp_path):
    pytest.importorskip("tensorboardX")
    from tensorboardX.proto.event_pb2 import Event

    with TensorBoard(tmp_path / "events") as board:
        train(tiny, tmp_path / "run", board)
    (file,) = (tmp_path / "events").iterdir()
    found, content = {}, file.read_bytes()
    while content:  # TFRecord: length, its checksum, the event, its checksum
        (length,) = struct.unpack("<Q", content[:8])
        event = Event.FromString(content[12 : 12 + length])
        for value in event.summary.value:
            found[value.tag, event.step] = value.simple_value
        content = content[16 + length :]
    written = [line for line in records(tmp_path / "run") if line["kind"] == "train"]
    for line in written:
        assert found["step/loss", line["step"]] == pytest.approx(line["loss"])
    assert ("test/error", 6) in found


def test_a_loop_of_many_runs_compiles_one_step(tiny, tmp_path):
    mapping = mappings.from_config(tiny)
    train(tiny, tmp_path / "one")
    before = mapping.train_step._cache_size(), mapping.eval_step._cache_size()
    for seed in (1, 2):
        train(configs.override(tiny, {"seed": seed}), tmp_path / str(seed))
    assert (mapping.train_step._cache_size(), mapping.eval_step._cache_size()) == before


def test_a_resumed_meter_computes_the_same_mean():
    rows = [{"loss": jnp.float32(x), "learning_rate": jnp.float32(0.1)} for x in (0.1, 1.7, 2.3)]
    whole, first = Meter(8, 64), Meter(8, 64)
    for row in rows:
        whole.add(row)
    for row in rows[:2]:
        first.add(row)
    second = Meter(8, 64, first.pending(2))
    second.add(rows[2])
    assert whole.record(3)["loss"] == second.record(3)["loss"]
