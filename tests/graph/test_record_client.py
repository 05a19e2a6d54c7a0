"""The session's node against the real recorder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

GOAL = {"instruction": "do it", "session": "s"}


def ready(graph: Any, arm: Any, count: int = 1) -> list[Any]:
    """Return clients that see the gate open."""
    from lam_ros.record.client import RecordClient

    clients = [RecordClient(graph.node, arm.robot) for _ in range(count)]
    graph.spin_until(lambda: all(c.blames() == [] for c in clients), "the gate to open")
    return clients


def begin(graph: Any, client: Any) -> None:
    """Have an episode begun."""
    from lam_interfaces.action import RecordEpisode

    client.begin(RecordEpisode.Goal(**GOAL))
    graph.spin_until(lambda: client.values["recording"] == "true", "the episode")


def test_an_episode_is_begun_watched_and_closed(graph: Any, arm: Any, recorder: Any) -> None:
    from lam_ros.recording.format import Outcome

    recorder()
    (client,) = ready(graph, arm)
    begin(graph, client)
    graph.spin_until(
        lambda: all(s.count >= 15 for s in client.statuses if s.wanted_hz),
        "fifteen messages of everything, some from before the first row",
    )
    assert {s.name for s in client.statuses if s.wanted_hz} == {
        "front", "wrist", "joints", "commands",
    }  # fmt: skip
    client.close(Outcome.KEPT, "good")
    graph.spin_until(lambda: client.tick() or client.ended, "the end")
    assert (client.ended.outcome, client.ended.reason) == ("kept", "good")
    assert client.ended.frames >= 10
    assert Path(client.ended.folder).is_dir()


def test_blames_are_told_stream_by_stream(graph: Any, arm: Any, recorder: Any) -> None:
    from lam_ros.record.client import RecordClient

    arm.silent = {"front"}
    recorder()
    client = RecordClient(graph.node, arm.robot)
    assert client.blames() is None
    graph.spin_until(
        lambda: client.blames() == [
            "front: nothing comes on camera/front/image_raw: does its node run?"
        ],
        "the one blame",
    )  # fmt: skip


def test_an_episode_beside_another_is_refused_and_anybody_may_close_the_first(
    graph: Any, arm: Any, recorder: Any
) -> None:
    from lam_interfaces.action import RecordEpisode
    from lam_ros.recording.format import Outcome

    recorder()
    client, other = ready(graph, arm, 2)
    begin(graph, client)
    other.begin(RecordEpisode.Goal(**GOAL))
    graph.spin_until(lambda: other.tick() or other.ended, "the refusal")
    assert other.ended.outcome is Outcome.ABORTED
    assert not other.ended.has_begun
    other.ended = None
    other.close(Outcome.DISCARDED, "by another")
    graph.spin_until(lambda: client.tick() or client.ended, "the first one's end")
    assert (client.ended.outcome, client.ended.reason) == ("discarded", "by another")
    graph.spin_until(lambda: other.tick() or other.ended, "the other to give up", 60.0)
    assert "no word" in other.ended.reason  # nobody records what it waits for
