"""Pictures go through JPEG in their colours and size."""

from __future__ import annotations

import numpy as np
import pytest

from lam_ros.core.errors import DataError
from lam_ros.recording import jpeg


def smooth_picture(height_px: int = 48, width_px: int = 64) -> np.ndarray:
    """Return red growing to the right, green downwards, and little blue."""
    picture = np.full((height_px, width_px, 3), 20, np.uint8)
    picture[..., 0] = np.linspace(0, 255, width_px, dtype=np.uint8)
    picture[..., 1] = np.linspace(0, 255, height_px, dtype=np.uint8)[:, None]
    return picture


def test_a_picture_comes_back_nearly_as_it_was() -> None:
    picture = smooth_picture()

    came = jpeg.decode(jpeg.encode(picture))

    assert came.shape == picture.shape
    assert came.dtype == np.uint8
    assert np.abs(came.astype(int) - picture).mean() < 3


def test_less_quality_is_fewer_bytes() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)

    assert len(jpeg.encode(picture, 20)) < len(jpeg.encode(picture, 90)) / 2


def test_a_part_of_a_larger_picture_is_encoded_as_it_looks() -> None:
    picture = smooth_picture(96, 128)
    part = picture[::2, ::-2]

    came = jpeg.decode(jpeg.encode(part))

    assert np.abs(came.astype(int) - part).mean() < 3


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((0, 4, 3), np.uint8),
        np.zeros((4, 4, 3), np.float32),
    ],
)
def test_what_is_no_rgb_picture_is_refused(picture: np.ndarray) -> None:
    with pytest.raises(DataError, match=r"JPEG needs \(height, width, 3\) and uint8"):
        jpeg.encode(picture)


@pytest.mark.parametrize("quality", [0, 101, -1])
def test_a_quality_out_of_range_is_refused(quality: int) -> None:
    with pytest.raises(DataError, match=rf"quality {quality} came; allowed is 1 to 100"):
        jpeg.encode(smooth_picture(), quality)


@pytest.mark.parametrize("keep", [0, 1, 20])
def test_a_damaged_picture_is_said(keep: int) -> None:
    data = jpeg.encode(smooth_picture())[:keep]

    with pytest.raises(DataError, match=rf"a picture of {keep} bytes is no JPEG, or damaged"):
        jpeg.decode(data)
