"""The contact sheet of a run: its key moments on one page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from lam_ros.core.types import ImageArray
from lam_ros.run import canvas
from lam_ros.run.film import Stage, Words
from lam_ros.run.recording import Moment
from lam_ros.run.timeline import KeyMoment, Timeline
from lam_sim.render import VIEWER

COLUMNS = 4
VIEW_PX = (368, 276)
SIDE_PX = 166
"""Width of the cameras' pictures, which stand beside the viewer's and hide nothing of it."""

CAPTION_PX = 26
SIDE_GAP_PX = 2
GAP_PX = 8
TITLE_PX = 44


def make_sheet(
    path: Path, moments: Sequence[Moment], stage: Stage, timeline: Timeline, words: Words
) -> None:
    """Write the sheet as a PNG."""
    keys = timeline.key_moments("the end: success" if words.success else "the end: failure")
    tiles = [_tile(_nearest(moments, key.stamp_ns), key, stage, timeline) for key in keys]
    Image.fromarray(_page(tiles, words)).save(path)


def _nearest(moments: Sequence[Moment], stamp_ns: int) -> Moment:
    return min(moments, key=lambda moment: abs(moment.stamp_ns - stamp_ns))


def _tile(moment: Moment, key: KeyMoment, stage: Stage, timeline: Timeline) -> ImageArray:
    """Return a moment: viewer, the cameras' pictures beside it, and the caption below."""
    view_width, height = VIEW_PX
    width = view_width + SIDE_PX
    tile = canvas.blank(width, height + CAPTION_PX, canvas.PANEL)
    canvas.paste(tile, canvas.resized(stage.draw(moment, VIEWER), *VIEW_PX), 0, 0)
    images = list(moment.images.values())
    boxes = canvas.column(images, SIDE_PX - SIDE_GAP_PX, height, SIDE_GAP_PX)
    for image, box in zip(images, boxes, strict=True):
        picture = canvas.resized(image, box.width_px, box.height_px)
        canvas.paste(tile, picture, view_width + SIDE_GAP_PX, box.top_px)
    caption = f"{max(0.0, timeline.seconds(key.stamp_ns)):.1f} s  {key.caption}"
    canvas.paste(tile, canvas.text_line(caption, width, CAPTION_PX, back=canvas.PANEL), 0, height)
    return tile


def _page(tiles: Sequence[ImageArray], words: Words) -> ImageArray:
    columns = min(COLUMNS, len(tiles))
    rows = -(-len(tiles) // columns)
    tile_height, tile_width = tiles[0].shape[:2]
    width = columns * (tile_width + GAP_PX) + GAP_PX
    page = canvas.blank(width, 2 * TITLE_PX + rows * (tile_height + GAP_PX) + GAP_PX)
    title = f"{words.instruction}   ·   policy: {words.policy}"
    color = canvas.GREEN if words.success else canvas.RED
    canvas.paste(page, canvas.text_line(title, width, TITLE_PX), 0, 0)
    canvas.paste(page, canvas.text_line(words.verdict, width, TITLE_PX, back=color), 0, TITLE_PX)
    for index, tile in enumerate(tiles):
        row, column = divmod(index, columns)
        x = GAP_PX + column * (tile_width + GAP_PX)
        canvas.paste(page, tile, x, 2 * TITLE_PX + GAP_PX + row * (tile_height + GAP_PX))
    return page
