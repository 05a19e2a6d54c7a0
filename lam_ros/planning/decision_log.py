"""The decision log of a run: what was decided and why, in a chain that shows any change.

One JSON object a line: `{"n", "stamp_ns", "kind", "text", "facts", "previous", "hash"}`.  An
entry's hash is the SHA-256 of the entry without it, and `previous` is the hash before, so
that an entry that is changed, left out or put elsewhere later does not fit any more.  What
a chain cannot show is that its last entries were cut off, or that all of it was written
anew; the last entry of a log that is whole is of kind `end`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from lam_ros.core.errors import DataError

FILE = "decisions.jsonl"
"""Name of the log in a run's folder."""

START = "0" * 64
"""What stands for the hash before the first entry."""


@dataclass(frozen=True)
class Entry:
    """One decision.

    Attributes:
        number: counts up from 0.
        stamp_ns: when.
        kind: for programs.
        text: one line for people.
        facts: what else is known of it.
        previous: hash of the entry before.
        hash: of this entry.
    """

    number: int
    stamp_ns: int
    kind: str
    text: str
    facts: Mapping[str, Any]
    previous: str
    hash: str

    @property
    def is_whole(self) -> bool:
        """Tell whether the entry is what its hash was made of."""
        return self.hash == _hash(self._row())

    def line(self) -> str:
        """Return the line of the file."""
        return json.dumps(self._row() | {"hash": self.hash}, ensure_ascii=False)

    def _row(self) -> dict[str, Any]:
        return {
            "n": self.number,
            "stamp_ns": self.stamp_ns,
            "kind": self.kind,
            "text": self.text,
            "facts": dict(self.facts),
            "previous": self.previous,
        }


class DecisionLog:
    """Writes a log, line by line; what cannot be written is given up with one warning."""

    def __init__(
        self,
        path: Path,
        now_ns: Callable[[], int],
        warn: Callable[[str], None],
        *,
        goes_on: bool = False,
    ) -> None:
        """Begin a log at `path`; `goes_on` adds to the chain that stands there already."""
        self._path, self._now_ns, self._warn = path, now_ns, warn
        self._number, self._previous = _end_of(path) if goes_on else (0, START)
        self._file: TextIO | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("a" if self._number else "w", encoding="utf-8")
        except OSError as error:
            self._give_up(error)

    def note(self, kind: str, text: str, facts: Mapping[str, Any] | None = None) -> None:
        """Write down what was decided."""
        if self._file is None:
            return
        made = Entry(self._number, self._now_ns(), kind, text, facts or {}, self._previous, "")
        entry = Entry(**(vars(made) | {"hash": _hash(made._row())}))
        try:
            self._file.write(f"{entry.line()}\n")
            self._file.flush()
        except OSError as error:
            self._give_up(error)
            return
        self._number, self._previous = self._number + 1, entry.hash

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _give_up(self, error: OSError) -> None:
        self._file = None
        self._warn(
            f"decision log {self._path}: {error.strerror}; going on without it, "
            "so lam explain will have nothing to say of this run"
        )


def _end_of(path: Path) -> tuple[int, str]:
    """Return the next number and the hash before it; those of a new log where none is whole."""
    if not path.is_file() or not path.stat().st_size:
        return 0, START
    try:
        last = read_log(path)[-1]
    except DataError:  # its last line was cut off by a kill: kept, and another one is begun
        path.replace(path.with_suffix(".broken.jsonl"))
        return 0, START
    return last.number + 1, last.hash


def read_log(path: Path) -> tuple[Entry, ...]:
    """Return the entries of a log.

    Raises:
        DataError: if there is none, or a line is no entry.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise DataError(
            f"{path}: {error.strerror}; lam explain reads the folder that lam run has written"
        ) from None
    except UnicodeDecodeError:
        raise DataError(f"{path}: no text came, a decision log is needed") from None
    return tuple(_entry(path, k, line) for k, line in enumerate(lines))


def first_break(entries: tuple[Entry, ...]) -> str:
    """Return what is wrong with a chain, or an empty string."""
    previous = START
    for k, entry in enumerate(entries):
        if not entry.is_whole:
            return f"entry {k} ({entry.kind}) was changed after it was written"
        if entry.number != k or entry.previous != previous:
            return f"entry {k} ({entry.kind}) does not follow the one before: something was cut out"
        previous = entry.hash
    return ""


def _entry(path: Path, number: int, line: str) -> Entry:
    try:
        row = json.loads(line)
        return Entry(
            int(row["n"]), int(row["stamp_ns"]), str(row["kind"]), str(row["text"]),
            dict(row["facts"]), str(row["previous"]), str(row["hash"]),
        )  # fmt: skip
    except (ValueError, KeyError, TypeError):
        raise DataError(f"{path}: line {number + 1} is no entry of a decision log") from None


def _hash(row: Mapping[str, Any]) -> str:
    text = json.dumps(row, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
