"""Shared memory of killed processes is removed, that of living ones is not."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from lam_ros.segments import remove_dead_segments


def segment(folder: Path, name: str, age_s: float = 100.0) -> Path:
    """Make what a process leaves behind; returns the file with its lock."""
    (folder / name).write_bytes(b"x")
    lock = folder / f"{name}_el"
    lock.touch()
    os.utime(lock, (lock.stat().st_mtime - age_s,) * 2)
    return lock


def test_only_dead_segments_are_removed(tmp_path: Path) -> None:
    segment(tmp_path, "fastrtps_dead")
    segment(tmp_path, "fastrtps_young", age_s=1.0)
    segment(tmp_path, "fastrtps_port7000")
    (tmp_path / "other").touch()
    living = segment(tmp_path, "fastrtps_living")
    with living.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert remove_dead_segments(tmp_path) == 1
    left = {path.name for path in tmp_path.iterdir()}
    assert not {name for name in left if name.startswith("fastrtps_dead")}
    assert {"fastrtps_living", "fastrtps_young", "fastrtps_port7000", "other"} <= left


def test_without_the_folder_there_is_nothing_to_do(tmp_path: Path) -> None:
    assert remove_dead_segments(tmp_path / "none") == 0
