"""Keeping a camera: reads it in a thread, watches its pictures, and finds it again when lost."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np

from lam_ros.camera.lerobot import LeRobotDevice
from lam_ros.camera.opencv import OpenCVDevice
from lam_ros.camera.port import CameraDevice, Loss, Shot
from lam_ros.camera.settings import DeviceConfig, Fit, Kind
from lam_ros.core.clock import NS_PER_S, seconds_to_ns
from lam_ros.core.errors import LamError, MachineError
from lam_ros.core.pacing import Every
from lam_ros.core.pictures import PictureWatch
from lam_ros.core.robot import Camera
from lam_ros.core.types import ImageArray

RETRY_S = 1.0
LEAST_RATE_SHARE = 0.9
"""Of the described rate; a device that delivers less is refused, or flagged when it drops."""

MOST_RATE_SHARE = 1.3
"""Of the described rate; what is beyond is left out."""

_JOIN_S = 6.0
_TURNS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}


@dataclass(frozen=True)
class Condition:
    """How a camera is.

    Attributes:
        trouble: what is wrong, or nothing.
        is_lost: whether the device is away.
        pictures: published so far.
        losses: how often the device was lost.
        rate_hz: of the pictures of the last second.
    """

    trouble: str = ""
    is_lost: bool = False
    pictures: int = 0
    losses: int = 0
    rate_hz: float = 0.0


def make_device(config: DeviceConfig, camera: Camera) -> CameraDevice:
    """Return the device of a camera, not yet open."""
    return (OpenCVDevice if config.type is Kind.OPENCV else LeRobotDevice)(config, camera)


def fitted(image: ImageArray, camera: Camera, config: DeviceConfig) -> ImageArray | Loss:
    """Return a picture turned upright and in the camera's size, or why it cannot be."""
    if config.turned_deg:
        image = cv2.rotate(image, _TURNS[config.turned_deg])
    height, width = image.shape[:2]
    if (width, height) == (camera.width_px, camera.height_px):
        return image
    if config.fit is Fit.REFUSE:
        return Loss(
            f"its pictures are {width}x{height}, the robot's description says "
            f"{camera.width_px}x{camera.height_px}: give the device that size, or fit: crop"
        )
    scale = min(width / camera.width_px, height / camera.height_px)
    cut_w, cut_h = round(camera.width_px * scale), round(camera.height_px * scale)
    x, y = (width - cut_w) // 2, (height - cut_h) // 2
    part = np.ascontiguousarray(image[y : y + cut_h, x : x + cut_w])
    how = cv2.INTER_AREA if scale > 1 else cv2.INTER_LINEAR
    return cv2.resize(part, (camera.width_px, camera.height_px), interpolation=how)


@dataclass(frozen=True, eq=False)
class Detail:
    """Larger, rarer pictures of a camera beside the others.

    Attributes:
        camera: the camera with their size and rate.
        publish: is given each, rgb8, and its stamp [ns], in the capture's thread.
    """

    camera: Camera
    publish: Callable[[ImageArray, int], None]


class Capture:
    """One camera's thread; `open`, then `start`, `stop`, `close`."""

    def __init__(
        self,
        camera: Camera,
        config: DeviceConfig,
        publish: Callable[[ImageArray, int], None],
        say: Callable[[str], None],
        now_ns: Callable[[], int],
        detail: Detail | None = None,
    ) -> None:
        """Prepare.

        Args:
            camera: as the robot's description has it.
            config: its device.
            publish: is given each picture, rgb8, and its stamp [ns], in the capture's thread.
            say: is given one line when something changes.
            now_ns: the clock of the stamps.
            detail: who is given larger ones, too; cut out of the same part of what comes.
        """
        self._camera, self._config = camera, config
        self._publish, self._say, self._now_ns = publish, say, now_ns
        self._detail = detail
        self._detail_every = Every(detail.camera.period_ns) if detail is not None else None
        self._device = make_device(config, camera)
        self._watch = PictureWatch(
            seconds_to_ns(config.black_after_s), seconds_to_ns(config.frozen_after_s)
        )
        self._every: Every | None = None
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._condition = Condition()
        self._counted, self._counted_ns = 0, 0

    def open(self) -> None:
        """Connect, and see that what comes is what the robot's description says.

        Raises:
            LamError: why it does not.
        """
        try:
            self._open()
        except LamError as error:
            self._device.close()
            raise type(error)(f"camera '{self._camera.name}': {error}") from None

    def start(self) -> None:
        """Publish pictures."""
        self._stopping.clear()
        self._counted_ns = self._now_ns()
        self._thread = threading.Thread(target=self._run, name="capture", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Publish no more."""
        self._stopping.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(_JOIN_S)

    def close(self) -> None:
        """Stop, and let go of the device."""
        self.stop()
        self._device.close()

    def condition(self) -> Condition:
        """Return how the camera is, with the rate since the last call."""
        now_ns = self._now_ns()
        with self._lock:
            found = self._condition
        seconds = (now_ns - self._counted_ns) / NS_PER_S
        rate = (found.pictures - self._counted) / seconds if seconds > 0 else 0.0
        self._counted, self._counted_ns = found.pictures, now_ns
        trouble = found.trouble
        if not trouble and rate < LEAST_RATE_SHARE * self._camera.rate_hz:
            trouble = f"{rate:.1f} pictures/s come, {self._camera.rate_hz:g} are described"
        return replace(found, trouble=trouble, rate_hz=rate)

    # -- in the thread -----------------------------------------------------------------

    def _open(self) -> None:
        self._device.open()
        self._watch.restart()
        rate, wanted = self._device.rate_hz, self._camera.rate_hz
        if 0 < rate < LEAST_RATE_SHARE * wanted:
            raise MachineError(
                f"it delivers {rate:g} pictures/s, the robot's description says {wanted:g}: "
                "give the device that rate, or describe what it can do"
            )
        self._every = Every(self._camera.period_ns) if rate > MOST_RATE_SHARE * wanted else None
        shot = self._device.read()
        first = shot if isinstance(shot, Loss) else fitted(shot.image, self._camera, self._config)
        if isinstance(first, Loss):
            raise MachineError(first.detail)

    def _run(self) -> None:
        while not self._stopping.is_set():
            shot = self._device.read()
            if isinstance(shot, Loss):
                self._find_again(shot.detail)
            else:
                self._take(shot)

    def _take(self, shot: Shot) -> None:
        stamp_ns = self._now_ns() - shot.age_ns
        trouble = self._watch.judge(shot.image, stamp_ns)
        image = fitted(shot.image, self._camera, self._config)
        if isinstance(image, Loss):
            return self._note(image.detail)
        self._note(trouble)
        if trouble or (self._every is not None and not self._every.is_due(stamp_ns)):
            return None
        self._publish(image, stamp_ns)
        self._look_closely(shot.image, stamp_ns)
        with self._lock:
            self._condition = replace(self._condition, pictures=self._condition.pictures + 1)
        return None

    def _look_closely(self, image: ImageArray, stamp_ns: int) -> None:
        if self._detail is None or self._detail_every is None:
            return
        if self._detail_every.is_due(stamp_ns):
            larger = fitted(image, self._detail.camera, replace(self._config, fit=Fit.CROP))
            if not isinstance(larger, Loss):
                self._detail.publish(larger, stamp_ns)

    def _note(self, trouble: str, *, is_lost: bool = False) -> None:
        """Keep what is wrong, and say it once."""
        with self._lock:
            before = self._condition
            losses = before.losses + (is_lost and not before.is_lost)
            self._condition = replace(before, trouble=trouble, is_lost=is_lost, losses=losses)
        if trouble and not before.trouble:
            self._say(f"{trouble}; nothing is published until that is over")
        elif before.trouble and not trouble:
            self._say("pictures come again")

    def _find_again(self, why: str) -> None:
        """Close the device and open it again, as often as it takes."""
        self._device.close()
        self._note(f"lost: {why}", is_lost=True)
        while not self._stopping.wait(RETRY_S):
            try:
                self._open()
            except LamError:  # said already, when it was lost
                self._device.close()
                continue
            return
