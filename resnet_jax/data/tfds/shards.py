"""Whether the files of a split are all there, and whole."""

import os
from typing import Any

from resnet_jax.data.tfds.damage import damaged
from resnet_jax.data.tfds.folders import Prepared
from resnet_jax.errors import UserError


def check_shards(prepared: Prepared, split: Any) -> None:
    """Checks each file of a split against the number of examples that it should hold.

    A reader opens a damaged file without an error, as one with no records, and may go on to give
    examples of nothing. So each is opened, asked how many it holds, and closed, which does raise.

    Args:
      prepared: the set.
      split: TFDS's `SplitInfo`.

    Raises:
      UserError: a file is missing, or does not hold its number of examples.
    """
    for path, expected in zip(split.filepaths, split.shard_lengths, strict=True):
        if not os.path.exists(path):
            raise UserError(
                f"{prepared.name!r} in {prepared.folder} lacks the file {path.name}: "
                f"{prepared.again}"
            )
        with damaged(prepared):
            found = _count(path)
        if found != expected:
            raise UserError(
                f"{path.name} of {prepared.name!r} in {prepared.folder} is damaged, it holds "
                f"{found} examples instead of {expected}: {prepared.again}"
            )


def _count(path: os.PathLike[str]) -> int:
    """The number of records in a file."""
    from array_record.python.array_record_module import ArrayRecordReader

    reader = ArrayRecordReader(os.fspath(path))
    count = reader.num_records()
    reader.close()  # raises what went wrong before, if anything did
    return count
