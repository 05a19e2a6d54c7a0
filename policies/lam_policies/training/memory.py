"""A batch that does not fit the memory, said in one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from lam_ros.core.errors import MachineError

_SIGNS = ("can't allocate memory", "out of memory", "not enough memory")


@contextmanager
def told_if_too_large(batch_size: int) -> Iterator[None]:
    """Turn what torch and numpy raise when memory ends into one line with the remedy.

    Raises:
        MachineError: if memory ended.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if isinstance(error, MemoryError) or any(sign in str(error) for sign in _SIGNS):
            raise MachineError(
                f"train: a batch of {batch_size} does not fit the memory; give "
                f"batch_size={max(1, batch_size // 2)}; the last checkpoint and the state of the "
                "run are whole"
            ) from None
        raise
