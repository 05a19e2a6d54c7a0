"""A camera through OpenCV: a device of Video4Linux, a network stream, or a file.

The stamp is the moment at which the device gave the picture: by Video4Linux' own clock
where it says so, else when OpenCV got it.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from lam_ros.camera.port import Loss, Shot
from lam_ros.camera.settings import DeviceConfig
from lam_ros.core.clock import NS_PER_MS, NS_PER_S
from lam_ros.core.errors import MachineError
from lam_ros.core.robot import Camera

ANSWER_MS = 2000
"""Longest time that a device or a stream may take to answer."""

# Read by OpenCV when it opens its first device; what it says on the terminal, we say.
os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", str(ANSWER_MS // 1000))
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")

import cv2  # noqa: E402


class OpenCVDevice:
    """One `cv2.VideoCapture`."""

    def __init__(self, config: DeviceConfig, camera: Camera) -> None:
        """Prepare; nothing is opened yet."""
        text = str(config.device)
        self._target: int | str = int(text) if text.isdecimal() else text
        self._path = Path(f"/dev/video{text}" if text.isdecimal() else text)
        self._config, self._camera = config, camera
        self._capture: Any = None
        self._paced_ns = 0
        self._due_ns = 0
        self._is_video4linux = False
        self.rate_hz = 0.0

    def open(self) -> None:
        """Connect, and ask for size and rate.

        Raises:
            MachineError: if there is no such device, or it is not to be had.
        """
        self.close()
        is_url = "://" in str(self._target)
        if not is_url and not self._path.exists() and "%" not in self._path.name:
            raise MachineError(f"there is no {self._path}; {_present()}")
        if not is_url and self._path.exists() and not os.access(self._path, os.R_OK):
            raise MachineError(
                f"no permission for {self._path}: sudo usermod -aG video $USER, then log in again"
            )
        is_device = not is_url and self._path.is_char_device()
        backend = cv2.CAP_V4L2 if is_device else cv2.CAP_FFMPEG if is_url else cv2.CAP_ANY
        limits = [
            cv2.CAP_PROP_OPEN_TIMEOUT_MSEC,
            ANSWER_MS,
            cv2.CAP_PROP_READ_TIMEOUT_MSEC,
            ANSWER_MS,
        ]
        capture = cv2.VideoCapture(self._target, backend, limits if is_url else [])
        if not capture.isOpened():
            capture.release()
            raise MachineError(self._why(is_url))
        if is_device:
            self._ask(capture)
        self._is_video4linux = is_device
        self.rate_hz = max(0.0, float(capture.get(cv2.CAP_PROP_FPS)))
        is_file = not is_url and not is_device  # its pictures would come all at once
        self._paced_ns = round(NS_PER_S / (self.rate_hz or self._camera.rate_hz)) if is_file else 0
        self._due_ns = time.monotonic_ns()
        self._capture = capture

    def read(self) -> Shot | Loss:
        """Wait for the next picture."""
        if self._capture is None:
            return Loss("not open")
        if self._paced_ns:
            time.sleep(max(0, self._due_ns - time.monotonic_ns()) / NS_PER_S)
            self._due_ns += self._paced_ns
        if not self._capture.grab():
            return Loss("it gives no more pictures")
        got_ns = time.monotonic_ns()
        taken_ns = got_ns
        if self._is_video4linux:
            taken_ns = taken_at_ns(float(self._capture.get(cv2.CAP_PROP_POS_MSEC)), got_ns)
        done, image = self._capture.retrieve()
        if not done or image is None:
            return Loss("its picture cannot be decoded")
        if image.ndim == 2:
            image = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
        rgb = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
        return Shot(rgb, time.monotonic_ns() - taken_ns)

    def close(self) -> None:
        """Let go of the device."""
        capture, self._capture = self._capture, None
        if capture is not None:
            capture.release()

    def _ask(self, capture: Any) -> None:
        config, camera = self._config, self._camera
        if config.fourcc:
            capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*config.fourcc))
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, config.width_px or camera.width_px)
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, config.height_px or camera.height_px)
        capture.set(cv2.CAP_PROP_FPS, config.rate_hz or camera.rate_hz)
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)

    def _why(self, is_url: bool) -> str:
        if is_url:
            return f"{self._target} does not answer, or gives no video"
        users = users_of(self._path)
        if users:
            return f"{self._path} is in use by {users}: end that first"
        return f"{self._path} gives no video; {_present()}"


def taken_at_ns(position_ms: float, got_ns: int) -> int:
    """Return when a picture was taken, on the monotonic clock [ns].

    Args:
        position_ms: what Video4Linux says, which is that clock's time if the driver keeps it.
        got_ns: when the picture was got; returned if the other is not plausible.
    """
    taken_ns = round(position_ms * NS_PER_MS)
    return taken_ns if 0 <= got_ns - taken_ns < NS_PER_S else got_ns


def users_of(path: Path) -> str:
    """Return who else has a device open, as far as this user may see: name and process id."""
    users = []
    for process in Path("/proc").glob("[0-9]*"):
        if int(process.name) == os.getpid():
            continue
        try:
            held = [file.readlink() for file in (process / "fd").iterdir()]
            if path.resolve() in held:
                users.append(f"{(process / 'comm').read_text().strip()} ({process.name})")
        except OSError:  # gone meanwhile, or another user's
            continue
    return ", ".join(users)


def _present() -> str:
    found = ", ".join(sorted(map(str, Path("/dev").glob("video*"))))
    return f"there are {found}" if found else "no camera is plugged in"
