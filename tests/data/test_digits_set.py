import os
import subprocess
import sys
import threading

import numpy as np
import pytest
from sklearn.datasets import load_digits

from resnet_jax.data import digits
from resnet_jax.data.decoded import examples
from resnet_jax.data.tfds import folders
from resnet_jax.data.tfds.source import open_split
from resnet_jax.errors import UserError


@pytest.fixture(scope="module")
def splits(cache):
    prepared = folders.Prepared("digits", digits.ensure(cache / "data"))
    return {split: examples(open_split(prepared, (split,))) for split in ("train", "test")}


def test_both_splits_together_are_scikit_learns_digits(splits):
    sklearn = load_digits()
    scaled = np.floor(sklearn.images / 16 * 255 + 0.5).astype(np.uint8)
    expected = sorted((int(y), x.tobytes()) for x, y in zip(scaled, sklearn.target, strict=True))
    got = sorted(
        (int(y), x.tobytes())
        for s in splits.values()
        for x, y in zip(s.images, s.labels, strict=True)
    )
    assert got == expected


def test_the_split_is_stratified(splits):
    train, test = (np.bincount(splits[s].labels) for s in ("train", "test"))
    assert (train.sum(), test.sum()) == (1437, 360)
    assert (np.abs(test - (train + test) / 5) < 1).all()


def test_every_fifth_of_a_label_is_for_testing():
    labels = np.array([1, 0, 1, 0, 0, 1, 0])  # by label: 1 3 4 6, then 0 2 5
    assert np.flatnonzero(digits.test_members(labels)).tolist() == [1, 2]


def test_two_processes_may_prepare_at_once(tmp_path, monkeypatch):
    ready, prepare = threading.Barrier(2), digits._prepare

    def at_once(root):
        prepare(root)
        ready.wait(timeout=60)

    monkeypatch.setattr(digits, "_prepare", at_once)
    threads = [threading.Thread(target=digits.ensure, args=(tmp_path,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert os.listdir(tmp_path) == ["digits"]
    assert len(open_split(folders.Prepared("digits", digits.ensure(tmp_path)), ("train",))) == 1437


def test_a_process_that_is_cut_off_leaves_no_set(tmp_path, monkeypatch):
    def cut_off(root):
        folder = root / "digits" / "1.0.0"
        folder.mkdir(parents=True)
        (folder / "features.json").write_text("{")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(digits, "_prepare", cut_off)
        with pytest.raises(KeyboardInterrupt):
            digits.ensure(tmp_path)
    assert not (tmp_path / "digits" / "1.0.0").exists()
    assert (digits.ensure(tmp_path) / "features.json").exists()


def test_a_folder_that_cannot_be_written_is_a_clear_error(tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(UserError, match="RESNET_JAX_CACHE"):
        digits.ensure(file / "data")


def test_digits_need_no_tensorflow_and_importing_is_light(tmp_path):
    script = """
import sys
import resnet_jax.data
heavy = {"tensorflow_datasets", "grain", "sklearn", "tensorflow", "pandas"} & set(sys.modules)
assert not heavy, heavy
from pathlib import Path
from resnet_jax.data import digits
digits.ensure(Path(sys.argv[1]))
assert "tensorflow" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True)
