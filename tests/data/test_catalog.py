import subprocess
import sys

from resnet_jax.data.catalog import CATALOG, DESCRIPTIONS, require_known


def test_descriptions_give_the_sizes_shapes_and_classes():
    assert set(DESCRIPTIONS) == {*CATALOG, "synthetic"}
    for name, info in CATALOG.items():
        height, width, _ = info.image_shape
        assert f"{info.num_train:,} + {info.num_test:,} " in DESCRIPTIONS[name]
        assert f" {info.num_classes:,} classes" in DESCRIPTIONS[name]
        assert (f" {height}x{width} " if height else "data.image_size") in DESCRIPTIONS[name]


def test_every_set_of_the_catalog_exists():
    for name in DESCRIPTIONS:
        require_known(name)


def test_importing_it_is_light():
    script = """
import sys
from resnet_jax.data.catalog import DESCRIPTIONS
heavy = {"jax", "numpy", "ml_collections", "tensorflow_datasets", "sklearn"} & set(sys.modules)
assert not heavy, heavy
from resnet_jax import data
assert callable(data.load) and data.Shard().count == 1
heavy = {"tensorflow_datasets", "grain", "sklearn", "tensorflow", "pandas"} & set(sys.modules)
assert not heavy, heavy
"""
    subprocess.run([sys.executable, "-c", script], check=True)
