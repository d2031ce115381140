import importlib.util

import pytest

from resnet_jax.data.tfds import prepare
from resnet_jax.errors import UserError


@pytest.fixture
def without_tensorflow(monkeypatch):
    find = importlib.util.find_spec
    absent = lambda name, *rest: None if name == "tensorflow" else find(name, *rest)
    monkeypatch.setattr(importlib.util, "find_spec", absent)


@pytest.mark.parametrize("name", ["cifar10", "imagenet2012", "cifar10:3.0.2", "eurosat"])
def test_a_set_that_is_not_prepared_names_the_command_that_prepares_it(load, tmp_path, name):
    with pytest.raises(UserError) as raised:
        load(name, data_dir=tmp_path)
    assert f"`resnet-jax data prepare {name} --data-dir={tmp_path}`" in str(raised.value)
    assert "`pip install -e '.[prepare]'`" in str(raised.value)


def test_preparing_without_tensorflow_says_what_to_install(tmp_path, without_tensorflow):
    with pytest.raises(UserError, match=r"pip install -e '\.\[prepare\]'.*prepare cifar10`"):
        prepare.prepare("cifar10")


@pytest.mark.parametrize("act", [prepare.prepare, prepare.locate])
@pytest.mark.parametrize(
    ("name", "facts"),
    [
        ("cifar1O", "'cifar1O'.*'cifar10'"),
        ("fashion-mnist", "'fashion_mnist'"),
        ("qqqq", "digits, synthetic, cifar10"),
        ("two words", "'two words'.*NAME/CONFIG"),
        ("", "''.*NAME/CONFIG"),
    ],
)
def test_unknown_sets_are_refused(tmp_path, act, name, facts):
    with pytest.raises(UserError, match=facts):
        act(name, str(tmp_path))


def test_a_prepared_set_is_left_as_it_is(sets, without_tensorflow):
    assert prepare.prepare("my_cifar", str(sets)) == sets / "my_cifar" / "1.0.0"


def test_there_is_nothing_to_prepare_for_built_in_sets():
    assert prepare.prepare("digits") is None
    with pytest.raises(UserError, match="'synthetic'"):
        prepare.prepare("synthetic")


@pytest.fixture
def with_tensorflow(monkeypatch):
    """As if TensorFlow were installed; the sets of these tests do not need it."""
    find = importlib.util.find_spec
    present = lambda name, *rest: find("math" if name == "tensorflow" else name, *rest)
    monkeypatch.setattr(importlib.util, "find_spec", present)


def test_a_set_of_tfds_is_prepared_once_and_can_be_read(load, tmp_path, with_tensorflow):
    with pytest.raises(UserError, match="resnet-jax data prepare registered_set"):
        load("registered_set", data_dir=tmp_path)
    folder = prepare.prepare("registered_set", str(tmp_path))
    assert folder == tmp_path / "registered_set" / "1.0.0"
    assert load("registered_set", data_dir=tmp_path).num_train == 60


def test_a_failed_download_gives_the_reason(tmp_path, with_tensorflow):
    with pytest.raises(UserError, match=r"'unreachable_set' .*no route to host"):
        prepare.prepare("unreachable_set", str(tmp_path))
    assert not list(tmp_path.glob("unreachable_set/1.0.0"))
