"""Closes a bag that was cut off, with everything in it that is intact."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lam_ros.core.clock import NS_PER_MS, ns_to_seconds
from lam_ros.core.errors import BusyError, DataError
from lam_ros.recording.contents import Tally, bag_files
from lam_ros.recording.disk import disk_error, is_being_written
from lam_ros.recording.format import (
    META_RECORD,
    OUTCOME_RECORD,
    EpisodeResult,
    NewerFormatError,
    Outcome,
    outcome_record,
    read_meta,
    read_result,
)
from lam_ros.recording.metadata import read_metadata, write_metadata
from lam_ros.recording.rewrite import rewrite
from lam_ros.recording.scan import Scanner

_RECORDS = (META_RECORD, OUTCOME_RECORD)
_NOT_REACHED = "up to a second that had not reached the file"


@dataclass(frozen=True)
class Recovery:
    """What became of a bag.

    Attributes:
        changed: whether anything had to be done.
        kept: messages in the bag now.
        lost_ns: time that is known to be missing: of chunks that were cut off or damaged,
            or behind the last message where metadata.yaml told the end.
        what: one line for people.
    """

    folder: Path
    changed: bool
    kept: int
    lost_ns: int
    what: str


@dataclass(frozen=True)
class _Walked:
    """One file after a walk over it."""

    path: Path
    scanner: Scanner
    tally: Tally

    @property
    def is_broken(self) -> bool:
        """Whether it must be written again."""
        records = self.tally.records
        is_sound = all(_makes_sense(key, records[key]) for key in _RECORDS if key in records)
        return not self.scanner.is_complete or not is_sound


@dataclass(frozen=True)
class _Before:
    """What metadata.yaml says; empty if there is none."""

    custom_data: dict[str, str]
    files: Sequence[str] = ()
    count: int | None = None
    start_ns: int = 0
    end_ns: int = 0

    def agrees(
        self, kept: int, names: Sequence[str], records: Mapping[str, Mapping[str, str]]
    ) -> bool:
        """Return whether it says what is in the files."""
        told = {key: text for key, text in self.custom_data.items() if key in _RECORDS}
        return self.count == kept and list(self.files) == names and told == _as_json(records)


def recover(folder: Path) -> Recovery:
    """Complete a bag in place; one that is complete is left as it is.

    The damaged file stays until the repaired one is complete on the disk.

    Raises:
        BusyError: if it is being recorded.
        DataError: if the folder holds no MCAP bag, or one compressed by rosbag2.
        MachineError: if there is no room or no permission.
    """
    try:
        files = bag_files(folder)
        _refuse(folder, files)
        before = _read_before(folder)
        walked = [_walk(path) for path in files]
        return _mend(folder, walked, before)
    except OSError as error:
        raise disk_error(folder, error) from None


def _refuse(folder: Path, files: Sequence[Path]) -> None:
    if not files:
        raise DataError(
            f"folder '{folder}' holds no MCAP file: name the folder of an episode; for other "
            "bags there is ros2 bag reindex"
        )
    for path in files:
        if is_being_written(path):
            raise BusyError(f"'{path}' is being recorded: end that first")


def _walk(path: Path) -> _Walked:
    scanner, found = Scanner(path), Tally(path.name)
    try:
        for record in scanner.records():
            found.add(record)
    except OSError as error:
        raise DataError(f"cannot read '{path}': {error.strerror}") from None
    return _Walked(path, scanner, found)


def _read_before(folder: Path) -> _Before:
    try:
        information = read_metadata(folder)
    except DataError:
        information = None
    if information is None:
        return _Before({})
    if information.get("compression_mode"):
        raise DataError(
            f"bag '{folder}' is compressed by rosbag2 ({information['compression_mode']}): "
            "use ros2 bag reindex"
        )
    try:
        start_ns = int(information["starting_time"]["nanoseconds_since_epoch"])
        return _Before(
            custom_data={
                str(key): str(text) for key, text in (information.get("custom_data") or {}).items()
            },
            files=[str(name) for name in information["relative_file_paths"]],
            count=int(information["message_count"]),
            start_ns=start_ns,
            end_ns=start_ns + int(information["duration"]["nanoseconds"]),
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        return _Before({})


def _mend(folder: Path, walked: Sequence[_Walked], before: _Before) -> Recovery:
    contents = [one.tally.contents() for one in walked]
    kept = sum(file.count for file in contents)
    names = [one.path.name for one in walked]
    records = _records(walked, before)
    broken = [one for one in walked if one.is_broken]
    if not broken and before.agrees(kept, names, records):
        return Recovery(folder, False, kept, 0, f"complete: {kept} messages, nothing to do")
    lost_ns = _lost_ns(walked, before)
    what = _what(kept, lost_ns, broken, before)
    if META_RECORD in records:
        records[OUTCOME_RECORD] = outcome_record(_result(walked, records, before, what))
    for one in walked:
        # What the file itself tells must agree, or the next look finds something to mend again.
        if one.is_broken or (len(walked) == 1 and one.tally.records | records != one.tally.records):
            rewrite(one.path, records)
    others = {key: text for key, text in before.custom_data.items() if key not in _RECORDS}
    write_metadata(folder, contents, others | _as_json(records))
    return Recovery(folder, True, kept, lost_ns, what)


def _as_json(records: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    return {key: json.dumps(record) for key, record in records.items()}


def _lost_ns(walked: Sequence[_Walked], before: _Before) -> int:
    end_ns = max(one.tally.span.end_ns for one in walked)
    told_ns = max(0, before.end_ns - max(end_ns, before.start_ns)) if before.count else 0
    return max(told_ns, sum(one.scanner.lost_ns for one in walked))


def _what(kept: int, lost_ns: int, broken: Sequence[_Walked], before: _Before) -> str:
    lost = []
    if before.count is not None and before.count > kept:
        lost.append(f"{before.count - kept} of {before.count} messages")
    if lost_ns:
        span = f"{ns_to_seconds(lost_ns):.3f} s" if lost_ns >= NS_PER_MS else "under 1 ms"
        lost.append(f"{span} of what was written")
    damaged = sum(one.scanner.damaged for one in broken)
    if damaged:
        lost.append(f"{damaged} damaged chunks or records")
    if before.count is None and broken:
        lost.append(_NOT_REACHED)
    return f"closed with {kept} messages; lost: {', '.join(lost) if lost else 'nothing'}"


def _records(walked: Sequence[_Walked], before: _Before) -> dict[str, Mapping[str, str]]:
    """Return `lam` and `lam.outcome` as they are in the files, else in metadata.yaml.

    Raises:
        NewerFormatError: if a newer LAM wrote them.
    """
    found: dict[str, Mapping[str, str]] = {}
    for key in _RECORDS:
        candidates = [one.tally.records[key] for one in walked if key in one.tally.records]
        candidates += _from_json(before.custom_data.get(key, ""))
        if key == META_RECORD:  # better than nothing
            candidates += [{**record, "robot": ""} for record in candidates]
        sound = [record for record in candidates if _makes_sense(key, record)]
        if sound:
            found[key] = sound[0]
    return found


def _makes_sense(key: str, record: Mapping[str, str]) -> bool:
    try:
        read_meta(record) if key == META_RECORD else read_result(record)
    except NewerFormatError:
        raise
    except DataError:
        return False
    return True


def _from_json(text: str) -> list[dict[str, str]]:
    try:
        return [dict(json.loads(text))]
    except (TypeError, ValueError):
        return []


def _result(
    walked: Sequence[_Walked],
    records: Mapping[str, Mapping[str, str]],
    before: _Before,
    what: str,
) -> EpisodeResult:
    """Return how the episode ended: as was written if nothing is missing, else aborted."""
    frames: dict[str, int] = {}
    faults: dict[str, Any] = {}
    for one in walked:
        frames |= one.tally.contents().counts
        faults |= one.tally.faults()
    duration_ns = max(one.tally.span.duration_ns for one in walked)
    outcome, reason = Outcome.ABORTED, f"recovered: {what}"
    if OUTCOME_RECORD in records:
        written = read_result(records[OUTCOME_RECORD])
        if written.frames == frames:
            return written
        reason = f"{reason}; it had ended as {written.outcome}"
    return EpisodeResult(outcome, reason, duration_ns, frames, faults)
