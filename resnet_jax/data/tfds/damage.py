"""One clear error in place of whatever the readers of damaged files come up with."""

import contextlib
from collections.abc import Iterator

from resnet_jax.data.tfds.folders import Prepared
from resnet_jax.errors import UserError


@contextlib.contextmanager
def damaged(prepared: Prepared) -> Iterator[None]:
    """Turns any error while a set's files are read into a `UserError` about those files.

    The readers underneath are written in C++ and raise a `RuntimeError` or worse for a file that
    is cut short or overwritten; none of them names the set.
    """
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        reason = str(error).partition("\n")[0][:120] or type(error).__name__
        raise UserError(
            f"{prepared.name!r} in {prepared.folder} cannot be read ({reason}): {prepared.again}"
        ) from error
