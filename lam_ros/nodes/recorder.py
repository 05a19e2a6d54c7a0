"""The recorder: listens to everything that an episode holds, and writes it while one runs.

Action `lam/record_episode` records one episode; service `lam/finish_episode` ends it and
says what became of it, cancelling ends it too.  Nothing is decoded: messages are
written as they come, pictures as JPEG or H.264.  `/diagnostics` tells how each stream stands,
`lam/episode_event` what happens.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from concurrent.futures import Future, wait
from functools import partial
from typing import Any

import cv2
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.qos import QoSProfile
from rclpy.serialization import serialize_message

from lam_interfaces import msg as lam_msg
from lam_interfaces.action import RecordEpisode
from lam_interfaces.srv import FinishEpisode
from lam_ros.bridge import qos, topics
from lam_ros.bridge.clock import RosClock
from lam_ros.bridge.entities import Entities
from lam_ros.bridge.episodes import (
    diagnostics_to,
    event_to,
    feedback_to,
    request_from,
    result_to,
    running_prompt,
)
from lam_ros.bridge.goals import End, SingleGoalServer
from lam_ros.bridge.raw import RawMessage, delivery_of, listen_raw, quality_of
from lam_ros.bridge.realtime import hold_memory
from lam_ros.bridge.runtime import LamNode, run_node
from lam_ros.config import load_robot
from lam_ros.core.errors import LamError, unknown_name
from lam_ros.recording.format import EPISODE_EVENT, TELEOP_ENGAGED, EventKind, Outcome
from lam_ros.recording.gate import GateConfig
from lam_ros.recording.recorder import Recorder
from lam_ros.recording.settings import Finished, RecorderConfig, session_problem
from lam_ros.recording.status import age_figures_ms, stream_statuses
from lam_ros.recording.streams import (
    PLAN,
    Delivery,
    Stream,
    StreamKind,
    streams_of,
)

TICK_S = 0.1
LOOK_EVERY = 5
"""Ticks between two looks at who publishes what."""

SAY_EVERY = 2
"""Ticks between two reports."""

AGES_EVERY = 10
"""Ticks between two computations of how old pictures are when they are written."""

QUEUE_S = 1.0
"""What a subscription keeps while this node is busy."""

LEAST_DEPTH = 50
"""Of the queues of messages that come when something happens."""

_EVENTS = QoSProfile(depth=50, reliability=qos.REPORT.reliability)
_ENDED_BY_CALL = (Outcome.SUCCESS, Outcome.FAILURE, Outcome.KEPT, Outcome.DISCARDED)

type Conclude = Callable[[End, RecordEpisode.Result], None]
"""Ends an episode's goal."""


class RecorderNode(LamNode):
    """Thin over `recording.recorder.Recorder`."""

    def __init__(self, **node_arguments: Any) -> None:
        """Create the node, unconfigured."""
        super().__init__("recorder", **node_arguments)
        self._opened = Entities(self)
        self._listening_to: dict[str, Entities] = {}
        self._heard: dict[str, tuple[Stream, Delivery]] = {}
        self._recorder: Any = None
        self._timer: Any = None
        self._on_cancel = Outcome.KEPT
        self._ticks = 0

    def configure(self) -> None:
        """Read the settings and listen to all streams."""
        cv2.setNumThreads(1)  # its threads would spin between pictures, for as much as these cost
        self._time = RosClock(self)
        self._robot = load_robot(self.text("robot", "so101"))
        config = self._read_config()
        self._wanted = streams_of(
            self._robot, commands_required=self.flag("commands_required", True)
        )
        opened = self._opened
        self._events = opened.publisher(lam_msg.EpisodeEvent, EPISODE_EVENT, _EVENTS)
        self._diagnostics = opened.publisher(DiagnosticArray, topics.DIAGNOSTICS, _EVENTS)
        self._recorder = Recorder(
            self._robot,
            self._wanted,
            config,
            resolve=self.resolve_topic_name,
            announce=self._announce,
            now_ns=self._time.now_ns,
        )
        self._prompt, self._engaged = "", False
        self._look()
        opened.add(self._stop_listening)
        opened.serve(FinishEpisode, topics.FINISH_EPISODE, self._on_finish)
        self._server = SingleGoalServer(self, RecordEpisode, topics.RECORD_EPISODE, self)
        opened.add(self._server.destroy)
        self._timer = opened.timer(TICK_S, self._tick)

    def activate(self) -> None:
        """Let episodes begin."""
        self._timer.reset()

    def deactivate(self) -> None:
        """Close the episode that runs and wait for it; what was recorded stays."""
        if self._timer is not None:
            self._timer.cancel()
        closing = self._end(Outcome.ABORTED, "the recorder was stopped")
        if closing is not None:
            wait([closing])

    def cleanup(self) -> None:
        """Stop listening."""
        self._timer = None
        if self._recorder is not None:
            self._recorder.close()
            self._recorder = None
        self._opened.close()

    def _read_config(self) -> RecorderConfig:
        return RecorderConfig(
            root=self.text("root", "recordings"),
            images=self.text("images", "jpeg"),
            jpeg_quality=int(self.number("jpeg_quality", 90.0)),
            jpeg_threads=int(self.number("jpeg_threads", 2.0)),
            delete_discarded=self.flag("delete_discarded", False),
            reserve_bytes=int(self.number("reserve_gb", 1.0) * 1e9),
            gate=GateConfig(
                rate_tolerance=self.number("rate_tolerance", 0.2),
                free_bytes=int(self.number("free_gb", 2.0) * 1e9),
            ),
        )

    # -- listening ---------------------------------------------------------------------

    def _look(self) -> None:
        """See who publishes what, and listen to it as it is sent; not during an episode."""
        foreign = {}
        for wanted in self._wanted:
            stream = self._choose(wanted)
            offered = self.get_publishers_info_by_topic(self.resolve_topic_name(stream.topic))
            types = {info.topic_type for info in offered}
            if types and stream.type_name not in types:
                foreign[wanted.name] = sorted(types)[0]
            fitting = [i.qos_profile for i in offered if i.topic_type == stream.type_name]
            self._listen(stream, delivery_of(fitting) or stream.delivery)
        self._recorder.set_foreign_types(foreign)

    def _choose(self, wanted: Stream) -> Stream:
        """Return the stream itself, or the one that its camera sends compressed already."""
        if wanted.kind is not StreamKind.PICTURES or self._recorder.config.images == "raw":
            return wanted
        packed = wanted.as_compressed()
        if self._recorder.config.images == "video" and self._is_offered(wanted):
            return wanted
        return packed if self._is_offered(packed) else wanted

    def _is_offered(self, stream: Stream) -> bool:
        offered = self.get_publishers_info_by_topic(self.resolve_topic_name(stream.topic))
        return any(info.topic_type == stream.type_name for info in offered)

    def _listen(self, stream: Stream, delivery: Delivery) -> None:
        """Open the subscription of a stream, or another one if it is sent in another way."""
        recorder, held = self._recorder, self._heard.get(stream.name)
        if held == (stream, delivery) or (held is not None and recorder.is_recording):
            return
        if held is not None:
            self._listening_to.pop(stream.name).close()
        if stream not in recorder.streams:
            recorder.replace_stream(stream)
        depth = max(LEAST_DEPTH, math.ceil(QUEUE_S * stream.rate_hz))
        if stream.size_px:  # a second of pictures is enough to hold
            depth = math.ceil(QUEUE_S * stream.rate_hz)
        self._heard[stream.name] = (stream, delivery)
        self._listening_to[stream.name] = Entities(self)
        listen_raw(
            self._listening_to[stream.name],
            stream.type_name,
            stream.topic,
            partial(self._on_message, stream),
            quality_of(delivery, depth),
        )

    def _stop_listening(self) -> None:
        for subscription in self._listening_to.values():
            subscription.close()
        self._listening_to.clear()
        self._heard.clear()

    def _on_message(self, stream: Stream, message: RawMessage) -> None:
        self._recorder.on_message(stream.name, message.data, message.received_ns, message.sequence)
        if stream.name == PLAN:
            self._on_plan(message.data)
        elif stream.name == TELEOP_ENGAGED:
            self._on_engaged(bool(message.data[4]))

    def _on_plan(self, data: bytes) -> None:
        prompt = running_prompt(data)
        if prompt and prompt != self._prompt:
            self._recorder.note(EventKind.SUBTASK, prompt)
        self._prompt = prompt

    def _on_engaged(self, engaged: bool) -> None:
        if engaged != self._engaged:
            self._recorder.note(EventKind.INTERVENTION, "on" if engaged else "off")
        self._engaged = engaged

    # -- an episode --------------------------------------------------------------------

    def refuse_goal(self, request: RecordEpisode.Goal) -> str:
        """Return why a goal cannot be taken now, or an empty string."""
        if not self.is_active:
            return "the recorder is not active"
        if request.on_cancel not in ("", Outcome.KEPT, Outcome.DISCARDED):
            return f"on_cancel: '{request.on_cancel}' came, allowed is kept or discarded"
        problem = session_problem(request.session)
        return f"session: {problem}" if problem else ""

    def start_goal(self, request: RecordEpisode.Goal) -> None:
        """Open an episode, or end at once with what is to blame."""
        self._look()
        self._on_cancel = Outcome(request.on_cancel or Outcome.KEPT)
        begun = self._recorder.begin(request_from(request))
        if isinstance(begun, Finished):
            self._answer(self._server.release(), begun)
            return
        self.get_logger().info(f"recording {begun}")
        if self._prompt:
            self._recorder.note(EventKind.SUBTASK, self._prompt)
        if self._engaged:
            self._recorder.note(EventKind.INTERVENTION, "on")

    def cancel_goal(self) -> None:
        """End the episode as the goal said."""
        self._end(self._on_cancel, "cancelled")

    def _on_finish(
        self, request: FinishEpisode.Request, response: FinishEpisode.Response
    ) -> FinishEpisode.Response:
        if request.outcome not in _ENDED_BY_CALL:
            response.message = unknown_name("outcome", request.outcome, _ENDED_BY_CALL)
        elif not self._recorder.is_recording:
            response.message = "no episode is being recorded"
        else:
            self._end(Outcome(request.outcome), request.reason)
            response.accepted = True
        return response

    def _end(self, outcome: Outcome, reason: str) -> Future[Finished] | None:
        """End the episode; its goal is answered when it is complete, the next may begin now."""
        closing: Future[Finished] | None = None
        if self._recorder is not None:
            closing = self._recorder.end(outcome, reason)
        if closing is not None:
            closing.add_done_callback(partial(self._on_closed, self._server.release()))
        return closing

    def _on_closed(self, conclude: Conclude, closing: Future[Finished]) -> None:
        """Answer an episode's goal; in the thread that has closed it."""
        error = closing.exception()
        if error is not None:
            self.fail(LamError(f"an episode could not be closed: {type(error).__name__}: {error}"))
            return
        self._answer(conclude, closing.result())

    def _answer(self, conclude: Conclude, finished: Finished) -> None:
        result = finished.result
        is_good = result.outcome is not Outcome.ABORTED
        if is_good:
            self.get_logger().info(f"episode {result.outcome}: {result.reason}")
        else:
            self.get_logger().warning(f"episode aborted: {result.reason}")
        for topic, faults in result.faults.items():
            self.get_logger().warning(f"{topic}: {faults}")
        conclude(End.SUCCEEDED if is_good else End.ABORTED, result_to(finished))

    # -- now and then ------------------------------------------------------------------

    def _tick(self) -> None:
        self._ticks += 1
        ending = self._recorder.tick()
        if ending is not None:
            self._end(ending.outcome, ending.reason)
        if self._ticks % LOOK_EVERY == 0:
            self._look()
        if self._ticks % SAY_EVERY == 0:
            self._say()

    def _say(self) -> None:
        recorder, now_ns = self._recorder, self._time.now_ns()
        states, disk = recorder.states(), recorder.disk()
        left_s = -1.0 if disk.seconds_left is None else disk.seconds_left
        values = {
            "recording": str(recorder.is_recording).lower(),
            "closing": str(recorder.is_closing).lower(),
            "elapsed_s": f"{recorder.elapsed_s():.1f}",
            "free_gb": f"{disk.free_bytes / 1e9:.2f}",
            "disk_left_s": f"{left_s:.0f}",
        }
        if self._ticks % AGES_EVERY == 0:
            values |= {
                f"write_age_{k}_ms": v for k, v in age_figures_ms(recorder.ages_ns()).items()
            }
        statuses = stream_statuses(states, recorder.blames())
        self._diagnostics.publish(diagnostics_to(statuses, self._robot.name, now_ns, values))
        if recorder.is_recording:
            self._server.feedback(feedback_to(states, recorder.elapsed_s(), left_s))

    def _announce(self, kind: EventKind, text: str, stamp_ns: int) -> bytes:
        message = event_to(kind, text, stamp_ns)
        self._events.publish(message)
        if kind is EventKind.FAULT:
            self.get_logger().warning(text)
        return bytes(serialize_message(message))


def main() -> None:
    """Run the node."""
    hold_memory()
    sys.exit(run_node(RecorderNode))


if __name__ == "__main__":
    main()
