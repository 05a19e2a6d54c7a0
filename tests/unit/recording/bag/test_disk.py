"""A full disk and a folder without permission: one clear error, what is recorded stays."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from lam_ros.core.errors import MachineError
from lam_ros.recording.disk import RecordFile
from lam_ros.recording.format import Outcome
from lam_ros.recording.reader import EpisodeReader
from lam_ros.recording.recover import recover

SCRIPT = Path(__file__).with_name("fill_disk.py")
SMALL_DISK = 'mount -t tmpfs -o size=3m tmpfs "$1" && "$2" "$3" "$1" && cp -r "$1"/. "$4"'


type Filled = tuple[Path, dict[str, Any]]
"""The folder of the recordings, and what the script that filled the disk says."""


@pytest.fixture(scope="module")
def small_disk(tmp_path_factory: pytest.TempPathFactory) -> Filled:
    """A copy of what is on a disk of 3 MB after recording until it was full."""
    disk, copy = tmp_path_factory.mktemp("disk"), tmp_path_factory.mktemp("copy")
    command = ["unshare", "-Urm", "sh", "-c", SMALL_DISK, "sh", disk, sys.executable, SCRIPT, copy]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    if not done.stdout and any(name in done.stderr for name in ("mount", "unshare")):
        pytest.skip(f"no small disk can be mounted here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    return copy, json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def small_files(tmp_path_factory: pytest.TempPathFactory) -> Filled:
    """What was recorded where no file can grow beyond 1 MB."""
    root = tmp_path_factory.mktemp("small_files")
    command = [sys.executable, SCRIPT, root, "1000000"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return root, json.loads(done.stdout.splitlines()[-1])


def numbers(folder: Path) -> list[int]:
    return [int.from_bytes(one.message[:4]) for one in EpisodeReader(folder).messages(decode=False)]


@pytest.mark.parametrize("filled", ["small_disk", "small_files"])
def test_when_nothing_more_fits_each_attempt_says_so_and_all_that_is_recorded_stays(
    filled: str, request: pytest.FixtureRequest
) -> None:
    root, report = request.getfixturevalue(filled)

    assert len(report["errors"]) == 3
    for error in report["errors"]:
        assert "episode_000001_0.mcap': " in error
        assert "what was recorded is intact: make room, then run lam episodes recover" in error
    assert report["safe"] > 5
    assert numbers(root / "episode_000000") == [0]
    assert not recover(root / "episode_000000").changed
    assert numbers(root / "episode_000001") == list(range(report["safe"]))


def test_an_episode_that_cannot_begin_leaves_nothing_behind(small_disk: Filled) -> None:
    root, report = small_disk

    assert "No space left on device" in report["start"]
    assert not (root / "episode_000002").exists()


def test_without_room_for_the_repaired_file_the_damaged_one_stays_until_there_is(
    small_disk: Filled,
) -> None:
    root, report = small_disk  # had room for one of the two
    assert report["recovery"].startswith("error: cannot write")
    assert "make room, then run lam episodes recover" in report["recovery"]

    assert recover(root / "episode_000001").kept == report["safe"]

    assert numbers(root / "episode_000001") == list(range(report["safe"]))


def test_a_record_that_does_not_fit_leaves_no_part_of_it(tmp_path: Path) -> None:
    code = (
        "import resource, sys; from pathlib import Path; "
        "from lam_ros.recording.disk import RecordFile; "
        "from lam_ros.core.errors import MachineError\n"
        "file = RecordFile(Path(sys.argv[1]))\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "file.write(bytes(700))\n"
        "try: file.write(bytes(700))\n"
        "except MachineError: file.write(bytes(200))\n"
    )
    path = tmp_path / "file"

    subprocess.run([sys.executable, "-c", code, path], check=True, timeout=60)

    assert path.stat().st_size == 900


@contextmanager
def as_nobody(folder: Path) -> Iterator[None]:
    """Be a user who may read `folder` and not write there."""
    folder.chmod(0o555)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        if user == 0:
            os.seteuid(0)
        folder.chmod(0o755)


@pytest.fixture
def locked() -> Iterator[Path]:
    """A folder whose parents anybody may enter."""
    folder = Path(tempfile.gettempdir()) / f"lam-locked-{os.getpid()}"
    folder.mkdir(mode=0o755)
    yield folder
    shutil.rmtree(folder)


def test_a_folder_that_may_not_be_written_is_named_with_the_remedy(kit: Any, locked: Path) -> None:
    with (
        as_nobody(locked),
        pytest.raises(MachineError, match=rf"{locked}.*Permission denied; choose a folder that"),
    ):
        kit.open(locked / "episode_000000")

    assert list(locked.iterdir()) == []


def test_a_bag_that_may_not_be_written_is_not_changed_by_recovery(kit: Any, locked: Path) -> None:
    folder = kit.record(locked / "episode_000000")
    (folder / "metadata.yaml").unlink()
    with (folder / "episode_000000_0.mcap").open("r+b") as file:
        file.truncate(100_000)
    before = kit.files(folder)

    with as_nobody(folder), pytest.raises(MachineError, match=r"Permission denied"):
        recover(folder)

    assert kit.files(folder) == before


def test_a_file_is_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"there")

    with pytest.raises(MachineError, match=r"File exists"):
        RecordFile(path)

    assert path.read_bytes() == b"there"


def test_a_closed_episode_outlives_the_full_disk_of_the_next(kit: Any, episode: Path) -> None:
    """A device that is always full stands in for the next episode's file."""
    kit.record(episode)
    before = kit.files(episode)
    writer = kit.open(episode.with_name("episode_000001"))
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, writer._file._file._handle)
    os.close(full)

    with pytest.raises(MachineError, match=r"No space left on device"):
        kit.put(writer, kit.stream)
    with pytest.raises(MachineError, match=r"No space left on device"):
        writer.close(Outcome.SUCCESS, "")

    assert kit.files(episode) == before
