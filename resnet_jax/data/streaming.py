"""Sets too large for the device, read and decoded by Grain while the network trains."""

import contextlib
import dataclasses
import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from resnet_jax.data import decoded, order
from resnet_jax.data import image_ops as pictures
from resnet_jax.data.dataset import Batch, Dataset, Split
from resnet_jax.data.tfds.source import Source

_POSITIONS = 2**40  # the stream of training examples has no end; Grain wants one


@dataclasses.dataclass(frozen=True, eq=False)
class Streaming(Dataset):
    """A dataset whose images are decoded once for each use, in threads or worker processes.

    With an `image_size`, training images are random boxes resized to it and evaluation images the
    central square, as in `pictures`; without one, images are as stored. Flips are left to the
    training step (`augment`), where those of small sets happen.

    Attributes:
      sources: the encoded examples of each split.
      image_size: height and width of all images in pixels, or 0 for as stored.
      workers: processes that decode; 0 for threads of this process.
    """

    sources: dict[Split, Source]
    image_size: int
    workers: int

    def train_batch(self, step: int) -> Batch:
        """The batch of one step, decoded in this thread."""
        return self._training()[step]

    def train_batches(self, start_step: int = 0) -> Iterator[Batch]:
        """The batches from one step on, decoded ahead."""
        return _iterate(self._training().slice(slice(start_step, None)), self.workers)

    def eval_batches(self, split: Split) -> Iterator[Batch]:
        """Every example of a split once, with a mask, decoded ahead."""
        import grain

        size, source = self.sampling.eval_batch_size, self.sources[split]
        rows = self.sampling.shard.of(size)
        examples = _Evaluation(source, self.image_size, size, rows)
        own, batches = len(rows), -(-len(source) // size)
        found = 0
        if len(examples):
            for batch in _iterate(grain.MapDataset.source(examples).batch(own), self.workers):
                found += 1
                yield _masked(batch, own)
        for _ in range(found, batches):  # where others have examples left and this shard has none
            image = np.zeros((0, *self.image_shape), np.uint8)
            yield _masked({"image": image, "label": np.zeros(0, np.int32)}, own)

    def _training(self) -> Any:
        import grain

        size = self.sampling.batch_size
        rows = self.sampling.shard.of(size)
        examples = _Training(self.sources["train"], self.image_size, size, rows, self.sampling.seed)
        return grain.MapDataset.source(examples).batch(len(rows))


@dataclasses.dataclass(frozen=True)
class _Training:
    """The endless stream of training examples, and of it this process's rows of each batch."""

    source: Source
    image_size: int
    batch_size: int
    rows: range
    seed: int

    def __len__(self) -> int:
        return _POSITIONS

    def __getitem__(self, number: int) -> dict[str, Any]:
        position = _position(number, self.batch_size, self.rows)

        def box(width: int, height: int) -> pictures.Box:
            draws = order.uniforms(self.seed, position, order.CROP, pictures.DRAWS)
            return pictures.random_box(width, height, draws)

        index = order.example(self.seed, position, len(self.source))
        return _example(self.source, index, self.image_size, box)


@dataclasses.dataclass(frozen=True)
class _Evaluation:
    """The examples of a split in stored order, and of them this process's rows of each batch."""

    source: Source
    image_size: int
    batch_size: int
    rows: range

    def __len__(self) -> int:
        whole, rest = divmod(len(self.source), self.batch_size)
        return whole * len(self.rows) + min(max(rest - self.rows.start, 0), len(self.rows))

    def __getitem__(self, number: int) -> dict[str, Any]:
        index = _position(number, self.batch_size, self.rows)
        return _example(self.source, index, self.image_size, pictures.center_box)


def _position(number: int, batch_size: int, rows: range) -> int:
    """Where in the stream of whole batches the `number`-th of some rows of each stands."""
    batch, row = divmod(number, len(rows))
    return batch * batch_size + rows[row]


def _example(
    source: Source, index: int, size: int, box: Callable[[int, int], pictures.Box]
) -> dict[str, Any]:
    encoded, label = source[index]
    if size:
        picture = pictures.decode(encoded, source.shape[-1], source.prepared)
        image = pictures.pixels(pictures.resize(picture, box(*picture.size), size))
    else:
        image = decoded.image(encoded, source)
    return {"image": image, "label": np.int32(label)}


def _iterate(batches: Any, workers: int) -> Iterator[Any]:
    """Runs through a Grain dataset, reading ahead; closes its processes at the end."""
    import grain

    threads = 1 if workers else min(16, os.cpu_count() or 1)
    # Grain's default is to read 500 elements ahead; ours are whole batches.
    options = grain.ReadOptions(num_threads=threads, prefetch_buffer_size=2 * threads)
    elements = batches.to_iter_dataset(options)
    if workers:
        _parse_flags()
        elements = elements.mp_prefetch(grain.MultiprocessingOptions(num_workers=workers))
    with contextlib.closing(iter(elements)) as iterator:
        yield from iterator


def _parse_flags() -> None:
    """Grain's workers take their settings from absl flags, which only an absl app has parsed."""
    from absl import flags

    if not flags.FLAGS.is_parsed():
        flags.FLAGS.mark_as_parsed()


def _masked(batch: Batch, size: int) -> Batch:
    """Fills a batch up to `size` with zeros and adds the mask that excludes them."""
    count = len(batch["label"])

    def fill(array: Any) -> np.ndarray:
        return np.concatenate([array, np.zeros((size - count, *array.shape[1:]), array.dtype)])

    mask = (np.arange(size) < count).astype(np.float32)
    return {"image": fill(batch["image"]), "label": fill(batch["label"]), "mask": mask}
