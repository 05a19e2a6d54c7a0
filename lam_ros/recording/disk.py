"""Files that survive: whole records or nothing, errors that say what to do, a lock while written."""

from __future__ import annotations

import errno
import fcntl
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from lam_ros.core.errors import MachineError

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_NOT_ALLOWED = (errno.EACCES, errno.EPERM, errno.EROFS)


def disk_error(path: Path, error: OSError) -> MachineError:
    """Return the one-line error for a file that cannot be written."""
    if error.errno in _NO_ROOM:
        remedy = "what was recorded is intact: make room, then run lam episodes recover"
    elif error.errno in _NOT_ALLOWED:
        remedy = "choose a folder that this user may write to"
    else:
        remedy = "what was recorded is intact: look at the disk, then run lam episodes recover"
    return MachineError(f"cannot write '{path}': {error.strerror}; {remedy}")


def sync_folder(folder: Path) -> None:
    """Have the disk keep the names in a folder."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def is_being_written(path: Path) -> bool:
    """Return whether a living process has the file open as `RecordFile`."""
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False  # a file system without locks
    return False


class RecordFile:
    """A new file to which whole records are appended; a stream for `mcap.writer.Writer`.

    What is written is with the operating system at once, and so survives the end of this
    process however it comes.  A record that does not fit is taken back.
    """

    def __init__(self, path: Path) -> None:
        """Make the file and lock it.

        Raises:
            MachineError: if it exists or cannot be made.
        """
        self.path = path
        self._size = 0
        try:
            self._handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        except OSError as error:
            raise disk_error(path, error) from None
        with suppress(OSError):  # a file system without locks
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def write(self, data: bytes) -> int:
        """Append records.

        Raises:
            MachineError: if the disk is full or fails.
        """
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[os.write(self._handle, rest) :]
        except OSError as error:
            self._take_back()
            raise disk_error(self.path, error) from None
        self._size += len(data)
        return len(data)

    def _take_back(self) -> None:
        with suppress(OSError):  # half a record at the end does no harm: `recover` drops it
            os.ftruncate(self._handle, self._size)
            os.lseek(self._handle, self._size, os.SEEK_SET)

    def tell(self) -> int:
        """Return the size [bytes]."""
        return self._size

    def flush(self) -> None:
        """Do nothing: nothing waits here."""

    def sync(self) -> None:
        """Return when the disk has everything.

        Raises:
            MachineError: if the disk fails.
        """
        try:
            os.fdatasync(self._handle)
        except OSError as error:
            raise disk_error(self.path, error) from None

    def sync_names(self) -> None:
        """Return when the disk has the names of the file and of its folder.

        Raises:
            MachineError: if the disk fails.
        """
        try:
            sync_folder(self.path.parent)
            sync_folder(self.path.parent.parent)
        except OSError as error:
            raise disk_error(self.path, error) from None

    def close(self) -> None:
        """Close and so unlock; a second time does nothing."""
        handle, self._handle = self._handle, -1
        if handle >= 0:
            os.close(handle)


class Ticker:
    """A thread that does something again and again."""

    def __init__(self, period_s: float, action: Callable[[], None], name: str) -> None:
        """Start it; the first time comes after one period."""
        self._period_s = period_s
        self._action = action
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._ended.wait(self._period_s):
            self._action()

    def stop(self) -> None:
        """Return when it has ended."""
        self._ended.set()
        self._thread.join()
