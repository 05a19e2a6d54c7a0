"""The start gate names the stream to blame, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lam_ros.config import load_robot
from lam_ros.core.errors import ConfigError
from lam_ros.recording.gate import GateConfig, Scenery, check_gate
from lam_ros.recording.monitor import StreamState
from lam_ros.recording.streams import streams_of

MS = 1_000_000
ROBOT = load_robot("so101")
GOOD = tuple(
    StreamState(
        stream,
        rate_hz=stream.rate_hz,
        silence_ns=10 * MS,
        age_ns=5 * MS,
        size_px=stream.size_px,
        count=100,
        dropped=0,
        faults={},
    )
    for stream in streams_of(ROBOT)
)
OPEN = Scenery(GOOD, ROBOT.joint_names, free_bytes=10**12, fingerprint=ROBOT.fingerprint())


def with_stream(name: str, **changes: object) -> Scenery:
    """Return the open gate's scenery with one stream changed."""
    states = [
        replace(state, **changes) if state.stream.name == name else state  # type: ignore[arg-type]
        for state in GOOD
    ]
    return replace(OPEN, states=states)


def test_nothing_is_to_blame_when_all_is_right() -> None:
    assert check_gate(ROBOT, OPEN) == ()


@pytest.mark.parametrize(
    ("name", "changes", "says"),
    [
        ("front", {"silence_ns": None}, "nothing comes on camera/front/image_raw"),
        ("front", {"silence_ns": 900 * MS}, "silent for 0.9 s"),
        ("wrist", {"size_px": (640, 480)}, "640x480 pixels come, 96x96 are needed"),
        ("wrist", {"size_px": None}, "its pictures cannot be read"),
        ("front", {"rate_hz": 12.0}, "12.0 Hz come, 25 are needed (20.0 to 30.0 is allowed)"),
        ("front", {"rate_hz": 50.0}, "50.0 Hz come, 25 are needed"),
        ("joints", {"rate_hz": 0.0, "count": 1}, "too few messages"),
        ("joints", {"age_ns": 3600 * 10**9}, "stamps are 3600000 ms from our clock"),
        ("commands", {"silence_ns": None}, "nothing comes on lam/joint_command"),
    ],
)
def test_one_stream_is_to_blame(name: str, changes: dict[str, object], says: str) -> None:
    blames = check_gate(ROBOT, with_stream(name, **changes))
    assert [blame.stream for blame in blames] == [name]
    assert says in blames[0].detail


def test_what_an_episode_does_not_need_is_never_to_blame() -> None:
    assert check_gate(ROBOT, with_stream("lam/plan", silence_ns=None, rate_hz=0.0)) == ()


def test_another_type_is_named_with_both_types() -> None:
    (blame,) = check_gate(ROBOT, replace(OPEN, foreign_types={"front": "std_msgs/msg/String"}))
    assert "carries std_msgs/msg/String, needed is sensor_msgs/msg/Image" in str(blame)


def test_joints_robot_session_and_disk_are_named() -> None:
    names = tuple(name.replace("gripper", "griper") for name in ROBOT.joint_names)
    scenery = replace(
        OPEN, joint_names=names, free_bytes=10**9, fingerprint="beef", recorded="cafe"
    )
    texts = [str(blame) for blame in check_gate(ROBOT, scenery)]
    assert [text.partition(":")[0] for text in texts] == ["robot", "disk", "joints"]
    assert "asked for is beef" in texts[0]
    assert "1.0 GB are free, 2.0 GB are needed" in texts[1]
    assert "lacks gripper" in texts[2]
    assert "Did you mean 'griper'?" in texts[2]
    (blame,) = check_gate(ROBOT, replace(OPEN, recorded="cafe"))
    assert "record into another session" in str(blame)


@pytest.mark.parametrize("tolerance", [0.0, 1.0, -0.5, float("nan")])
def test_a_tolerance_that_allows_all_or_nothing_is_refused(tolerance: float) -> None:
    with pytest.raises(ConfigError, match="rate_tolerance"):
        GateConfig(rate_tolerance=tolerance)
