"""Pictures of an episode to video files, for LeRobot's data set writer.

LeRobot's own encoder keeps statistics of every picture, which takes longer than drawing
it.  This one has the same methods, encodes when asked, and takes its statistics from
every few pictures, as LeRobot itself does for recorded pictures on disk.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt

from lam_ros.core.types import ImageArray

CODEC = "libx264"
PIXEL_FORMAT = "yuv444p"
"""Full colour resolution: a cube is seven pixels wide."""

CODEC_OPTIONS = {"crf": "16", "preset": "ultrafast", "g": "4", "threads": "1"}
_STATISTICS_STRIDE = 8

Statistics = dict[str, npt.NDArray[Any]]


class EpisodeEncoder:
    """Stands in for LeRobot's `StreamingVideoEncoder`."""

    def __init__(self, fps: int) -> None:
        """Set the rate of the videos."""
        self._fps = fps
        self._pictures: dict[str, list[ImageArray]] = {}
        self._folder = Path()

    def start_episode(
        self,
        video_keys: Sequence[str],
        temp_dir: Path,
        depth_video_keys: Sequence[str] | None = None,
    ) -> None:
        """Forget the episode before."""
        self._pictures = {key: [] for key in video_keys}
        self._folder = temp_dir

    def feed_frame(self, video_key: str, image: ImageArray) -> None:
        """Take the next picture of a camera."""
        self._pictures[video_key].append(image)

    def finish_episode(self) -> dict[str, tuple[Path, Statistics]]:
        """Return, for each camera, its video file and statistics in 0..255."""
        return {
            key: (self._encode(key, pictures), _statistics(pictures))
            for key, pictures in self._pictures.items()
        }

    def cancel_episode(self) -> None:
        """Forget the present episode."""
        self._pictures = {}

    def close(self) -> None:
        """Have nothing to free."""

    def _encode(self, key: str, pictures: Sequence[ImageArray]) -> Path:
        path = Path(tempfile.mkdtemp(dir=self._folder)) / f"{key}.mp4"
        height, width, _ = pictures[0].shape
        with av.open(str(path), "w") as container:
            stream = container.add_stream(CODEC, self._fps, options=dict(CODEC_OPTIONS))
            assert isinstance(stream, av.VideoStream), "an H.264 stream is one of pictures"
            stream.pix_fmt, stream.width, stream.height = PIXEL_FORMAT, width, height
            stream.time_base = Fraction(1, self._fps)
            for index, picture in enumerate(pictures):
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                frame.pts, frame.time_base = index, Fraction(1, self._fps)
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
        return path


def silence_codec() -> None:
    """Keep the codec from reporting every file on standard error."""
    av.logging.set_libav_level(av.logging.ERROR)


def _statistics(pictures: Sequence[ImageArray]) -> Statistics:
    from lerobot.datasets.compute_stats import RunningQuantileStats

    running = RunningQuantileStats()
    running.update(np.stack(pictures[::_STATISTICS_STRIDE]).reshape(-1, 3))
    statistics: Statistics = running.get_statistics()
    return statistics
