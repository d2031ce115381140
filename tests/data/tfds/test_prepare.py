import importlib.util

import pytest

from resnet_jax.data.tfds import catalog, folders, prepare
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
    ("name", "message"),
    [
        ("cifar1O", "no set 'cifar1O': did you mean 'cifar10'"),
        ("fashion-mnist", "did you mean 'fashion_mnist'"),
        ("qqqq", "known: digits, synthetic, cifar10"),
        ("two words", "names no set"),
        ("", "names no set"),
    ],
)
def test_unknown_sets_are_clear_errors(tmp_path, act, name, message):
    with pytest.raises(UserError, match=message):
        act(name, str(tmp_path))


def test_digits_prepare_by_themselves(cache):
    folder = prepare.prepare("digits")
    assert folder == cache / "data" / "digits" / "1.0.0"
    assert prepare.locate("digits:1.0.0").folder == folder


def test_what_is_prepared_is_left_alone(sets, without_tensorflow):
    assert prepare.prepare("my_cifar", str(sets)) == sets / "my_cifar" / "1.0.0"


def test_there_is_nothing_to_prepare_for_synthetic():
    with pytest.raises(UserError, match="nothing to prepare"):
        prepare.prepare("synthetic")


def test_every_set_of_the_catalogue_exists():
    for name in catalog.CATALOG:
        catalog.check_exists(name)


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"RESNET_JAX_CACHE": "/a"}, "/a/data"),
        ({"XDG_CACHE_HOME": "/b"}, "/b/resnet_jax/data"),
        ({"HOME": "/c"}, "/c/.cache/resnet_jax/data"),
    ],
)
def test_the_cache_is_where_the_user_wants_it(monkeypatch, variables, expected):
    for name in ("RESNET_JAX_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert str(folders.cache_root()) == expected


@pytest.fixture
def with_tensorflow(monkeypatch):
    """As if TensorFlow were installed; the sets of these tests prepare without it."""
    find = importlib.util.find_spec
    present = lambda name, *rest: find("math" if name == "tensorflow" else name, *rest)
    monkeypatch.setattr(importlib.util, "find_spec", present)


def test_a_set_of_tfds_is_prepared_once_and_can_be_read(load, tmp_path, with_tensorflow):
    with pytest.raises(UserError, match="resnet-jax data prepare registered_set"):
        load("registered_set", data_dir=tmp_path)
    folder = prepare.prepare("registered_set", str(tmp_path))
    assert folder == tmp_path / "registered_set" / "1.0.0"
    assert load("registered_set", data_dir=tmp_path).num_train == 60


def test_a_download_that_fails_says_why(tmp_path, with_tensorflow):
    with pytest.raises(UserError, match=r"'unreachable_set' could not be prepared .* no route"):
        prepare.prepare("unreachable_set", str(tmp_path))
    assert not list(tmp_path.glob("unreachable_set/1.0.0"))
