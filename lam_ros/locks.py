"""What only one run may hold at a time: the run itself, and a ROS domain.

A lock is a file that the kernel keeps locked (`flock`) while its holder lives.  A
killed holder's lock is free at once, whatever the file says: there is no stale lock.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from lam_ros.core.errors import BusyError, MachineError

RUNTIME_VARIABLE = "LAM_RUNTIME_DIR"
"""Environment variable with the folder of the locks; by default one for each user."""

DOMAINS = range(60, 102)
"""ROS domains of private graphs; ids above 101 collide with the system's own ports."""


def runtime_dir() -> Path:
    """Return the folder of the locks, made if it is missing.

    Raises:
        MachineError: if it cannot be made.
    """
    default = Path(tempfile.gettempdir()) / f"lam-{os.getuid()}"
    folder = Path(os.environ.get(RUNTIME_VARIABLE) or default)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise MachineError(
            f"cannot make {folder} ({error.strerror}): set {RUNTIME_VARIABLE} to a folder of yours"
        ) from None
    return folder


@dataclass
class Lock:
    """A lock that is held until `release`, or until this process ends."""

    path: Path
    _file: IO[str] | None = None

    def try_acquire(self) -> bool:
        """Take the lock and write our process id into it; False if another holds it."""
        file = self.path.open("a+", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        self._file = file
        return True

    def holder(self) -> str:
        """Return the process id that the holder wrote, or `unknown`."""
        return self.path.read_text(encoding="utf-8").strip() or "unknown"

    def release(self) -> None:
        """Give the lock back; does nothing if it is not held."""
        if self._file is not None:
            self._file.truncate(0)
            self._file.close()
            self._file = None

    def __enter__(self) -> Self:
        """Return the lock, which is held already."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """Release the lock."""
        self.release()


def hold_run(folder: Path | None = None) -> Lock:
    """Take the right to run a graph.

    Raises:
        BusyError: if another run has it.
    """
    lock = Lock((folder or runtime_dir()) / "run.lock")
    if not lock.try_acquire():
        raise BusyError(
            f"another run is in progress (process {lock.holder()}): wait for it to end, "
            "or stop it with Ctrl-C there"
        )
    return lock


def commander_lock(domain_id: int, topic: str, folder: Path | None = None) -> Lock:
    """Return the lock of whoever commands an arm by `topic`, fully qualified, in a domain."""
    return Lock((folder or runtime_dir()) / f"commander-{domain_id}{topic.replace('/', '-')}.lock")


def is_commanded(domain_id: int, folder: Path | None = None) -> bool:
    """Return whether a node of this machine commands an arm there, one left over included."""
    for path in (folder or runtime_dir()).glob(f"commander-{domain_id}-*.lock"):
        lock = Lock(path)
        if not lock.try_acquire():
            return True
        lock.release()
    return False


def hold_domain(folder: Path | None = None, domains: Iterable[int] = DOMAINS) -> tuple[int, Lock]:
    """Take the first free ROS domain, so that a private graph meets no other.

    A domain in which a node still commands an arm, because whoever held it was killed, is
    not free.

    Raises:
        BusyError: if all are taken.
    """
    place = folder or runtime_dir()
    for domain_id in domains:
        lock = Lock(place / f"domain-{domain_id}.lock")
        if not lock.try_acquire():
            continue
        if not is_commanded(domain_id, place):
            return domain_id, lock
        lock.release()
    raise BusyError(f"all private ROS domains are taken (locks in {place}): stop another run")
