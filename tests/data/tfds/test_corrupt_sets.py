"""Files that are missing, truncated or overwritten raise a `UserError`, never a wrong result."""

import re

import pytest

from resnet_jax.errors import UserError

SHARD = "my_cifar-train.array_record-00000-of-00001"


def flip_bit(content, at):
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


def middle(content, replacement):
    half = len(content) // 2
    return content[:half] + replacement + content[half + len(replacement) :]


CORRUPTIONS = {
    "emptied": lambda content: b"",
    "cut in half": lambda content: content[: len(content) // 2],
    "cut at the end of a block": lambda content: content[: 64 * 1024],
    "without its last bytes": lambda content: content[:-10],
    "overwritten with words": lambda content: b"these are words" * 10_000,
    "with zeros inside": lambda content: middle(content, bytes(5000)),
    "with one bit flipped": lambda content: middle(
        content, bytes([content[len(content) // 2] ^ 1])
    ),
    "with its head gone": lambda content: bytes(500) + content[500:],
}


@pytest.fixture
def corrupt_load(load, own_sets):
    """Expects that loading `my_cifar` raises one line with its folder and the remedy."""

    def corrupt_load():
        folder = re.escape(str(own_sets / "my_cifar" / "1.0.0"))
        command = f"resnet-jax data prepare my_cifar --data-dir={own_sets}"
        with pytest.raises(UserError, match=f"'my_cifar' in {folder}") as raised:
            load("my_cifar", data_dir=own_sets)
        assert command in str(raised.value)
        assert "\n" not in str(raised.value)
        return str(raised.value)

    return corrupt_load


@pytest.mark.parametrize("corruption", CORRUPTIONS)
def test_a_corrupt_file_of_examples(corrupt_load, own_sets, corruption):
    shard = own_sets / "my_cifar" / "1.0.0" / SHARD
    shard.write_bytes(CORRUPTIONS[corruption](shard.read_bytes()))
    corrupt_load()


def test_a_missing_file_of_examples(corrupt_load, own_sets):
    (own_sets / "my_cifar" / "1.0.0" / SHARD).unlink()
    assert SHARD in corrupt_load()


@pytest.mark.parametrize("name", ["features.json", "dataset_info.json"])
@pytest.mark.parametrize("content", [None, "", "{", "[1, 2]", '{"name": "my_cifar"}'])
def test_a_corrupt_description(corrupt_load, own_sets, name, content):
    file = own_sets / "my_cifar" / "1.0.0" / name
    file.unlink() if content is None else file.write_text(content)
    corrupt_load()


def test_a_set_without_random_access(corrupt_load, own_sets):
    file = own_sets / "my_cifar" / "1.0.0" / "dataset_info.json"
    file.write_text(file.read_text().replace("array_record", "tfrecord"))
    assert "tfrecord" in corrupt_load()


@pytest.mark.parametrize("name", ["not_images", "cut_images"])
def test_examples_that_are_not_complete_images(load, sets, name):
    with pytest.raises(UserError, match=rf"'{name}' in .* bytes .* data prepare {name}"):
        load(name, data_dir=sets)


@pytest.mark.parametrize("workers", [0, pytest.param(2, marks=pytest.mark.slow)])
def test_corruption_found_while_streaming(load, own_sets, workers):
    (shard,) = (own_sets / "my_imagenet" / "1.0.0").glob("*-train.*")
    shard.write_bytes(flip_bit(shard.read_bytes(), at=5000))
    dataset = load("my_imagenet", data_dir=own_sets, image_size=16, workers=workers)
    with pytest.raises(UserError, match=r"'my_imagenet' in .* data prepare my_imagenet"):
        list(dataset.eval_batches("train"))
