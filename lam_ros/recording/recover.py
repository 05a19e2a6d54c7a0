"""Closes a bag that was cut off, with everything in it that is intact."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Recovery:
    """What became of a bag.

    Attributes:
        changed: whether anything had to be done.
        kept: messages in the bag now.
        lost_ns: time between the last intact message and when the file was last written
            to, as far as it is known; 0 if nothing is known to be missing.
        what: one line for people.
    """

    folder: Path
    changed: bool
    kept: int
    lost_ns: int
    what: str


def recover(folder: Path) -> Recovery:
    """Complete a bag in place; one that is complete is left as it is.

    The damaged file stays until the repaired one is complete on the disk.

    Raises:
        DataError: if the folder holds no MCAP bag, or nothing in it can be kept.
        MachineError: if there is no room or no permission.
    """
    raise NotImplementedError
