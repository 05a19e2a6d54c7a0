"""Shared memory of killed processes is removed, that of living ones is not."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from lam_ros.segments import free_unfinished_ports, remove_dead_segments


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


def test_unfinished_ports_are_marked_for_those_who_wait_and_taken_away(tmp_path: Path) -> None:
    held = []
    for name, content in (("7000", b""), ("7002", b"\1\0\0\0more"), ("7004", b"\2\0\0\0")):
        port = tmp_path / f"fastrtps_port{name}"
        port.write_bytes(content)
        (tmp_path / f"fastrtps_port{name}_el").touch()
        os.utime(port, (port.stat().st_mtime - 100.0,) * 2)
        held.append(port.open("rb"))
    (tmp_path / "fastrtps_port7006").touch()  # somebody is making it just now
    assert free_unfinished_ports(tmp_path) == 2
    left = {path.name for path in tmp_path.iterdir() if not path.name.endswith("_el")}
    assert left == {"fastrtps_port7004", "fastrtps_port7006"}
    assert [file.read(4)[0] for file in held] == [3, 3, 2]
    for file in held:
        file.close()


def test_without_the_folder_there_is_nothing_to_do(tmp_path: Path) -> None:
    assert remove_dead_segments(tmp_path / "none") == 0
