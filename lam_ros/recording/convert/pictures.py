"""Pictures of recordings: decoded once, and encoded as the videos of a data set."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import av
import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError

from lam_ros.bridge.images import frame_from
from lam_ros.core.errors import DataError
from lam_ros.core.inbound import Rejected
from lam_ros.core.robot import Camera
from lam_ros.core.types import FloatArray, ImageArray
from lam_ros.recording.convert.segments import Ints
from lam_ros.recording.convert.statistics import FeatureStatistics, PictureStatistics
from lam_ros.recording.format import VIDEO, VIDEO_FORMAT
from lam_ros.recording.h264 import Chain
from lam_ros.recording.video import SMALL_PX, VideoDecoder
from lam_ros.recording.video import pixel_format as pixel_format_of
from lam_sim.video import CODEC, CODEC_OPTIONS

COMPRESSED = "sensor_msgs/msg/CompressedImage"
RAW = "sensor_msgs/msg/Image"

_LARGE_CRF = "20"
_STATISTICS_STRIDE = 8
_JPEG_END = b"\xff\xd9"
_JPEG_START = b"\xff\xd8"
_PADDING = b"\x00"


def pixel_format(camera: Camera) -> str:
    """Return how the colours of a camera's videos are stored."""
    return pixel_format_of(camera.width_px, camera.height_px)


def codec_options(camera: Camera) -> dict[str, str]:
    """Return the options of the codec; those of small pictures are the simulator's."""
    options = dict(CODEC_OPTIONS)
    return options if camera.width_px < SMALL_PX else {**options, "crf": _LARGE_CRF}


class Sizes:
    """Tells the sizes of one stream's pictures, which are shown to it in order."""

    def __init__(self) -> None:
        """Begin with the first."""
        self._chain = Chain()

    def of(self, message: Any, type_name: str) -> tuple[int, int] | str:
        """Return (height, width) of a picture message, or what is wrong with it."""
        if type_name != VIDEO:
            return picture_size(message, type_name)
        if message.format != VIDEO_FORMAT:
            return f"video of format '{message.format:.30}', only {VIDEO_FORMAT} can be read"
        return self._chain.note(bytes(message.data))


def picture_size(message: Any, type_name: str) -> tuple[int, int] | str:
    """Return (height, width) of a picture that stands for itself, or what is wrong with it."""
    if type_name == RAW:
        return int(message.height), int(message.width)
    data = bytes(message.data)
    if not data:
        return "empty picture"
    if data.startswith(_JPEG_START) and not data.rstrip(_PADDING).endswith(_JPEG_END):
        return "truncated picture"
    try:
        with Image.open(io.BytesIO(data)) as header:
            return header.height, header.width
    except (UnidentifiedImageError, OSError, ValueError):
        return f"unreadable picture of format '{message.format:.30}'"


class Decoder:
    """Decodes one stream's pictures, all of which are shown to it in order."""

    def __init__(self, type_name: str, camera: str) -> None:
        """Begin with the first."""
        self._type_name, self._camera = type_name, camera
        self._video = VideoDecoder() if type_name == VIDEO else None

    def skip(self, message: Any) -> None:
        """Take a picture that is not wanted."""
        if self._video is not None:
            self._video.skip(bytes(message.data))

    def decode(self, message: Any) -> ImageArray:
        """Return a message's picture: rgb8, shape (H, W, 3), contiguous.

        Raises:
            DataError: if it cannot be decoded.
        """
        if self._video is None:
            return decode(message, self._type_name, self._camera)
        try:
            return self._video.decode(bytes(message.data))
        except DataError as error:
            raise DataError(f"camera '{self._camera}': {error}") from None


def decode(message: Any, type_name: str, camera: str) -> ImageArray:
    """Return a picture that stands for itself: rgb8, shape (H, W, 3), contiguous.

    Raises:
        DataError: if it cannot be decoded.
    """
    if type_name == RAW:
        frame = frame_from(message, camera)
        if isinstance(frame, Rejected):
            raise DataError(frame.detail)
        return np.ascontiguousarray(frame.image)
    packed = np.frombuffer(bytes(message.data), np.uint8)
    image = cv2.imdecode(packed, cv2.IMREAD_COLOR_RGB)
    if image is None:
        raise DataError(f"camera '{camera}': a picture of {len(packed)} bytes cannot be decoded")
    decoded: ImageArray = image
    return decoded


class VideoFile:
    """A video in the making; call `add` for each frame, and `close`."""

    def __init__(self, path: Path, camera: Camera, fps: int) -> None:
        """Open the file."""
        self._time_base = Fraction(1, fps)
        self._container = av.open(str(path), "w", format="mp4")
        stream = self._container.add_stream(CODEC, fps, options=codec_options(camera))
        assert isinstance(stream, av.VideoStream), "an H.264 stream is one of pictures"
        stream.pix_fmt = pixel_format(camera)
        stream.width, stream.height = camera.width_px, camera.height_px
        stream.time_base = self._time_base
        self._stream = stream
        self._count = 0

    def add(self, image: ImageArray) -> None:
        """Append a frame: rgb8, shape (H, W, 3)."""
        frame = av.VideoFrame.from_ndarray(image, format="rgb24")
        frame.pts, frame.time_base = self._count, self._time_base
        self._container.mux(self._stream.encode(frame))
        self._count += 1

    def close(self) -> None:
        """Write what is left and close the file."""
        self._container.mux(self._stream.encode())
        self._container.close()

    def __enter__(self) -> Self:
        """Return the file, to be closed at the end of the block."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file; after an error, without what is left."""
        if error is None:
            self.close()
        else:
            self._container.close()


@dataclass(frozen=True, eq=False)
class Shot:
    """One video to be made.

    Attributes:
        numbers: which messages of a topic, in order, are its frames, shape (T,).
        state_rad: where the joints are in each frame, shape (T, J).
    """

    path: Path
    numbers: Ints
    state_rad: FloatArray


def film(
    messages: Iterable[Any],
    type_name: str,
    camera: Camera,
    shots: Sequence[Shot],
    fps: int,
    look: Callable[[ImageArray, FloatArray], None],
) -> list[FeatureStatistics]:
    """Encode the videos of one camera from its messages in order, each decoded once.

    Args:
        messages: of its topic.
        type_name: theirs.
        camera: whose they are.
        shots: the videos.
        fps: their rate.
        look: is shown each picture, and where the joints are.

    Raises:
        DataError: if a picture cannot be decoded.
    """
    results = []
    numbered, decoder = enumerate(messages), Decoder(type_name, camera.name)
    number, image = -1, None
    for shot in shots:
        statistics = PictureStatistics()
        with VideoFile(shot.path, camera, fps) as video:
            for k, wanted in enumerate(shot.numbers.tolist()):
                if number != wanted:
                    number, image = wanted, picture_of(numbered, wanted, decoder)
                    look(image, shot.state_rad[k])
                assert image is not None, "numbers count from 0"
                video.add(image)
                if k % _STATISTICS_STRIDE == 0:
                    statistics.add(image)
        results.append(statistics.result())
    return results


def picture_of(numbered: Iterator[tuple[int, Any]], wanted: int, decoder: Decoder) -> ImageArray:
    """Return the picture of a number, rgb8, going past those before it.

    Raises:
        DataError: if it cannot be decoded, or is not there.
    """
    for number, message in numbered:
        if number == wanted:
            return decoder.decode(message)
        decoder.skip(message)
    raise DataError(f"picture {wanted} is not there any more: is the recording being changed?")


def join_videos(parts: Sequence[Path], path: Path, frames: Sequence[int], fps: int) -> None:
    """Write videos of one camera one after the other into a file, without encoding again.

    Args:
        parts: videos made by `VideoFile` with the same settings.
        path: the new file.
        frames: how many each has.
        fps: their rate.
    """
    time_base = Fraction(1, fps)
    with av.open(str(path), "w", format="mp4") as joined:
        stream = None
        first = 0
        for part, count in zip(parts, frames, strict=True):
            with av.open(str(part)) as opened:
                source = opened.streams.video[0]
                if stream is None:
                    stream = joined.add_stream_from_template(source)
                    stream.time_base = time_base
                for packet in opened.demux(source):
                    if packet.pts is None:
                        continue  # the demuxer's last word
                    at = first + round(packet.pts * packet.time_base / time_base)
                    packet.pts = packet.dts = at
                    packet.time_base, packet.stream = time_base, stream
                    joined.mux(packet)
            first += count
