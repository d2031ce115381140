import pytest
from made_variables import made_variables

from resnet_jax import models


@pytest.fixture
def made(monkeypatch):
    """Networks of the zoo get their initial values from NumPy, which takes less time."""
    made = lambda model, key, image_shape: made_variables(model, image_shape)
    monkeypatch.setattr(models, "initialize", made)
