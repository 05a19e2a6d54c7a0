"""A stream's rate, what it lacks, and what is wrong with it, from times and stamps alone."""

from __future__ import annotations

import pytest

from lam_ros.config import load_robot
from lam_ros.recording.monitor import Arrival, FaultKind, StreamMonitor
from lam_ros.recording.streams import COMPRESSED, Stream, StreamKind, streams_of

MS = 1_000_000
PERIOD_NS = 40 * MS
CAMERA = Stream(
    "front",
    "camera/front/image_raw",
    "sensor_msgs/msg/Image",
    StreamKind.PICTURES,
    rate_hz=25.0,
    stale_after_ns=250 * MS,
    size_px=(64, 48),
    is_required=True,
)


def arrival(index: int, *, late_ns: int = 5 * MS, **more: object) -> Arrival:
    """Return the picture of a period, received a little after its stamp."""
    stamp_ns = 10**9 + index * PERIOD_NS
    values = {"stamp_ns": stamp_ns, "sequence": index + 1, "size_px": (64, 48)} | more
    return Arrival(10**9 + index * PERIOD_NS + late_ns, **values)  # type: ignore[arg-type]


def fed(*indices: int) -> tuple[StreamMonitor, int]:
    """Return a monitor that has got these pictures, and how many it says are missing."""
    monitor = StreamMonitor(CAMERA)
    return monitor, sum(monitor.note(arrival(index))[0] for index in indices)


def test_a_regular_stream_has_its_rate_and_no_fault() -> None:
    monitor, missing = fed(*range(50))
    state = monitor.state(10**9 + 50 * PERIOD_NS)
    assert (missing, state.dropped, state.faults) == (0, 0, {})
    assert state.rate_hz == pytest.approx(25.0)
    assert (state.age_ns, state.count, state.is_stale) == (5 * MS, 50, False)


def test_each_missing_message_is_counted_once_by_stamp_and_by_the_publishers_count() -> None:
    assert fed(0, 1, 4, 5)[1] == 2
    monitor, _ = fed(0, 1)
    lost, faults = monitor.note(arrival(2, sequence=9))  # the stamps are right, six never came
    assert lost == 6
    assert "lost on the way: 6" in str(faults[0])
    monitor, _ = fed(0, 1)
    _, faults = monitor.note(arrival(4, sequence=3))
    assert "never sent: 2" in str(faults[0])


@pytest.mark.parametrize("jitter", [0.3, -0.3, 0.6])
def test_a_late_message_that_the_next_makes_up_for_is_not_missing(jitter: float) -> None:
    monitor = StreamMonitor(CAMERA)
    missing = 0
    for index in range(60):
        shift_ns = round(jitter * PERIOD_NS) if index % 3 == 1 else 0
        stamp_ns = 10**9 + index * PERIOD_NS + shift_ns
        missing += monitor.note(arrival(index, stamp_ns=stamp_ns))[0]
    assert missing == 0


def test_a_rate_a_thousandth_too_low_is_the_rate_and_one_a_fifth_too_low_lacks_messages() -> None:
    lacking = []
    for factor in (1.001, 1.25):
        monitor = StreamMonitor(CAMERA)
        stamps = (10**9 + round(index * PERIOD_NS * factor) for index in range(1000))
        lacking.append(sum(monitor.note(Arrival(stamp, stamp))[0] for stamp in stamps))
    assert lacking[0] == 0
    assert 150 < lacking[1] < 350


def test_a_new_publisher_is_no_loss() -> None:
    monitor, _ = fed(0, 1, 2)
    assert monitor.note(arrival(3, sequence=1)) == (0, [])


def test_what_was_before_an_episode_is_not_missing_in_it() -> None:
    monitor, _ = fed(0, 1)
    monitor.begin(10**9)
    assert monitor.note(arrival(40))[0] == 0
    assert monitor.state(10**9 + 41 * PERIOD_NS).count == 1


def test_zero_and_decreasing_stamps_are_faults_and_told_once_in_a_while() -> None:
    monitor, _ = fed(0, 1, 2)
    told = [fault.kind for i in (3, 4, 5) for fault in monitor.note(arrival(i, stamp_ns=0))[1]]
    told += [fault.kind for fault in monitor.note(arrival(6))[1]]
    told += [fault.kind for fault in monitor.note(arrival(7, stamp_ns=10**9))[1]]
    assert told == [FaultKind.ZERO_STAMP, FaultKind.DECREASING_STAMP]
    faults = monitor.state(2 * 10**9).faults
    assert (faults[FaultKind.ZERO_STAMP], faults[FaultKind.DECREASING_STAMP]) == (3, 1)


def test_another_size_is_fatal() -> None:
    monitor, _ = fed(0)
    _, faults = monitor.note(arrival(1, size_px=(32, 24)))
    assert faults[0].kind.is_fatal
    assert "32x24 pixels came, 64x48 are needed" in str(faults[0])


def test_silence_is_told_once_then_fatal_and_over_when_it_speaks() -> None:
    monitor, _ = fed(0)
    monitor.begin(10**9)
    at = lambda ms: [fault.kind for fault in monitor.silence(10**9 + ms * MS)]  # noqa: E731
    assert at(200) == []
    assert at(400) == [FaultKind.STALE]
    assert at(500) == []
    assert at(2600) == [FaultKind.DEAD]
    monitor.note(arrival(70))
    assert at(70 * 40 + 100) == []
    assert at(70 * 40 + 400) == [FaultKind.STALE]


def test_a_stream_that_never_spoke_has_neither_rate_nor_age() -> None:
    state = StreamMonitor(CAMERA).state(10**9)
    assert (state.rate_hz, state.silence_ns, state.age_ns, state.is_stale) == (
        0.0,
        None,
        None,
        True,
    )


def test_an_occasional_stream_may_be_silent_and_irregular() -> None:
    monitor = StreamMonitor(Stream("lam/plan", "lam/plan", "lam_interfaces/msg/Plan"))
    for index in (0, 1, 50):
        assert monitor.note(arrival(index, sequence=None, size_px=None)) == (0, [])
    assert monitor.silence(10**12) == []
    assert not monitor.state(10**12).is_stale


def test_all_streams_of_a_robot_are_there_and_what_it_needs_is_required() -> None:
    robot = load_robot("so101")
    streams = {stream.name: stream for stream in streams_of(robot)}
    needed = {name for name, stream in streams.items() if stream.is_required}
    assert needed == {"front", "wrist", "joints", "commands"}
    optional = {s.name for s in streams_of(robot, commands_required=False) if s.is_required}
    assert optional == {"front", "wrist", "joints"}
    topics = {stream.topic for stream in streams.values()}
    assert {
        "joint_states",
        "lam/safety_report",
        "teleop/engaged",
        "camera/front/camera_info",
    } <= topics
    packed = streams["front"].as_compressed()
    assert (packed.topic, packed.type_name) == ("camera/front/image_raw/compressed", COMPRESSED)
    assert packed.size_px == streams["front"].size_px
