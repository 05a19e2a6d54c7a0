"""Messages of recording: events, results and diagnostics <-> what the recorder knows."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.serialization import deserialize_message

from lam_interfaces import msg as lam_msg
from lam_interfaces.action import RecordEpisode
from lam_ros.bridge.messages import ns_to_stamp
from lam_ros.core.clock import NS_PER_S, seconds_to_ns
from lam_ros.recording.format import EventKind
from lam_ros.recording.monitor import StreamState
from lam_ros.recording.settings import EpisodeRequest, Finished
from lam_ros.recording.status import Level, StreamStatus

RECORDER = "recorder"
_PREFIX = f"{RECORDER}: "


def event_to(kind: EventKind, text: str, stamp_ns: int) -> lam_msg.EpisodeEvent:
    """Make an event."""
    message = lam_msg.EpisodeEvent(kind=str(kind), text=text)
    message.header.stamp = ns_to_stamp(stamp_ns)
    return message


def request_from(goal: RecordEpisode.Goal) -> EpisodeRequest:
    """Read what is to be recorded."""
    return EpisodeRequest(
        instruction=goal.instruction,
        session=goal.session,
        operator=goal.operator_name,
        policy_id=goal.policy_id,
        fingerprint=goal.fingerprint,
        max_duration_ns=max(0, seconds_to_ns(goal.max_duration_s)),
    )


def result_to(finished: Finished) -> RecordEpisode.Result:
    """Make the result of an episode."""
    result = finished.result
    topics = sorted(set(result.frames) | set(result.faults))
    dropped = [result.faults[name].dropped if name in result.faults else 0 for name in topics]
    return RecordEpisode.Result(
        outcome=str(result.outcome),
        reason=result.reason,
        folder=str(finished.folder.resolve()) if finished.folder else "",
        duration_s=result.duration_ns / NS_PER_S,
        topics=topics,
        frames=array("Q", [result.frames.get(name, 0) for name in topics]),
        dropped=array("Q", dropped),
    )


def feedback_to(
    states: Sequence[StreamState], elapsed_s: float, disk_left_s: float
) -> RecordEpisode.Feedback:
    """Make feedback: one entry a stream; an age is negative where no message has come."""
    silences = [-1.0 if s.silence_ns is None else s.silence_ns / NS_PER_S for s in states]
    return RecordEpisode.Feedback(
        elapsed_s=elapsed_s,
        topics=[state.stream.topic for state in states],
        frames=array("Q", [state.count for state in states]),
        age_s=array("f", silences),
        disk_left_s=disk_left_s,
    )


def running_prompt(data: bytes) -> str:
    """Return the prompt of the step that a serialised plan is at, empty if none is running."""
    plan = deserialize_message(data, lam_msg.Plan)
    running = [step for step in plan.steps if step.status == lam_msg.PlanStep.RUNNING]
    return str(running[0].prompt) if running else ""


def diagnostics_to(
    statuses: tuple[StreamStatus, ...], robot: str, stamp_ns: int, extra: Mapping[str, str]
) -> DiagnosticArray:
    """Make diagnostics: one entry a stream, and one of the recorder itself with `extra`."""
    message = DiagnosticArray()
    message.header.stamp = ns_to_stamp(stamp_ns)
    own = DiagnosticStatus(level=bytes([0]), name=RECORDER, hardware_id=robot)
    own.values = [KeyValue(key=key, value=value) for key, value in extra.items()]
    message.status = [own, *(_entry(status, robot) for status in statuses)]
    return message


def diagnostics_from(message: DiagnosticArray) -> tuple[StreamStatus, ...]:
    """Read a recorder's diagnostics; entries of other nodes are left out."""
    return tuple(_status(entry) for entry in message.status if entry.name.startswith(_PREFIX))


def recorder_values(message: DiagnosticArray) -> dict[str, str]:
    """Return what a recorder says of itself, empty if the message is not a recorder's."""
    for entry in message.status:
        if entry.name == RECORDER:
            return {value.key: value.value for value in entry.values}
    return {}


def _entry(status: StreamStatus, robot: str) -> DiagnosticStatus:
    entry = DiagnosticStatus(
        level=bytes([status.level]),
        name=f"{_PREFIX}{status.name}",
        message=status.message,
        hardware_id=robot,
    )
    values = {
        "rate_hz": f"{status.rate_hz:.2f}",
        "wanted_hz": f"{status.wanted_hz:g}",
        "age_ms": f"{status.age_ms:.1f}",
        "count": str(status.count),
        "dropped": str(status.dropped),
    }
    entry.values = [KeyValue(key=key, value=value) for key, value in values.items()]
    return entry


def _status(entry: DiagnosticStatus) -> StreamStatus:
    values = {value.key: value.value for value in entry.values}
    return StreamStatus(
        name=entry.name.removeprefix(_PREFIX),
        level=Level(entry.level[0]),
        message=entry.message,
        rate_hz=float(values["rate_hz"]),
        wanted_hz=float(values["wanted_hz"]),
        age_ms=float(values["age_ms"]),
        count=int(values["count"]),
        dropped=int(values["dropped"]),
    )
