"""Pictures as JPEG, through OpenCV.

Measured on one core at 640x480 against PyAV's encoder and Pillow: see docs/recording.md.
"""

from __future__ import annotations

import cv2
import numpy as np

from lam_ros.core.errors import DataError
from lam_ros.core.types import ImageArray

DEFAULT_QUALITY = 90


def encode(image: ImageArray, quality: int = DEFAULT_QUALITY) -> bytes:
    """Return an RGB picture, shape (height, width, 3), as JPEG; quality 1 to 100.

    Raises:
        DataError: if it is no such picture, or the quality is out of range.
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
        raise DataError(
            f"a picture of shape {image.shape} and {image.dtype} came; JPEG needs "
            "(height, width, 3) and uint8"
        )
    if not 1 <= quality <= 100:
        raise DataError(f"JPEG quality {quality} came; allowed is 1 to 100")
    swapped = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    done, data = cv2.imencode(".jpg", swapped, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise DataError(f"a picture of shape {image.shape} cannot become JPEG")
    return bytes(data)


def decode(data: bytes | memoryview | ImageArray) -> ImageArray:
    """Return a JPEG as an RGB picture, shape (height, width, 3).

    Raises:
        DataError: if it is damaged.
    """
    picture = None
    if len(data):
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
    if picture is None:
        raise DataError(f"a picture of {len(data)} bytes is no JPEG, or damaged")
    return np.asarray(picture, dtype=np.uint8)
