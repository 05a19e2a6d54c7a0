"""Pictures as H.264, one a message, in the layout that Foxglove plays.

Each message holds one picture (Annex B).  Key pictures carry all that a decoder needs and
stand half a second apart, and no picture stands on a later one, so that a recording that
breaks off can be seen up to its last message.  PyAV encodes and decodes: LeRobot brings
it, and it is the only one of the installed libraries that gives packets one by one.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from fractions import Fraction

import av
import cv2
import numpy as np
from av.error import FFmpegError
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType

from lam_ros.core.errors import DataError, MachineError
from lam_ros.core.robot import Camera, RobotDescription
from lam_ros.core.types import ImageArray
from lam_ros.recording.cdr import RawImage, compressed_video
from lam_ros.recording.format import VIDEO_FORMAT

SMALL_PX = 320
"""Width below which colours keep their full resolution: a cube is a few pixels wide."""

KEY_S = 0.5
"""From one key picture to the next."""

_OPTIONS = {"preset": "ultrafast", "tune": "zerolatency", "crf": "20", "threads": "1"}


def pixel_format(width_px: int, height_px: int) -> str:
    """Return how the colours of a video of this size are stored."""
    is_odd = width_px % 2 or height_px % 2
    return "yuv444p" if is_odd or width_px < SMALL_PX else "yuv420p"


class VideoEncoder:
    """Encodes the pictures of one camera, each into one packet at once."""

    def __init__(self, width_px: int, height_px: int, rate_hz: float) -> None:
        """Open the codec.

        Raises:
            MachineError: if PyAV has it not.
        """
        self._format = pixel_format(width_px, height_px)
        self._count = 0
        try:
            codec = av.CodecContext.create("libx264", "w")
            assert isinstance(codec, VideoCodecContext), "H.264 is a codec of pictures"
            codec.width, codec.height, codec.pix_fmt = width_px, height_px, self._format
            rate = Fraction(rate_hz).limit_denominator(1000)
            codec.framerate, codec.time_base = rate, 1 / rate
            codec.gop_size = max(1, round(KEY_S * rate_hz))
            codec.options = dict(_OPTIONS)
            codec.open()
        except (FFmpegError, ValueError) as error:
            raise MachineError(
                f"no H.264 of {width_px}x{height_px} through PyAV ({error}): record with images=jpeg"
            ) from None
        self._codec = codec

    def encode(self, image: ImageArray, *, key: bool = False) -> bytes:
        """Return a picture, rgb8, shape (H, W, 3), as one packet; a key picture if asked for.

        Raises:
            DataError: if it cannot be encoded.
        """
        frame = self._frame(image)
        frame.pts = self._count
        if key:
            frame.pict_type = PictureType.I
        try:
            packets = self._codec.encode(frame)
        except FFmpegError as error:
            raise DataError(
                f"a picture of shape {image.shape} cannot become H.264: {error}"
            ) from None
        self._count += 1
        return b"".join(bytes(packet) for packet in packets)

    def _frame(self, image: ImageArray) -> av.VideoFrame:
        if self._format == "yuv444p":
            return av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format="yuv444p")
        # OpenCV needs half the time of FFmpeg's own conversion.
        planes = cv2.cvtColor(image, cv2.COLOR_RGB2YUV_I420)
        return av.VideoFrame.from_ndarray(np.asarray(planes), format="yuv420p")


class VideoDecoder:
    """Decodes the pictures of one stream; it must be shown all of them, in order."""

    def __init__(self) -> None:
        """Open the codec."""
        codec = av.CodecContext.create("h264", "r")
        assert isinstance(codec, VideoCodecContext), "H.264 is a codec of pictures"
        codec.thread_count = 1
        codec.options = {"flags": "low_delay"}
        self._codec = codec

    def skip(self, data: bytes) -> None:
        """Take a picture that nobody wants to see, but that others may stand on."""
        try:
            self._codec.decode(av.Packet(data))
        except FFmpegError:
            return  # so do not those behind it, up to the next key picture: see `h264.Chain`

    def decode(self, data: bytes) -> ImageArray:
        """Return a picture: rgb8, shape (H, W, 3).

        Raises:
            DataError: if it cannot be decoded.
        """
        try:
            frames = self._codec.decode(av.Packet(data))
        except FFmpegError as error:
            raise DataError(f"H.264 of {len(data)} bytes cannot be decoded: {error}") from None
        if len(frames) != 1:
            raise DataError(f"H.264 of {len(data)} bytes holds {len(frames)} pictures, not one")
        return np.asarray(frames[0].to_ndarray(format="rgb24"), dtype=np.uint8)


class VideoPool:
    """Turns raw pictures into `foxglove_msgs/CompressedVideo`, each camera in its own thread."""

    def __init__(self, robot: RobotDescription) -> None:
        """Start a thread for each camera, so that its pictures stay in their order."""
        self._tracks = {camera.name: _Track(camera) for camera in robot.cameras}
        self._pools = {
            name: ThreadPoolExecutor(1, thread_name_prefix=f"video {name}") for name in self._tracks
        }

    def begin(self) -> None:
        """Begin an episode: its videos stand on nothing before it."""
        for name in self._tracks:
            self.restart(name)

    def restart(self, name: str) -> None:
        """Have the camera's next picture stand on none before it: one of them was dropped."""
        self._tracks[name].needs_key = True

    def encode(self, name: str, image: RawImage) -> Future[bytes | str]:
        """Return what will be the serialised message, or why there is none."""
        track = self._tracks[name]
        key, track.needs_key = track.needs_key, False
        return self._pools[name].submit(track.encode, image, key=key)

    def close(self) -> None:
        """End the threads when what is begun is done."""
        for pool in self._pools.values():
            pool.shutdown(wait=True)


class _Track:
    """One camera's encoder; `encode` is for one thread, `needs_key` for the other."""

    def __init__(self, camera: Camera) -> None:
        self._encoder = VideoEncoder(camera.width_px, camera.height_px, camera.rate_hz)
        self._size_px = (camera.width_px, camera.height_px)
        self.needs_key = True

    def encode(self, image: RawImage, *, key: bool) -> bytes | str:
        pixels = image.rgb()
        if isinstance(pixels, str):
            return pixels
        if image.size_px != self._size_px:
            return f"a picture of {image.width_px}x{image.height_px} does not fit the video"
        try:
            packet = self._encoder.encode(pixels, key=key)
        except DataError as error:
            return str(error)
        return compressed_video(image.stamp_ns, image.frame_id, packet, VIDEO_FORMAT)
