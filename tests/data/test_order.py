import hashlib

import numpy as np
import pytest

from resnet_jax.data import order

WORD = 2**64


def philox(key, counter, count):
    """Philox-4x64-10 in Python's integers, after Salmon et al. 2011, section 3.3 and Table 2."""
    words = []
    while len(words) < count:
        counter = (counter + 1) % 2**256
        a, b, c, d = (counter >> 64 * i & (WORD - 1) for i in range(4))
        k0, k1 = key
        for _ in range(10):
            low, high = 0xD2E7470EE14C6C93 * a, 0xCA5A826395121157 * c
            a, b, c, d = high >> 64 ^ b ^ k0, high % WORD, low >> 64 ^ d ^ k1, low % WORD
            k0, k1 = (k0 + 0x9E3779B97F4A7C15) % WORD, (k1 + 0xBB67AE8584CAA73B) % WORD
        words += [a, b, c, d]
    return words[:count]


def batch_by_the_definition(seed, step, batch_size, size):
    indices = []
    for position in range(step * batch_size, (step + 1) * batch_size):
        epoch, place = divmod(position, size)
        words = philox((seed, epoch), 0, size)
        indices.append(sorted(range(size), key=words.__getitem__)[place])
    return indices


@pytest.mark.parametrize(
    ("seed", "step", "batch_size", "size"), [(0, 0, 8, 20), (7, 12, 8, 20), (3, 2, 9, 4)]
)
def test_batch_follows_its_definition(seed, step, batch_size, size):
    indices = order.batch(seed, step, batch_size, size)
    assert indices.tolist() == batch_by_the_definition(seed, step, batch_size, size)
    assert indices.dtype == np.int32


def test_batch_has_the_same_bytes_everywhere():
    indices = order.batch(seed=1, step=1000, batch_size=128, size=50_000)
    digest = hashlib.sha256(indices.astype("<i4").tobytes()).hexdigest()
    assert digest == "7c8cea4016616affbee129b55b66c416f0055e83252478c0eb59a641e02e1d42"


def test_purposes_draw_from_streams_of_their_own():
    streams = [order.words(3, 5, purpose, 8).tolist() for purpose in range(3)]
    assert streams[order.CROP] == philox((3, 5), order.CROP << 192, 8)
    assert len({tuple(stream) for stream in streams}) == 3


@pytest.mark.parametrize("batch_size", [7, 10, 64])
def test_each_epoch_visits_each_example_once(batch_size):
    size, epochs = 20, 9
    steps = -(-size * epochs // batch_size)
    stream = np.concatenate([order.batch(5, s, batch_size, size) for s in range(steps)])
    by_epoch = stream[: size * epochs].reshape(epochs, size)
    assert (np.sort(by_epoch) == np.arange(size)).all()
    assert len({tuple(epoch) for epoch in by_epoch}) == epochs


def test_example_agrees_with_batch():
    batch = order.batch(2, 3, 16, 30)
    assert [order.example(2, position, 30) for position in range(48, 64)] == batch.tolist()


def test_every_place_is_equally_likely():
    size, epochs = 8, 4000
    places = np.stack([order.permutation(11, epoch, size) for epoch in range(epochs)])
    counts = np.stack([np.bincount(column, minlength=size) for column in places.T])
    expected = epochs / size
    statistic = ((counts - expected) ** 2 / expected).sum()
    # Chi-squared with (size - 1)^2 = 49 degrees of freedom; 85.4 is its upper 0.1%.
    assert statistic < 85.4


def test_negative_seeds_count_from_the_top():
    assert (order.batch(-1, 0, 4, 9) == order.batch(2**64 - 1, 0, 4, 9)).all()


def test_uniforms_are_the_upper_bits():
    words = philox((4, 2), order.CROP << 192, 5)
    assert order.uniforms(4, 2, order.CROP, 5).tolist() == [(w >> 11) / 2**53 for w in words]
