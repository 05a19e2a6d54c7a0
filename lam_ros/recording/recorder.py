"""The recorder: what it hears becomes episodes; the node around it only translates.

Streams are watched all the time.  `begin` opens an episode if the gate lets it, `tick`
says when one must end by itself, `end` has it closed.  The next may begin meanwhile: the
disk's flushes, and pictures that are still being encoded, keep nobody waiting.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from lam_ros.core.clock import ns_to_seconds
from lam_ros.core.errors import LamError
from lam_ros.core.robot import RobotDescription
from lam_ros.recording import cdr
from lam_ros.recording.capture import Capture, Payload
from lam_ros.recording.definitions import define
from lam_ros.recording.format import (
    EPISODE_EVENT,
    EPISODE_EVENT_TYPE,
    VIDEO,
    VIDEO_SUFFIX,
    EpisodeMeta,
    EpisodeResult,
    EventKind,
    Outcome,
)
from lam_ros.recording.gate import Blame
from lam_ros.recording.monitor import Fault, FaultKind, StreamState
from lam_ros.recording.pictures import JpegPool, PicturePool
from lam_ros.recording.session import DiskGuard, DiskState, list_episodes, next_episode_folder
from lam_ros.recording.settings import Ending, EpisodeRequest, Finished, RecorderConfig
from lam_ros.recording.streams import (
    COMPRESSED,
    COMPRESSED_SUFFIX,
    Delivery,
    Stream,
    StreamKind,
)
from lam_ros.recording.versions import software_versions
from lam_ros.recording.video import VideoPool
from lam_ros.recording.watch import Watch
from lam_ros.recording.writer import EpisodeWriter

type Announce = Callable[[EventKind, str, int], bytes]
"""Tells the graph of an event at a time [ns], and returns its serialised message."""


@dataclass
class _Episode:
    request: EpisodeRequest
    folder: Path
    capture: Capture
    guard: DiskGuard
    began_ns: int
    ending: Ending | None = None


class Recorder:
    """Takes messages of all streams, and writes them while an episode runs.

    All methods are for one thread.
    """

    def __init__(
        self,
        robot: RobotDescription,
        streams: tuple[Stream, ...],
        config: RecorderConfig,
        *,
        resolve: Callable[[str], str],
        announce: Announce,
        now_ns: Callable[[], int],
    ) -> None:
        """Watch `streams` of `robot`; `resolve` makes a topic absolute.

        Raises:
            DataError: if a type of theirs is not installed.
        """
        self.robot = robot
        self.config = config
        self._resolve, self._announce, self._now_ns = resolve, announce, now_ns
        self._watch = Watch(robot, streams, now_ns)
        self._topics = {stream.name: self._topic_of(stream) for stream in streams}
        self._pool = _pool_for(robot, config)
        self._episode: _Episode | None = None
        self._closer = ThreadPoolExecutor(1, thread_name_prefix="episode closer")
        self._closings: list[Future[Finished]] = []
        self._fingerprints: dict[Path, str] = {}
        software_versions()  # slow the first time; an episode must not wait for it
        for stream in streams:
            define(stream.type_name)

    @property
    def is_recording(self) -> bool:
        """True while an episode is open."""
        return self._episode is not None

    @property
    def is_closing(self) -> bool:
        """True while an episode that has ended is not complete on the disk yet."""
        return any(not closing.done() for closing in self._closings)

    @property
    def streams(self) -> tuple[Stream, ...]:
        """All streams as they are listened to now."""
        return self._watch.streams

    def replace_stream(self, stream: Stream) -> None:
        """Listen to a stream in another way: its history is forgotten."""
        self._watch.replace_stream(stream)
        self._topics[stream.name] = self._topic_of(stream)

    def set_foreign_types(self, types: Mapping[str, str]) -> None:
        """Take note of the streams on whose topic only another type is published."""
        self._handle(self._watch.set_foreign_types(types))

    def close(self) -> None:
        """End what runs as aborted, and the threads; returns when all is on the disk."""
        self.end(Outcome.ABORTED, "the recorder was stopped")
        self._closer.shutdown(wait=True)
        self._pool.close()

    # -- messages ----------------------------------------------------------------------

    def on_message(
        self, name: str, data: bytes, received_ns: int, sequence: int | None = None
    ) -> None:
        """Take a serialised message of a stream."""
        noted = self._watch.note(name, data, received_ns, sequence)
        self._handle(noted.faults)
        episode = self._episode
        if episode is None or episode.ending is not None or not noted.is_readable:
            return
        if received_ns < episode.began_ns:  # it waited while the episode was opened
            return
        payload: Payload = data
        if noted.image is not None and self.config.images != "raw":
            payload = self._pool.encode(name, noted.image)
        fits = episode.capture.put(
            self._topics[name],
            received_ns,
            noted.stamp_ns,
            payload,
            size=len(data),
            dropped=noted.missing,
        )
        if not fits:
            self._pool.restart(name)
            self._report(name, FaultKind.DROPPED, "the disk does not keep up: messages are dropped")

    # -- an episode --------------------------------------------------------------------

    def blames(self, request: EpisodeRequest | None = None) -> tuple[Blame, ...]:
        """Return what keeps an episode from beginning now."""
        request = request or EpisodeRequest("")
        session = self._session(request)
        return self._watch.blames(
            self.config.gate,
            self._guard(session).check(0, 0.0).free_bytes,
            request.fingerprint,
            self._recorded_fingerprint(session) if request.session else "",
        )

    def _recorded_fingerprint(self, session: Path) -> str:
        """Return that of the session's last readable episode, empty without one."""
        if session not in self._fingerprints and session.is_dir():
            found = [entry.meta for entry in list_episodes(session) if entry.meta is not None]
            if found:
                self._fingerprints[session] = found[-1].fingerprint
        return self._fingerprints.get(session, "")

    def begin(self, request: EpisodeRequest) -> Path | Finished:
        """Open an episode and return its folder, or how it ended before it began.

        What comes while it is being opened belongs to it.
        """
        now_ns = self._now_ns()
        blames = self.blames(request)
        if blames:
            return _not_begun("; ".join(str(blame) for blame in blames))
        session = self._session(request)
        try:
            folder = next_episode_folder(session)
            writer = self._open(folder, request, now_ns)
        except LamError as error:
            return _not_begun(str(error))
        aged = tuple(self._topics[s.name] for s in self.streams if s.size_px)
        capture = Capture(writer, self._now_ns, aged)
        self._episode = _Episode(request, folder, capture, self._guard(session), now_ns)
        self._fingerprints[session] = self.robot.fingerprint()
        self._pool.begin()
        self._watch.begin(now_ns)
        self._say(EventKind.START, request.instruction, now_ns)
        for name, data in self._watch.latched.items():
            stamp_ns = cdr.stamp_ns(data) or now_ns
            capture.put(self._topics[name], now_ns, stamp_ns, data, size=len(data))
        return folder

    def _open(self, folder: Path, request: EpisodeRequest, now_ns: int) -> EpisodeWriter:
        meta = EpisodeMeta.begin(
            request.instruction,
            self.robot,
            started_ns=now_ns,
            policy_id=request.policy_id,
            operator=request.operator,
            versions=software_versions(),
        )
        writer = EpisodeWriter(folder, meta)
        writer.add_channel(self._resolve(EPISODE_EVENT), EPISODE_EVENT_TYPE)
        for stream in self.streams:
            is_picture = stream.kind is StreamKind.PICTURES and self.config.images != "raw"
            kind = self._form[0] if is_picture else stream.type_name
            latched = stream.delivery is Delivery.LATCHED
            writer.add_channel(self._topics[stream.name], kind, latched=latched)
        return writer

    def note(self, kind: EventKind, text: str) -> None:
        """Record something that happened; nothing happens without an episode."""
        if self._episode is not None:
            self._say(kind, text)

    def tick(self) -> Ending | None:
        """Look at the running episode; return how it must end, if it must."""
        episode = self._episode
        if episode is None:
            return None
        now_ns = self._now_ns()
        self._handle(self._watch.silence())
        for topic, text in episode.capture.troubles():
            name = next(name for name, known in self._topics.items() if known == topic)
            self._report(name, FaultKind.UNREADABLE, text)
        return episode.ending or self._ending(episode, now_ns)

    def _ending(self, episode: _Episode, now_ns: int) -> Ending | None:
        limit_ns = episode.request.max_duration_ns
        if episode.capture.failure:
            return Ending(Outcome.ABORTED, episode.capture.failure)
        if self.disk().is_low:
            return Ending(Outcome.KEPT, "the disk is nearly full: make room, then go on")
        if limit_ns and now_ns - episode.began_ns >= limit_ns:
            return Ending(Outcome.KEPT, f"{ns_to_seconds(limit_ns):g} s have passed")
        return None

    def finish(self, outcome: Outcome, reason: str) -> Finished | None:
        """Close the running episode and return when it is complete; None if there is none."""
        closing = self.end(outcome, reason)
        return None if closing is None else closing.result()

    def end(self, outcome: Outcome, reason: str) -> Future[Finished] | None:
        """End the running episode, which another thread completes; None if there is none.

        An episode that lacks a stream which it needs, or whose stream became useless, ends
        as aborted, unless it is thrown away anyhow.
        """
        episode = self._episode
        if episode is None:
            return None
        empty = [s.stream.name for s in self.states() if s.stream.is_required and s.count == 0]
        if empty and outcome is not Outcome.DISCARDED:
            outcome, reason = Outcome.ABORTED, f"empty: nothing came of {', '.join(empty)}"
        if episode.ending is not None and outcome is not Outcome.DISCARDED:
            outcome, reason = episode.ending.outcome, episode.ending.reason
        self._say(EventKind.OUTCOME, f"{outcome}: {reason}")
        self._episode = None
        closing = self._closer.submit(self._complete, episode, outcome, reason)
        self._closings = [other for other in self._closings if not other.done()] + [closing]
        return closing

    def _complete(self, episode: _Episode, outcome: Outcome, reason: str) -> Finished:
        result = episode.capture.close(outcome, reason)
        if result.outcome is Outcome.DISCARDED and self.config.delete_discarded:
            shutil.rmtree(episode.folder, ignore_errors=True)
            return Finished(None, result)
        return Finished(episode.folder, result)

    # -- how it stands -----------------------------------------------------------------

    def states(self) -> list[StreamState]:
        """Return how each stream stands."""
        return self._watch.states()

    def elapsed_s(self) -> float:
        """Return how long the episode has been running."""
        episode = self._episode
        return ns_to_seconds(self._now_ns() - episode.began_ns) if episode else 0.0

    def disk(self) -> DiskState:
        """Return how much room there is."""
        episode = self._episode
        if episode is None:
            return self._guard(Path(self.config.root)).check(0, 0.0)
        return episode.guard.check(episode.capture.bytes_written, self.elapsed_s())

    def ages_ns(self) -> dict[str, list[int]]:
        """Return the ages of the episode's newest pictures at their writing, by topic."""
        episode = self._episode
        if episode is None:
            return {}
        return {topic: list(ages) for topic, ages in episode.capture.ages_ns.items()}

    # -- inside ------------------------------------------------------------------------

    def _report(self, name: str, kind: FaultKind, text: str) -> None:
        self._handle(self._watch.report(name, kind, text))

    def _handle(self, faults: list[Fault]) -> None:
        """Tell of faults; one that spoils the episode ends it before anything more is written."""
        episode = self._episode
        for fault in faults:
            if episode is None:
                continue
            if fault.kind.is_fatal and episode.ending is None:
                episode.ending = Ending(Outcome.ABORTED, str(fault))
            self._say(EventKind.FAULT, str(fault))

    def _say(self, kind: EventKind, text: str, now_ns: int | None = None) -> None:
        now_ns = self._now_ns() if now_ns is None else now_ns
        data = self._announce(kind, text, now_ns)
        if self._episode is not None:
            topic = self._resolve(EPISODE_EVENT)
            self._episode.capture.put(topic, now_ns, now_ns, data, size=len(data))

    def _topic_of(self, stream: Stream) -> str:
        """Return the absolute topic under which a stream is recorded."""
        topic = self._resolve(stream.topic)
        is_encoded = stream.kind is StreamKind.PICTURES and self.config.images != "raw"
        return topic + self._form[1] if is_encoded else topic

    @property
    def _form(self) -> tuple[str, str]:
        """Type and suffix of the topics of pictures that are encoded here."""
        if self.config.images == "video":
            return VIDEO, VIDEO_SUFFIX
        return COMPRESSED, COMPRESSED_SUFFIX

    def _session(self, request: EpisodeRequest) -> Path:
        name = request.session or time.strftime("%Y%m%d-%H%M%S")
        return Path(self.config.root) / name

    def _guard(self, folder: Path) -> DiskGuard:
        return DiskGuard(folder, reserve_bytes=self.config.reserve_bytes)


def _pool_for(robot: RobotDescription, config: RecorderConfig) -> PicturePool:
    if config.images == "video":
        return VideoPool(robot)
    return JpegPool(config.jpeg_quality, config.jpeg_threads)


def _not_begun(reason: str) -> Finished:
    return Finished(None, EpisodeResult(Outcome.ABORTED, reason, 0, {}))
