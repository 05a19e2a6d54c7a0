"""Pictures with words on them; sizes in pixels, images rgb8 of shape (H, W, 3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from lam_ros.core.types import ImageArray

Color = tuple[int, int, int]
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

MOST_CHARACTERS = 300
"""More never fits in a line; a text may have ten thousand."""

DARK: Color = (18, 22, 28)
PANEL: Color = (30, 36, 44)
WHITE: Color = (240, 243, 246)
GREY: Color = (158, 168, 178)
GREEN: Color = (46, 160, 90)
RED: Color = (200, 62, 58)
AMBER: Color = (214, 150, 40)


@dataclass(frozen=True)
class Box:
    """Place of a picture in a column: how far below its top, and how large."""

    top_px: int
    width_px: int
    height_px: int


def blank(width_px: int, height_px: int, color: Color = DARK) -> ImageArray:
    """Return a picture of one colour."""
    return np.full((height_px, width_px, 3), color, dtype=np.uint8)


def resized(image: ImageArray, width_px: int, height_px: int) -> ImageArray:
    """Return a picture at another size; enlarged pixels stay soft, shrunk ones are averaged."""
    shrinks = width_px < image.shape[1]
    method = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    result: ImageArray = np.asarray(cv2.resize(image, (width_px, height_px), interpolation=method))
    return result


def column(images: Sequence[ImageArray], width_px: int, height_px: int, gap_px: int) -> list[Box]:
    """Return where pictures go, one below the other: as wide as there is room, none distorted.

    Args:
        images: of any size and shape.
        width_px, height_px: room for all of them, with the gaps.
        gap_px: between two pictures.
    """
    boxes: list[Box] = []
    heights = [image.shape[0] * width_px / image.shape[1] for image in images]
    room_px = height_px - gap_px * (len(images) - 1)
    scale = min(1.0, room_px / sum(heights)) if heights else 1.0
    top_px = 0
    for height in heights:
        boxes.append(Box(top_px, max(1, int(width_px * scale)), max(1, int(height * scale))))
        top_px += boxes[-1].height_px + gap_px
    return boxes


def paste(canvas: ImageArray, image: ImageArray, x_px: int, y_px: int) -> None:
    """Put a picture onto another, its upper left corner at (x, y)."""
    height, width = image.shape[:2]
    canvas[y_px : y_px + height, x_px : x_px + width] = image


@lru_cache(maxsize=64)
def text_line(
    text: str, width_px: int, height_px: int, color: Color = WHITE, back: Color = DARK
) -> ImageArray:
    """Return a line of text as a picture, cut with an ellipsis where it is too long."""
    font = _font(round(height_px * 0.62))
    shown = _shortened(" ".join(text.split()), font, width_px - 16)
    picture = Image.new("RGB", (width_px, height_px), back)
    ImageDraw.Draw(picture).text((8, height_px / 2), shown, fill=color, font=font, anchor="lm")
    result: ImageArray = np.array(picture)
    result.flags.writeable = False
    return result


def _shortened(text: str, font: Font, width_px: int) -> str:
    """Return as much of a text as fits."""
    if font.getlength(text[:MOST_CHARACTERS]) <= width_px and len(text) <= MOST_CHARACTERS:
        return text
    fits, too_long = 0, min(len(text), MOST_CHARACTERS)
    while too_long - fits > 1:
        middle = (fits + too_long) // 2
        if font.getlength(f"{text[:middle]}…") <= width_px:
            fits = middle
        else:
            too_long = middle
    return f"{text[:fits].rstrip()}…"


@cache
def _font(size_px: int) -> Font:
    return ImageFont.load_default(size_px)
