"""Sets that are too large for the device, read and decoded by Grain during training."""

import contextlib
import dataclasses
import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from resnet_jax.data import image_ops, order
from resnet_jax.data.dataset import Batch, Dataset, Split
from resnet_jax.data.tfds.source import Source

_STREAM_LENGTH = 2**40  # the stream of training examples is endless, but Grain requires a length


@dataclasses.dataclass(frozen=True, eq=False)
class Streaming(Dataset):
    """A dataset whose images are decoded at each use, in threads or worker processes.

    With an `image_size`, training images are random resized crops and evaluation images center
    crops (`image_ops.random_box`, `center_box`); without one, images are as stored. Flips and other
    augmentations are applied in the training step, as for sets in memory.

    Attributes:
      sources: the encoded examples of each split.
      image_size: height and width of all images in pixels; 0 for as stored.
      workers: number of processes that decode; 0 for threads of this process.
    """

    sources: dict[Split, Source]
    image_size: int
    workers: int

    def train_batch(self, step: int) -> Batch:
        return self._training()[step]

    def train_batches(self, start_step: int = 0) -> Iterator[Batch]:
        return _iterate(self._training().slice(slice(start_step, None)), self.workers)

    def eval_batches(self, split: Split) -> Iterator[Batch]:
        import grain

        size, source = self.sampling.eval_batch_size, self.sources[split]
        rows = self.sampling.shard.of(size)
        examples = _EvaluationExamples(source, self.image_size, size, rows)
        found = 0
        if len(examples):
            batches = grain.MapDataset.source(examples).batch(len(rows))
            for batch in _iterate(batches, self.workers):
                found += 1
                yield _pad(batch, len(rows))
        for _ in range(found, -(-len(source) // size)):  # only other shards have examples left
            image = np.zeros((0, *self.image_shape), np.uint8)
            yield _pad({"image": image, "label": np.zeros(0, np.int32)}, len(rows))

    def _training(self) -> Any:
        import grain

        size, seed = self.sampling.batch_size, self.sampling.seed
        rows = self.sampling.shard.of(size)
        examples = _TrainingExamples(self.sources["train"], self.image_size, size, rows, seed)
        return grain.MapDataset.source(examples).batch(len(rows))


@dataclasses.dataclass(frozen=True)
class _TrainingExamples:
    """The endless stream of training examples, restricted to this shard's rows of each batch."""

    source: Source
    image_size: int
    batch_size: int
    rows: range
    seed: int

    def __len__(self) -> int:
        return _STREAM_LENGTH

    def __getitem__(self, number: int) -> dict[str, Any]:
        position = _position(number, self.batch_size, self.rows)

        def box(width: int, height: int) -> image_ops.Box:
            draws = order.uniforms(self.seed, position, order.CROP, image_ops.NUM_DRAWS)
            return image_ops.random_box(width, height, draws)

        index = order.example(self.seed, position, len(self.source))
        return _example(self.source, index, self.image_size, box)


@dataclasses.dataclass(frozen=True)
class _EvaluationExamples:
    """The examples of a split in stored order, restricted to this shard's rows of each batch."""

    source: Source
    image_size: int
    batch_size: int
    rows: range

    def __len__(self) -> int:
        batches, rest = divmod(len(self.source), self.batch_size)
        return batches * len(self.rows) + min(max(rest - self.rows.start, 0), len(self.rows))

    def __getitem__(self, number: int) -> dict[str, Any]:
        index = _position(number, self.batch_size, self.rows)
        return _example(self.source, index, self.image_size, image_ops.center_box)


def _position(number: int, batch_size: int, rows: range) -> int:
    """The position, in the stream of global batches, of this shard's `number`-th example."""
    batch, row = divmod(number, len(rows))
    return batch * batch_size + rows[row]


def _example(
    source: Source, index: int, size: int, box: Callable[[int, int], image_ops.Box]
) -> dict[str, Any]:
    if size:
        image, label = source[index]
        array = image_ops.to_array(image_ops.resize(image, box(*image.size), size))
    else:
        array, label = source.array(index)
    return {"image": array, "label": np.int32(label)}


def _iterate(batches: Any, workers: int) -> Iterator[Any]:
    """Iterates over a Grain dataset, prefetching; stops its worker processes at the end."""
    import grain

    threads = 1 if workers else min(16, os.cpu_count() or 1)
    # Grain prefetches 500 elements by default; here each element is a batch.
    options = grain.ReadOptions(num_threads=threads, prefetch_buffer_size=2 * threads)
    elements = batches.to_iter_dataset(options)
    if workers:
        _parse_flags()
        elements = elements.mp_prefetch(grain.MultiprocessingOptions(num_workers=workers))
    with contextlib.closing(iter(elements)) as iterator:
        yield from iterator


def _parse_flags() -> None:
    """Marks absl's flags as parsed: Grain's workers read them, and only absl apps parse them."""
    from absl import flags

    if not flags.FLAGS.is_parsed():
        flags.FLAGS.mark_as_parsed()


def _pad(batch: Batch, size: int) -> Batch:
    """Pads a batch with zeros to `size` examples, and adds the mask that excludes them."""
    count = len(batch["label"])

    def fill(array: Any) -> np.ndarray:
        return np.concatenate([array, np.zeros((size - count, *array.shape[1:]), array.dtype)])

    mask = (np.arange(size) < count).astype(np.float32)
    return {"image": fill(batch["image"]), "label": fill(batch["label"]), "mask": mask}
