"""`lam record` as a person starts it: by the script without a terminal, and by keys in one."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Any

import psutil
import pytest

from lam_ros.recording.reader import EpisodeReader
from lam_ros.recording.recover import recover

TASK = "put the red cube in the blue bowl"
LAM = (sys.executable, "-m", "lam_ros.cli", "record", f"task={TASK}", "--json")
PATIENT = (
    "rate_tolerance=0.9",
    "gate_s=120",
    "robot.joint_state.stale_after_s=1.5",
    "robot.cameras.front.stale_after_s=1.5",
    "robot.cameras.wrist.stale_after_s=1.5",
)
"""A simulation on a busy machine is slower than its rates."""

pytestmark = pytest.mark.slow


def episodes_of(session: Path) -> list[EpisodeReader]:
    """Return the episodes of a session, in order."""
    return [EpisodeReader(folder) for folder in sorted(session.iterdir())]


def test_the_script_records_episodes_that_the_ground_truth_confirms(tmp_path: Path) -> None:
    command = [*LAM, "episodes=2", f"root={tmp_path}", "session=s", *PATIENT]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout.splitlines()[-1])
    assert report["kept"] == 2
    assert report["session"] == str(tmp_path / "s")
    kept = [episode for episode in report["episodes"] if episode["outcome"] == "success"]
    assert [episode["frames"] > 50 for episode in kept] == [True, True]
    episodes = episodes_of(tmp_path / "s")
    assert len(episodes) == len(report["episodes"])
    assert {episode.result.outcome for episode in episodes} >= {"success"}
    first = episodes[0]
    assert first.meta.instruction == TASK
    assert first.topics["/teleop/joint_command"].count > 50
    scenes = [next(iter(e.messages(["/lam/scene"]))).message for e in episodes]
    where = [[(o.pose.position.x, o.pose.position.y) for o in scene.objects] for scene in scenes]
    assert where[0] != where[1]


def test_the_steps_of_a_plan_become_subtasks_of_the_recording(tmp_path: Path) -> None:
    task = "task=put the red cube in the blue bowl, then the green cube on the yellow spot"
    options = ["driver=expert", "episodes=1", f"root={tmp_path}", "session=s", *PATIENT]
    command = [*LAM, task, *options]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 0, done.stderr
    episode = episodes_of(tmp_path / "s")[-1]
    events = [recorded.message for recorded in episode.messages(["/lam/episode_event"])]
    prompts = [event.text for event in events if event.kind == "subtask"]
    assert prompts[:2] == [
        "put the red cube in the blue bowl",
        "put the green cube on the yellow spot",
    ]
    assert "expert" in episode.meta.policy_id


class Person:
    """Presses keys in a terminal in which a command runs."""

    def __init__(self, command: list[str]) -> None:
        self.screen = b""
        self._mark = 0
        self.pid, self._terminal = pty.fork()
        if self.pid == 0:
            os.execvpe(command[0], command, os.environ | {"TERM": "xterm-256color"})

    def press_when(self, seen: str, keys: bytes) -> None:
        """Wait until a text appears anew, then press keys."""
        end = time.monotonic() + 120
        while seen.encode() not in self.screen[self._mark :]:
            assert time.monotonic() < end, f"no '{seen}' in: {self.screen[-2000:]!r}"
            assert self._look(), f"ended before '{seen}': {self.screen[-2000:]!r}"
        self._mark = len(self.screen)
        os.write(self._terminal, keys)

    def wait(self) -> tuple[int, dict[str, Any]]:
        """Wait for the end; returns the exit code and the JSON."""
        while self._look():
            pass
        _, status = os.waitpid(self.pid, 0)
        text = self.screen.decode(errors="replace")
        return os.waitstatus_to_exitcode(status), json.loads(text[text.rindex('{"session"') :])

    def _look(self) -> bool:
        if not select.select([self._terminal], [], [], 1.0)[0]:
            return True
        try:
            data = os.read(self._terminal, 65536)
        except OSError:
            return False
        self.screen += data
        return bool(data)


def test_keys_keep_discard_rerecord_and_finish(tmp_path: Path) -> None:
    options = ["episodes=5", "teleop=keyboard", "countdown_s=1", "reset_s=1", f"root={tmp_path}"]
    person = Person([*LAM, *options, "session=s", *PATIENT])
    person.press_when("episode 1 is being recorded: 1", b" ww\r")  # takes the arm, moves, keeps
    person.press_when("episode 2 is being recorded: 1", b"\t")
    person.press_when("episode 3 is being recorded: 1", b"\x7f")
    person.press_when("episode 4 is being recorded: 1", b"\x1b")
    code, report = person.wait()
    assert code == 0
    assert [(e["outcome"], e["seed"]) for e in report["episodes"]] == [
        ("kept", 0),
        ("discarded", 1),
        ("discarded", 1),
        ("discarded", 2),
    ]
    outcomes = [episode.result.outcome for episode in episodes_of(tmp_path / "s")]
    assert outcomes == [e["outcome"] for e in report["episodes"]]


def test_a_recorder_that_is_killed_is_named_and_its_episode_can_be_recovered(
    tmp_path: Path,
) -> None:
    command = [*LAM, f"root={tmp_path}", "session=s", *PATIENT]
    nowhere = subprocess.DEVNULL
    with subprocess.Popen(
        command, stdin=nowhere, stdout=nowhere, stderr=subprocess.PIPE, text=True
    ) as lam:
        assert lam.stderr is not None
        until(lam.stderr, "episode 1 is being recorded")
        bag = tmp_path / "s/episode_000000/episode_000000_0.mcap"
        while not (bag.is_file() and bag.stat().st_size > 100_000):
            time.sleep(0.05)
            assert lam.poll() is None
        for child in psutil.Process(lam.pid).children(recursive=True):
            if "lam_ros.nodes.recorder" in child.cmdline():
                child.kill()
        said = lam.stderr.read()
    assert lam.returncode == 1
    assert "recorder: killed by signal 9" in said
    assert f"lam episodes recover {tmp_path / 's'}" in said
    recover(bag.parent)
    (episode,) = episodes_of(tmp_path / "s")
    assert episode.result.outcome == "aborted"
    assert episode.topics["/joint_states"].count > 10


def until(lines: IO[str], text: str) -> None:
    """Read lines until one holds a text."""
    while text not in (line := lines.readline()):
        assert line, f"the end came before '{text}'"


def test_a_session_that_is_interrupted_closes_its_episode(tmp_path: Path) -> None:
    options = ["teleop=keyboard", "countdown_s=0", f"root={tmp_path}", "session=s"]
    person = Person([*LAM, *options, *PATIENT])
    person.press_when("episode 1 is being recorded: 1", b"\x03")
    code, report = person.wait()
    assert code == 130
    assert [(e["outcome"], e["reason"]) for e in report["episodes"]] == [
        ("discarded", "interrupted")
    ]
    (episode,) = episodes_of(tmp_path / "s")
    assert (episode.result.outcome, episode.cut_off) == ("discarded", False)
