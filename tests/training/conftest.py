import pytest

from resnet_jax.training import config as configs


@pytest.fixture
def tiny(tiny):
    """The config of a run of half a second: that of all tests, with a network of one unit."""
    return configs.override(tiny, {"model.stage_sizes": (1,), "model.widths": (8,)})
