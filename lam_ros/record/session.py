"""One session: start the graph, go through the course of the loop, and end it all."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import rclpy

from lam_interfaces.action import RecordEpisode
from lam_ros.bridge.runtime import ended_by_signal, ros
from lam_ros.core.errors import LamError
from lam_ros.nodes.teleop import TeleopNode
from lam_ros.record.client import RecordClient
from lam_ros.record.loop import Act, Phase, Seen, SessionLoop, Step, Wish
from lam_ros.record.operator import (
    CONTROLS,
    Listening,
    Operator,
    Person,
    Planned,
    Script,
    SessionKeys,
    teleop_node,
    wishes_of,
)
from lam_ros.record.reset import SceneReset
from lam_ros.record.settings import RecordSettings
from lam_ros.record.view import DRAW_EVERY_S, Picture, RecordView
from lam_ros.recording.format import Outcome
from lam_ros.supervisor import Supervisor
from lam_ros.teleop.port import Reading
from lam_ros.teleop.settings import SwitchKind, make_teleoperator
from lam_ros.teleop.terminal import Terminal

STEP_S = 0.04
SPIN_S = 0.02
END_S = 5.0
"""Longest time for the recorder to close an episode when the session ends."""

_KEYBOARD = "keyboard"
_AT_WORK = (Phase.RECORDING, Phase.CLOSING)


class Interrupted(Exception):
    """A signal asks for the end."""


class RecordSession:
    """Runs the episodes of one session; made for one use.

    Attributes:
        loop: the course, with the episodes that came of it.
    """

    def __init__(
        self,
        settings: RecordSettings,
        files: dict[str, str],
        host: Supervisor,
        attended: bool,
        driver: str = "",
    ) -> None:
        """Prepare.

        Args:
            settings: what is to be recorded.
            files: group -> path of its YAML.
            host: runs the nodes that have processes of their own.
            attended: whether a person is at the keys.
            driver: name of the policy that drives; empty if none does.
        """
        self._driver = driver
        self._settings, self._files, self._host = settings, files, host
        self._attended = attended
        self._view = RecordView(settings.task, CONTROLS, sound=settings.sound)
        self._teleop: TeleopNode | None = None
        self._reset: SceneReset | None = None
        self._told: tuple[Phase, int] | None = None
        self.loop = SessionLoop(settings.loop(attended=attended), settings.seed, time.time_ns())
        self.interrupted = self._is_cut_off = False

    @property
    def folder(self) -> Path:
        """Where the episodes are."""
        return Path(self._settings.root).resolve() / self._settings.session

    def run(self) -> None:
        """Go through the session.

        Raises:
            LamError: if the graph cannot be started, or a node dies.
        """
        try:
            with ended_by_signal() as self._signals, ros() as self._executor:
                self._node = rclpy.create_node("lam_record")
                self._executor.add_node(self._node)
                try:
                    self._run()
                finally:
                    self._executor.shutdown()
                    rclpy.try_shutdown()
                    self._node.destroy_node()
        finally:
            gc.collect()  # a node in a reference cycle keeps the middleware's threads

    def _run(self) -> None:
        self._client = RecordClient(self._node, self._settings.robot)
        with ExitStack() as stack:
            stack.enter_context(self._view)
            stack.enter_context(self._host)
            self._keys = SessionKeys(stack.enter_context(self._terminal()))
            self._device = stack.enter_context(self._teleoperation())
            self._view.device_controls = () if self._device is None else self._device.controls
            self._operator = self._make_operator()
            try:
                self._follow()
            except Interrupted:
                self.interrupted = True
                self._abandon("interrupted")
            except LamError as error:
                self._abandon(str(error))
                raise self._with_remedy(error) from None

    @contextmanager
    def _terminal(self) -> Iterator[Terminal | None]:
        """Have the terminal's keys, unless the teleoperator takes them."""
        teleop = self._settings.teleop
        is_taken = teleop.type == _KEYBOARD or teleop.switch is SwitchKind.KEYBOARD
        if is_taken or not self._attended:
            yield None
            return
        terminal = Terminal()
        terminal.open()
        try:
            yield terminal
        finally:
            terminal.close()

    @contextmanager
    def _teleoperation(self) -> Iterator[Listening | None]:
        """Run the teleoperation node in this process, where its keys and its word are at hand.

        Where the script drives it is the teleoperator, and there can be no other.
        """
        if self._settings.is_driven_by_script:
            yield None
            return
        self._teleop, made = teleop_node(self._files, make_teleoperator)
        self._executor.add_node(self._teleop)
        try:
            self._teleop.bring_up()
            yield made[0]
        finally:
            self._teleop.stop()
            self._executor.remove_node(self._teleop)
            self._teleop.cleanup()
            self._teleop.destroy_node()

    def _make_operator(self) -> Operator:
        if self._driver:
            return Planned(self._node, self._client, self._settings.episode_s)
        if not self._settings.is_scripted:
            return Person()
        return Script(self._node, self._client, self._reading, self._settings.episode_s)

    def _reading(self) -> Reading:
        return Reading() if self._teleop is None else self._teleop.flight.reading

    # -- going on ----------------------------------------------------------------------

    def _follow(self) -> None:
        """Step the loop until it is over."""
        next_draw = 0.0
        while self.loop.phase is not Phase.OVER:
            self._spin(STEP_S)
            self._host.check()
            if self._teleop is not None and self._teleop.failure is not None:
                raise self._teleop.failure
            now_ns = self._client.now_ns()
            before = self.loop.phase
            step = self.loop.step(self._seen(now_ns))
            if before in _AT_WORK and self.loop.phase not in _AT_WORK:
                self._episode_over()
            if step is not None:
                self._do(step, now_ns)
            self._cue(now_ns)
            if time.monotonic() >= next_draw:
                self._draw(now_ns)
                next_draw = time.monotonic() + DRAW_EVERY_S
        self._draw(self._client.now_ns())

    def _episode_over(self) -> None:
        self._operator.end()
        ended = self._client.ended
        if ended is None or not ended.has_begun:
            self._view.line(f"not begun: {self.loop.refusal}", "yellow")
            return
        self._view.ended(len(self.loop.episodes), ended)
        self._view.beep(1 if ended.is_kept else 2)

    def _seen(self, now_ns: int) -> Seen:
        self._client.tick()
        if self._reset is not None and self._reset.tick(now_ns):
            self._reset = None
            self._take_arm(False)
        recording = self.loop.phase is Phase.RECORDING
        return Seen(
            now_ns,
            blames=self._client.blames(),
            wishes=self._wishes(now_ns),
            verdict=self._operator.verdict(now_ns) if recording else None,
            ended=self._client.ended,
            is_reset=self._reset is None,
        )

    def _wishes(self, now_ns: int) -> tuple[Wish, ...]:
        device = [] if self._device is None else self._device.take_pressed()
        return wishes_of([*device, *self._keys.take_pressed(now_ns)])

    def _take_arm(self, taken: bool) -> None:
        """Take the arm from the person, or give it back."""
        if self._device is not None:
            self._device.is_off = taken

    def _do(self, step: Step, now_ns: int) -> None:
        settings = self._settings
        if step.act is Act.BEGIN:
            self._client.begin(
                RecordEpisode.Goal(
                    instruction=settings.task,
                    session=settings.session,
                    operator_name=settings.operator,
                    policy_id=self._driver,
                    fingerprint=settings.robot.fingerprint(),
                    on_cancel=str(Outcome.DISCARDED),
                    max_duration_s=0.0 if self._limits_itself else settings.episode_s,
                )
            )
            self._operator.begin(settings.task)
        elif step.act is Act.CLOSE:
            self._client.close(step.outcome, step.reason)
        elif settings.sim:
            self._take_arm(True)
            self._reset = SceneReset(self._client, settings.robot, step.seed)

    @property
    def _limits_itself(self) -> bool:
        """True if whoever operates the arm ends an episode that takes too long."""
        return self._settings.is_scripted or bool(self._driver)

    def _abandon(self, reason: str) -> None:
        """Close what is being recorded, as discarded."""
        if self.loop.phase not in _AT_WORK:
            return
        self._client.close(Outcome.DISCARDED, reason)
        end = time.monotonic() + END_S
        while self._client.ended is None and time.monotonic() < end:
            self._executor.spin_once(timeout_sec=SPIN_S)
            self._client.tick()
        if self._client.ended is not None:
            self.loop.episodes.append(self._client.ended)
        self._is_cut_off = self._client.ended is None

    def _with_remedy(self, error: LamError) -> LamError:
        """Return the error, with what to do about an episode that nobody could close."""
        if not self._is_cut_off:
            return error
        told = LamError(
            f"{error}; an episode was cut off, what came of it is on the disk: "
            f"lam episodes recover {self.folder}"
        )
        told.exit_code = error.exit_code
        return told

    def _spin(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._executor.spin_once(timeout_sec=min(left, SPIN_S))
            if self._signals:
                raise Interrupted

    # -- showing -----------------------------------------------------------------------

    def _cue(self, now_ns: int) -> None:
        """Beep with the count-down, and when an episode begins."""
        loop = self.loop
        told = (loop.phase, loop.countdown(now_ns) if loop.phase is Phase.COUNTDOWN else 0)
        if told != self._told and loop.phase in (Phase.COUNTDOWN, Phase.RECORDING):
            self._view.beep(2 if loop.phase is Phase.RECORDING else 1)
        self._told = told

    def _draw(self, now_ns: int) -> None:
        values, loop = self._client.values, self.loop
        self._view.show(
            Picture(
                phase=loop.phase,
                phase_text=self._phase_text(now_ns),
                statuses=self._client.statuses,
                kept=loop.kept,
                wanted=loop.config.episodes,
                discarded=loop.discarded,
                disk_left_s=float(values.get("disk_left_s", -1)),
                free_gb=float(values.get("free_gb", 0)),
                status=self._reading().status,
            )
        )

    def _phase_text(self, now_ns: int) -> str:
        loop = self.loop
        number = f"episode {len(loop.episodes) + 1}"
        if loop.phase is Phase.COUNTDOWN:
            return f"{number} begins in {loop.countdown(now_ns)} s"
        if loop.phase is Phase.RECORDING:
            if not self._view.is_terminal:
                return f"{number} is being recorded"
            return f"● {number} is being recorded: {loop.seconds_in_phase(now_ns):.1f} s"
        if loop.phase is Phase.RESET:
            return "put things in order; enter goes on" if self._reset is None else "a new scene"
        if loop.phase is Phase.GATE:
            return "waits until every stream is right"
        if loop.phase is Phase.OVER:
            return "the session is over"
        return f"{number} is being closed"
