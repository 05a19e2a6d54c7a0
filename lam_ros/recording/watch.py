"""All streams at once: what came, what is wrong with it, and whether an episode may begin."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lam_ros.core.robot import RobotDescription
from lam_ros.recording import cdr
from lam_ros.recording.gate import Blame, GateConfig, Scenery, check_gate
from lam_ros.recording.monitor import Arrival, Fault, FaultKind, StreamMonitor, StreamState
from lam_ros.recording.streams import Delivery, Stream, StreamKind


@dataclass(frozen=True, eq=False)
class Noted:
    """A message that was looked at.

    Attributes:
        image: it, if it is a raw picture.
        stamp_ns: of its header; the time of its receipt if its type has none.
        missing: messages that are missing before it.
        faults: what is worth telling.
        is_readable: False if it is cut off.
    """

    stream: Stream
    image: cdr.RawImage | None
    stamp_ns: int
    missing: int
    faults: list[Fault]
    is_readable: bool


class Watch:
    """Looks at every message of every stream; during an episode and otherwise."""

    def __init__(
        self, robot: RobotDescription, streams: tuple[Stream, ...], now_ns: Callable[[], int]
    ) -> None:
        """Begin with nothing heard."""
        self._robot, self._now_ns = robot, now_ns
        self._monitors = {stream.name: StreamMonitor(stream) for stream in streams}
        self._joint_names: tuple[str, ...] | None = None
        self._foreign: dict[str, str] = {}
        self.latched: dict[str, bytes] = {}
        """The last message of each latched stream."""

    @property
    def streams(self) -> tuple[Stream, ...]:
        """All streams as they are listened to now."""
        return tuple(monitor.stream for monitor in self._monitors.values())

    def replace_stream(self, stream: Stream) -> None:
        """Listen to a stream in another way: its history is forgotten."""
        self._monitors[stream.name] = StreamMonitor(stream)

    def begin(self, now_ns: int) -> None:
        """Start the counts of an episode."""
        for monitor in self._monitors.values():
            monitor.begin(now_ns)

    def note(self, name: str, data: bytes, received_ns: int, sequence: int | None) -> Noted:
        """Look at a serialised message of a stream."""
        monitor = self._monitors[name]
        stream = monitor.stream
        image = cdr.read_image(data) if stream.kind is StreamKind.PICTURES else None
        stamp_ns = cdr.stamp_ns(data) if stream.has_stamp else None
        if stream.kind is StreamKind.JOINTS:
            self._joint_names = self._joint_names or cdr.joint_names(data)
        if stream.delivery is Delivery.LATCHED:
            self.latched[name] = data
        size_px = image.size_px if image else _compressed_size_px(stream, data)
        missing, faults = monitor.note(Arrival(received_ns, stamp_ns, sequence, size_px))
        is_readable = stamp_ns is not None or not stream.has_stamp
        if not is_readable:
            faults += monitor.report(FaultKind.UNREADABLE, "a message is cut off", received_ns)
        stamp_ns = received_ns if stamp_ns is None else stamp_ns
        return Noted(stream, image, stamp_ns, missing, faults, is_readable)

    def report(self, name: str, kind: FaultKind, text: str) -> list[Fault]:
        """Count a fault that was seen elsewhere; returns it if it is worth telling."""
        return self._monitors[name].report(kind, text, self._now_ns())

    def set_foreign_types(self, types: Mapping[str, str]) -> list[Fault]:
        """Take note of the streams on whose topic only another type is published."""
        news = {name: kind for name, kind in types.items() if self._foreign.get(name) != kind}
        self._foreign = dict(types)
        told = []
        for name, kind in news.items():
            stream = self._monitors[name].stream
            text = f"{stream.topic} carries {kind}, needed is {stream.type_name}"
            told += self.report(name, FaultKind.TYPE, text)
        return told

    def silence(self) -> list[Fault]:
        """Return what is to be said of silent streams during an episode."""
        now_ns = self._now_ns()
        return [fault for monitor in self._monitors.values() for fault in monitor.silence(now_ns)]

    def states(self) -> list[StreamState]:
        """Return how each stream stands."""
        now_ns = self._now_ns()
        return [monitor.state(now_ns) for monitor in self._monitors.values()]

    def blames(
        self, config: GateConfig, free_bytes: int, fingerprint: str = "", recorded: str = ""
    ) -> tuple[Blame, ...]:
        """Return what keeps an episode from beginning; the last three as in `Scenery`."""
        scenery = Scenery(
            states=self.states(),
            joint_names=self._joint_names,
            free_bytes=free_bytes,
            foreign_types=self._foreign,
            fingerprint=fingerprint,
            recorded=recorded,
        )
        return check_gate(self._robot, scenery, config)


def _compressed_size_px(stream: Stream, data: bytes) -> tuple[int, int] | None:
    if stream.kind is not StreamKind.COMPRESSED_PICTURES:
        return None
    picture = cdr.read_compressed(data)
    return None if picture is None else cdr.jpeg_size_px(picture)
