"""The recorder without a graph: what of all that it hears belongs to an episode."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from lam_ros.config import load_robot
from lam_ros.core.clock import ManualClock
from lam_ros.recording.cdr import compressed_image
from lam_ros.recording.format import EventKind, Outcome
from lam_ros.recording.gate import GateConfig
from lam_ros.recording.reader import EpisodeReader
from lam_ros.recording.recorder import Recorder
from lam_ros.recording.settings import EpisodeRequest, Finished, RecorderConfig
from lam_ros.recording.streams import Delivery, Stream

MS = 1_000_000
JOINTS = Stream("joints", "joint_states", "sensor_msgs/msg/JointState", is_required=True)
PLAN = Stream("plan", "lam/plan", "lam_interfaces/msg/Plan", delivery=Delivery.LATCHED)


@dataclass
class Bench:
    """A recorder with a clock that the test moves."""

    root: Path
    clock: ManualClock = field(default_factory=lambda: ManualClock(10**12))
    told: list[tuple[EventKind, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        config = RecorderConfig(str(self.root), reserve_bytes=0, gate=GateConfig(free_bytes=1))
        self.recorder = Recorder(
            load_robot("so101"),
            (JOINTS, PLAN),
            config,
            resolve=lambda topic: f"/{topic}",
            announce=self.announce,
            now_ns=self.clock.now_ns,
        )

    def announce(self, kind: EventKind, text: str, stamp_ns: int) -> bytes:
        """Remember an event; its bytes only need a stamp here."""
        self.told.append((kind, text))
        return compressed_image(stamp_ns, text, b"")

    def hear(self, name: str = "joints", *, late_ns: int = 0) -> None:
        """Have a message come, received a while ago."""
        now_ns = self.clock.now_ns()
        self.recorder.on_message(name, compressed_image(now_ns, "", b""), now_ns - late_ns)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    made.hear()
    made.clock.advance(0.1)
    yield made
    made.recorder.close()


def finish(bench: Bench, outcome: Outcome = Outcome.KEPT) -> tuple[Finished, dict[str, int]]:
    """Close the episode; returns it and its messages by topic."""
    finished = bench.recorder.finish(outcome, "good")
    assert finished is not None
    assert finished.folder is not None
    topics = EpisodeReader(finished.folder).topics
    return finished, {topic: info.count for topic, info in topics.items()}


def test_what_was_received_before_the_episode_began_is_not_in_it(bench: Bench) -> None:
    assert isinstance(bench.recorder.begin(EpisodeRequest("do it", session="s")), Path)
    bench.hear(late_ns=300 * MS)  # waited while the episode was opened
    bench.clock.advance(0.1)
    bench.hear()
    bench.hear()
    assert finish(bench)[1]["/joint_states"] == 2


def test_the_last_latched_message_is_in_every_episode(bench: Bench) -> None:
    bench.hear("plan")
    for _ in range(2):
        bench.recorder.begin(EpisodeRequest("do it", session="s"))
        bench.hear()
        assert finish(bench)[1]["/lam/plan"] == 1


def test_nothing_is_recorded_between_episodes_and_numbers_go_on(bench: Bench) -> None:
    folders = []
    for _ in range(2):
        bench.recorder.begin(EpisodeRequest("do it", session="s"))
        bench.hear()
        finished, counts = finish(bench)
        folders.append(finished.folder)
        bench.hear()
        bench.recorder.note(EventKind.SUBTASK, "nobody listens")
        assert counts["/joint_states"] == 1
    assert [folder.name for folder in folders if folder] == ["episode_000000", "episode_000001"]
    assert (EventKind.SUBTASK, "nobody listens") not in bench.told


def test_the_next_episode_begins_while_the_one_before_is_still_being_closed(bench: Bench) -> None:
    disk = threading.Event()
    bench.recorder._closer.submit(disk.wait)  # it takes its time
    begun = bench.recorder.begin(EpisodeRequest("first", session="s"))
    bench.hear()
    closing = bench.recorder.end(Outcome.KEPT, "good")
    assert closing is not None
    assert not closing.done()
    assert bench.recorder.is_closing
    following = bench.recorder.begin(EpisodeRequest("second", session="s"))
    bench.hear()
    bench.hear()
    disk.set()
    assert closing.result().folder == begun
    finished, counts = finish(bench)
    assert finished.folder == following
    assert not bench.recorder.is_closing
    assert isinstance(begun, Path)
    assert EpisodeReader(begun).topics["/joint_states"].count == 1
    assert counts["/joint_states"] == 2


def test_an_unreadable_message_of_a_needed_stream_spoils_the_episode(bench: Bench) -> None:
    bench.recorder.begin(EpisodeRequest("do it", session="s"))
    bench.hear()
    bench.recorder.on_message("joints", b"\x00\x01", bench.clock.now_ns())
    ending = bench.recorder.tick()
    assert ending is not None
    assert (ending.outcome, ending.reason) == (Outcome.ABORTED, "joints: a message is cut off")
    finished, counts = finish(bench, Outcome.SUCCESS)
    assert finished.result.outcome is Outcome.ABORTED
    assert counts["/joint_states"] == 1


def test_another_robots_session_is_refused(bench: Bench) -> None:
    bench.recorder.begin(EpisodeRequest("do it", session="s"))
    bench.hear()
    finish(bench)
    answer = bench.recorder.begin(EpisodeRequest("do it", session="s", fingerprint="beef"))
    assert isinstance(answer, Finished)
    assert answer.folder is None
    assert "asked for is beef" in answer.result.reason
