"""From streams to an observation, or to the reason why there is none.

The newest frame of each camera and the newest joint state are held.  An observation
is made of them only if all are there, fresh, of the right size and of about the same
time, and no picture is black or shows the same as before the arm moved; otherwise the
stream to blame is named.
"""

from __future__ import annotations

from enum import StrEnum

from lam_ros.core.clock import NS_PER_MS, seconds_to_ns
from lam_ros.core.robot import RobotDescription
from lam_ros.core.sameness import PictureWatch
from lam_ros.core.types import (
    CameraFrame,
    ImageArray,
    JointState,
    NotReady,
    NotReadyReason,
    Observation,
)

JOINTS = "joints"
"""The joint stream's name in ages and reasons; a camera's stream has the camera's name."""


class Put(StrEnum):
    """What became of an item that was put in."""

    HELD = "held"
    RESTARTED = "restarted"
    OUT_OF_ORDER = "out_of_order"
    UNKNOWN = "unknown"


class Assembler:
    """Holds the newest of each stream.

    An item that is not newer than the held one is refused.  One that is older by more
    than `restart_after_s` means that the sender's clock was set back (a simulation
    that starts over): it is taken, and what the other streams hold from the time
    before is forgotten, so that the two times are never mixed.
    """

    def __init__(
        self,
        robot: RobotDescription,
        *,
        future_tolerance_s: float = 0.05,
        restart_after_s: float = 1.0,
        sees_pixels: bool = True,
    ) -> None:
        """Start with nothing held.

        Args:
            robot: whose streams are held.
            future_tolerance_s: by how much a stamp may lie ahead of the clock.
            restart_after_s: see above.
            sees_pixels: False where pictures stand for their size only, as in conversion,
                so that none can be called black or frozen.
        """
        self._sees_pixels = sees_pixels
        self._robot = robot
        self._shapes = {
            camera.name: (camera.height_px, camera.width_px, 3) for camera in robot.cameras
        }
        self._stale_ns = {camera.name: camera.stale_after_ns for camera in robot.cameras}
        self._stale_ns[JOINTS] = robot.joint_state.stale_after_ns
        self._tolerance_ns = seconds_to_ns(future_tolerance_s)
        self._restart_ns = seconds_to_ns(restart_after_s)
        self._frames: dict[str, CameraFrame] = {}
        self._joints: JointState | None = None
        self._stamps: dict[str, int] = {}
        self._watches = {name: PictureWatch(robot.gripper_index) for name in self._shapes}

    def put_frame(self, frame: CameraFrame) -> Put:
        """Hold a picture if it is newer than the one held."""
        if frame.camera not in self._shapes:
            return Put.UNKNOWN
        answer = self._arrive(frame.camera, frame.stamp_ns)
        if answer is not Put.OUT_OF_ORDER:
            self._frames[frame.camera] = frame
            position = None if self._joints is None else self._joints.position_rad
            if self._sees_pixels:
                self._watches[frame.camera].see(frame.image, position)
        return answer

    def put_joints(self, state: JointState) -> Put:
        """Hold a joint state if it is newer than the one held."""
        answer = self._arrive(JOINTS, state.stamp_ns)
        if answer is not Put.OUT_OF_ORDER:
            self._joints = state
        return answer

    def clear(self) -> None:
        """Forget everything."""
        self._frames.clear()
        self._joints = None
        self._stamps.clear()
        for watch in self._watches.values():
            watch.forget()

    def assemble(self, now_ns: int) -> Observation | NotReady:
        """Return what a policy sees now, or why it sees nothing."""
        trouble = self._missing() or self._wrong_size()
        if trouble or self._joints is None:
            return trouble or NotReady(JOINTS, NotReadyReason.MISSING, "none has come")
        ages = {stream: now_ns - stamp for stream, stamp in self._stamps.items()}
        trouble = self._wrong_time(ages)
        trouble = trouble or self._wrong_content()
        if trouble:
            return trouble
        images: dict[str, ImageArray] = {name: self._frames[name].image for name in self._shapes}
        stamp_ns = min((self._stamps[name] for name in self._shapes), default=self._joints.stamp_ns)
        return Observation(stamp_ns, self._joints.position_rad, images, ages)

    def _arrive(self, stream: str, stamp_ns: int) -> Put:
        held_ns = self._stamps.get(stream)
        answer = Put.HELD
        if held_ns is not None and stamp_ns <= held_ns:
            if held_ns - stamp_ns <= self._restart_ns:
                return Put.OUT_OF_ORDER
            answer = Put.RESTARTED
            self._forget_after(stamp_ns + self._restart_ns)
        self._stamps[stream] = stamp_ns
        return answer

    def _forget_after(self, time_ns: int) -> None:
        for stream in [name for name, stamp in self._stamps.items() if stamp > time_ns]:
            del self._stamps[stream]
            self._frames.pop(stream, None)
            if stream == JOINTS:
                self._joints = None
        for watch in self._watches.values():
            watch.forget()

    def _missing(self) -> NotReady | None:
        for stream in (*self._shapes, JOINTS):
            if stream not in self._stamps:
                return NotReady(stream, NotReadyReason.MISSING, f"{stream}: none has come")
        return None

    def _wrong_size(self) -> NotReady | None:
        for name, shape in self._shapes.items():
            came = self._frames[name].image.shape
            if came != shape:
                return NotReady(
                    name, NotReadyReason.WRONG_SIZE, f"camera '{name}': {came} came, not {shape}"
                )
        came = self._joints.position_rad.shape if self._joints is not None else ()
        if came != (len(self._robot.joints),):
            return NotReady(
                JOINTS,
                NotReadyReason.WRONG_SIZE,
                f"joints: {came} came, not ({len(self._robot.joints)},)",
            )
        return None

    def _wrong_content(self) -> NotReady | None:
        for name, watch in self._watches.items():
            if watch.is_black:
                return NotReady(
                    name, NotReadyReason.BLACK, f"camera '{name}': its picture is black"
                )
            if watch.is_frozen:
                detail = (
                    f"camera '{name}': the last {watch.same} pictures are the same, though the "
                    f"arm has moved {watch.moved_rad:.2f} rad"
                )
                return NotReady(name, NotReadyReason.FROZEN, detail)
        return None

    def _wrong_time(self, ages: dict[str, int]) -> NotReady | None:
        for stream, age_ns in ages.items():
            if age_ns > self._stale_ns[stream]:
                limit_ms = self._stale_ns[stream] / NS_PER_MS
                detail = f"{stream}: {age_ns / NS_PER_MS:.0f} ms old, allowed is {limit_ms:.0f} ms"
                return NotReady(stream, NotReadyReason.STALE, detail)
            if -age_ns > self._tolerance_ns:
                detail = f"{stream}: stamped {-age_ns / NS_PER_MS:.0f} ms ahead of the clock"
                return NotReady(stream, NotReadyReason.FUTURE, detail)
        oldest = max(ages, key=lambda stream: ages[stream])
        skew_ns = ages[oldest] - min(ages.values())
        if skew_ns > self._robot.max_skew_ns:
            limit_ms = self._robot.max_skew_ns / NS_PER_MS
            detail = f"{oldest}: {skew_ns / NS_PER_MS:.0f} ms behind the newest stream, "
            return NotReady(oldest, NotReadyReason.SKEWED, f"{detail}allowed is {limit_ms:.0f} ms")
        return None
