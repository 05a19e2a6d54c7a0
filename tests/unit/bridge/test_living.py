"""A killed process's publisher is known to be dead, and no living one is taken for it."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lam_ros.bridge.living import Living

HOST, OTHER_HOST = b"\x01\x0f\x78\xfd", b"\x01\x0f\x11\x22"


def endpoint(pid: int, host: bytes = HOST, name: str = "control") -> Any:
    gid = host + (pid & 0xFFFF).to_bytes(2, "little") + bytes(10)
    return SimpleNamespace(endpoint_gid=list(gid), node_name=name)


class Node:
    """Has one publisher of its own, written as is expected or not."""

    def __init__(self, own: Any) -> None:
        self._own = own

    def get_name(self) -> str:
        return "arm"

    def get_publishers_info_by_topic(self, _topic: str) -> list[Any]:
        return [self._own]


@pytest.fixture
def living(tmp_path: Path) -> Living:
    return Living(Node(endpoint(os.getpid(), name="arm")), tmp_path)  # type: ignore[arg-type]


def start(proc: Path, pid: int, at: str = "100", state: str = "S") -> None:
    (proc / str(pid)).mkdir(exist_ok=True)
    rest = " ".join([state, *["0"] * 18, at, "0"])
    (proc / str(pid) / "stat").write_text(f"{pid} (py (3) x) {rest}\n")


def test_a_publisher_is_dead_when_its_process_is_gone(living: Living, tmp_path: Path) -> None:
    start(tmp_path, 70_001)
    old = endpoint(70_001)
    assert living.among([old]) == [old]
    (tmp_path / "70001" / "stat").unlink()
    start(tmp_path, 70_002)
    new = endpoint(70_002)
    assert living.among([old, new]) == [new]


@pytest.mark.parametrize("how", ["a number given anew", "a zombie"])
def test_a_dead_process_is_not_taken_for_a_living_one(
    living: Living, tmp_path: Path, how: str
) -> None:
    start(tmp_path, 70_001)
    old = endpoint(70_001)
    assert living.among([old]) == [old]
    start(tmp_path, 70_001, at="900" if how == "a number given anew" else "100",
          state="Z" if how == "a zombie" else "S")  # fmt: skip
    assert living.among([old]) == []


def test_what_cannot_be_told_counts_as_alive(living: Living, tmp_path: Path) -> None:
    never_seen, elsewhere = endpoint(70_003), endpoint(70_001, OTHER_HOST)
    assert living.among([never_seen, elsewhere]) == [never_seen, elsewhere]
    start(tmp_path, 70_001)
    foreign = Living(Node(endpoint(os.getpid() + 1, name="arm")), tmp_path)  # type: ignore[arg-type]
    mine = endpoint(70_001)
    assert foreign.among([mine]) == [mine]
    (tmp_path / "70001" / "stat").unlink()
    assert foreign.among([mine]) == [mine]
