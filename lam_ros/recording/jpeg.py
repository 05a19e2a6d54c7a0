"""Pictures as JPEG, through OpenCV."""

from __future__ import annotations

from lam_ros.core.types import ImageArray

DEFAULT_QUALITY = 90


def encode(image: ImageArray, quality: int = DEFAULT_QUALITY) -> bytes:
    """Return an RGB picture, shape (height, width, 3), as JPEG; quality 1 to 100.

    Raises:
        DataError: if it is no such picture.
    """
    raise NotImplementedError


def decode(data: bytes) -> ImageArray:
    """Return a JPEG as an RGB picture, shape (height, width, 3).

    Raises:
        DataError: if it is damaged.
    """
    raise NotImplementedError
