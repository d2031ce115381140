"""Sets too large for the device, read and decoded by Grain while the network trains."""

import contextlib
import dataclasses
import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from resnet_jax.data import decoded, order, pictures
from resnet_jax.data.dataset import Batch, Dataset, Split
from resnet_jax.data.source import Source

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

        examples = _Evaluation(self.sources[split], self.image_size)
        size = self.sampling.eval_batch_size
        for batch in _iterate(grain.MapDataset.source(examples).batch(size), self.workers):
            yield _masked(batch, size)

    def _training(self) -> Any:
        import grain

        examples = _Training(self.sources["train"], self.image_size, self.sampling.seed)
        return grain.MapDataset.source(examples).batch(self.sampling.batch_size)


@dataclasses.dataclass(frozen=True)
class _Training:
    """The endless stream of training examples, by position."""

    source: Source
    image_size: int
    seed: int

    def __len__(self) -> int:
        return _POSITIONS

    def __getitem__(self, position: int) -> dict[str, Any]:
        def box(width: int, height: int) -> pictures.Box:
            draws = order.uniforms(self.seed, position, order.CROP, pictures.DRAWS)
            return pictures.random_box(width, height, draws)

        index = order.example(self.seed, position, len(self.source))
        return _example(self.source, index, self.image_size, box)


@dataclasses.dataclass(frozen=True)
class _Evaluation:
    """The examples of a split in stored order."""

    source: Source
    image_size: int

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return _example(self.source, index, self.image_size, pictures.center_box)


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
