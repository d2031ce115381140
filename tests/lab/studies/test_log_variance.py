"""The variance of ln |g|^2 without normalization against theory, and its standard error."""

import numpy as np
import pytest

from resnet_jax.lab.studies import log_variance
from resnet_jax.lab.studies.stack import Branch, Stack


@pytest.mark.parametrize(
    ("width", "depth"), [(16, 4), pytest.param(32, 10, marks=pytest.mark.slow)]
)
def test_the_variance_agrees_with_theory(width: int, depth: int):
    final = log_variance.measure(seed=0, width=width, depth=depth, draws=1500).final
    assert final["measured"] == pytest.approx(final["exact"], abs=3 * final["error"])
    assert final["error"] < 0.06 * final["measured"]
    assert final["theory"] == pytest.approx(5 * depth / width)


def test_there_is_no_theory_for_a_residual_network():
    final = log_variance.measure(seed=0, width=16, depth=2, draws=250, shortcut=1.0).final
    assert set(final) == {"measured", "error"}


def test_the_standard_error_of_a_variance():
    rng = np.random.default_rng(0)
    samples = rng.normal(size=(3000, 100))
    spread = np.std(samples.var(axis=1, ddof=1))
    typical = np.mean([log_variance.variance_error(sample) for sample in samples])
    assert typical == pytest.approx(spread, rel=0.06)


@pytest.mark.slow
def test_draws_do_not_depend_on_the_chunk_size(monkeypatch):
    stack = Stack(2, Branch(normalize=False))
    chunks = log_variance.log_norms(stack, 16, 500, seed=1)
    monkeypatch.setattr(log_variance, "CHUNK", 500)
    np.testing.assert_allclose(log_variance.log_norms(stack, 16, 500, seed=1), chunks, rtol=1e-4)
