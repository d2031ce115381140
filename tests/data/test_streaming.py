import itertools
import subprocess
import sys

import numpy as np
import pytest

from resnet_jax.data import Shard, image_ops, order
from resnet_jax.data.streaming import Streaming
from resnet_jax.errors import UserError


@pytest.fixture
def photographs(load, sets):
    def photographs(**settings):
        settings = dict(data_dir=sets, image_size=24, normalize="channel", seed=1) | settings
        return load("my_imagenet", **settings)

    return photographs


def same(ours, theirs):
    return all((np.asarray(ours[key]) == np.asarray(theirs[key])).all() for key in ours)


def test_facts(photographs):
    dataset = photographs()
    assert isinstance(dataset, Streaming)
    assert dataset.image_shape == (24, 24, 3)
    assert (dataset.num_train, dataset.num_test, dataset.num_classes) == (30, 13, 1000)
    assert dataset.mean.shape == dataset.std.shape == (3,)


def test_evaluation_counts_each_example_once_and_shows_its_center(photographs, stored_photographs):
    batches = list(photographs(eval_batch_size=5).eval_batches("test"))
    assert {batch["image"].shape for batch in batches} == {(5, 24, 24, 3)}
    assert {batch["image"].dtype for batch in batches} == {np.dtype(np.uint8)}
    mask = np.concatenate([batch["mask"] for batch in batches])
    labels = np.concatenate([batch["label"] for batch in batches])
    images = np.concatenate([batch["image"] for batch in batches])
    assert mask.tolist() == [1] * 13 + [0] * 2
    assert labels[:13].tolist() == [10 * index for index in range(13)]
    assert not images[13:].any()
    for image, stored in zip(images[:13], stored_photographs, strict=False):
        height, width, _ = stored.shape
        side = min(height, width) * 224 / 256
        top, left = round((height - side) / 2), round((width - side) / 2)
        center = stored[top : top + round(side), left : left + round(side)]
        # JPEG and the resizing change pixels; the mean color stays.
        np.testing.assert_allclose(image.mean((0, 1)), center.mean((0, 1)), atol=4)


def test_training_shows_the_drawn_example_cropped_by_seed_and_position(
    photographs, stored_photographs
):
    batch = photographs().train_batch(2)  # positions 16 to 23 of epoch 0
    examples = order.permutation(1, 0, 30)[16:24]
    assert batch["label"].tolist() == (10 * examples).tolist()
    for place, example in enumerate(examples):
        stored = stored_photographs[example]
        draws = order.uniforms(1, 16 + place, order.CROP, image_ops.NUM_DRAWS)
        box = image_ops.random_box(stored.shape[1], stored.shape[0], draws)
        left, top, right, bottom = map(int, box)
        expected = stored[top:bottom, left:right].mean((0, 1))
        np.testing.assert_allclose(batch["image"][place].mean((0, 1)), expected, atol=6)


def test_batches_are_a_function_of_the_step(photographs):
    one, other = photographs(), photographs()
    ahead = list(itertools.islice(one.train_batches(3), 4))
    assert all(same(batch, other.train_batch(3 + i)) for i, batch in enumerate(ahead))
    assert not same(ahead[0], photographs(seed=2).train_batch(3))


def test_the_same_example_is_cropped_anew_in_each_epoch(photographs):
    dataset = photographs(batch_size=30)
    first, second = dataset.train_batch(0), dataset.train_batch(1)
    by_label = [dict(zip(b["label"].tolist(), b["image"], strict=True)) for b in (first, second)]
    assert sorted(by_label[0]) == sorted(by_label[1]) == list(range(0, 300, 10))
    changed = [(by_label[0][k] != by_label[1][k]).any() for k in by_label[0]]
    assert np.mean(changed) > 0.9


def test_each_image_is_decoded_once(photographs, monkeypatch):
    decode, count = image_ops.decode, itertools.count()
    monkeypatch.setattr(image_ops, "decode", lambda *args: (next(count), decode(*args))[1])
    photographs(batch_size=8).train_batch(0)
    assert next(count) == 8


@pytest.mark.slow
def test_worker_processes_change_nothing(photographs):
    one, other = (photographs(workers=count, eval_batch_size=5) for count in (0, 2))
    pairs = zip(one.train_batches(5), other.train_batches(5), strict=False)
    assert all(same(a, b) for a, b in itertools.islice(pairs, 5))
    pairs = zip(one.eval_batches("test"), other.eval_batches("test"), strict=True)
    assert all(same(a, b) for a, b in pairs)


@pytest.mark.slow
def test_worker_processes_start_from_a_plain_script(sets, tmp_path):
    script = tmp_path / "script.py"
    script.write_text("""
import sys
from ml_collections import ConfigDict
from resnet_jax import data

config = ConfigDict(dict(name="my_imagenet", data_dir=sys.argv[1], train_split="", test_split="",
    image_key="", label_key="", image_size=24, normalize="channel", workers=2))
if __name__ == "__main__":
    dataset = data.load(config, batch_size=8, eval_batch_size=8, seed=0)
    print(next(dataset.train_batches(0))["image"].shape)
""")
    done = subprocess.run(
        [sys.executable, script, sets], check=True, capture_output=True, text=True, timeout=120
    )
    assert done.stdout == "(8, 24, 24, 3)\n"


def test_a_mean_image_of_cropped_images_is_a_clear_error(photographs):
    with pytest.raises(UserError, match=r"data\.normalize"):
        photographs(normalize="pixel")


@pytest.mark.parametrize("name", ["photographs", "digits"])
def test_the_parts_of_processes_make_up_the_batches_of_one(photographs, load, name):
    def of(shard):
        sizes = {"batch_size": 6, "eval_batch_size": 6, "shard": shard}
        return photographs(**sizes) if name == "photographs" else load("digits", **sizes)

    whole, parts = of(Shard()), [of(Shard(index, 3)) for index in range(3)]
    for step in (0, 4):
        assert same(whole.train_batch(step), joined([part.train_batch(step) for part in parts]))
    ours = [next(iter(part.train_batches(4))) for part in parts]
    assert same(whole.train_batch(4), joined(ours))
    batches = [list(part.eval_batches("test")) for part in parts]
    expected = list(whole.eval_batches("test"))
    assert {len(each) for each in batches} == {len(expected)}
    for number, batch in enumerate(expected):
        assert same(batch, joined([each[number] for each in batches]))


def joined(parts):
    return {key: np.concatenate([np.asarray(part[key]) for part in parts]) for key in parts[0]}
