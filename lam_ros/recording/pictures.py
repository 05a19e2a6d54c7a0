"""Pictures to JPEG, in a few threads, while the recorder goes on listening."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

from lam_ros.core.errors import ConfigError, DataError
from lam_ros.recording import jpeg
from lam_ros.recording.cdr import RawImage, compressed_image


class PicturePool(Protocol):
    """Turns raw pictures into what is recorded of them."""

    def begin(self) -> None:
        """Begin an episode."""

    def restart(self, name: str) -> None:
        """Take note that a camera's last picture was dropped."""

    def encode(self, name: str, image: RawImage) -> Future[bytes | str]:
        """Return what will be the serialised message of a camera, or why there is none."""

    def close(self) -> None:
        """End the threads when what is begun is done."""


class JpegPool:
    """Turns raw pictures into `sensor_msgs/CompressedImage`, several at a time.

    The codec lets go of the interpreter while it works, so threads are enough.
    """

    def __init__(self, quality: int = jpeg.DEFAULT_QUALITY, threads: int = 2) -> None:
        """Start the threads.

        Raises:
            ConfigError: if the quality is none that JPEG has.
        """
        if not 1 <= quality <= 100:
            raise ConfigError(f"jpeg_quality: {quality} came, allowed is 1 to 100")
        self._quality = quality
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="jpeg")

    def begin(self) -> None:
        """Do nothing: each picture stands for itself."""

    def restart(self, name: str) -> None:
        """Do nothing: each picture stands for itself."""

    def encode(self, name: str, image: RawImage) -> Future[bytes | str]:
        """Return what will be the serialised message, or why there is none."""
        return self._pool.submit(self._encode, image)

    def close(self) -> None:
        """End the threads when what is begun is done."""
        self._pool.shutdown(wait=True)

    def _encode(self, image: RawImage) -> bytes | str:
        pixels = image.rgb()
        if isinstance(pixels, str):
            return pixels
        try:
            picture = jpeg.encode(pixels, self._quality)
        except DataError as error:
            return str(error)
        return compressed_image(image.stamp_ns, image.frame_id, picture)
