"""A cabinet with a drawer: where it stands, how far the drawer is out, and what colour it is.

What is seen best is the drawer: its colour is its own.  So a blob of a colour is held against
the outlines that a drawer shows, to every side and as far out as it goes, with the cabinet's grey
beside it; place, turn and way are then made better together.  A drawer that differs from its
cabinet by brightness alone is one blob with it, and both are looked for in that.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from lam_ros.core.types import FloatArray
from lam_ros.perception.arm import Mask
from lam_ros.perception.camera import TableCamera
from lam_ros.perception.config import KindConfig, PartConfig, Shape, SlideConfig
from lam_ros.perception.fitting import Fit
from lam_ros.perception.outline import fill, outline_px
from lam_ros.perception.view import View

_OWN = "own"
_YAWS = 16
_REFINED = 2
_HOPELESS = 0.9
"""Sum of both overlaps below which a rough place is not made good by moving it about."""

_COARSE_M = 0.0125
_FINE = ((0.010, 0.2), (0.008, 0.12), (0.004, 0.06), (0.002, 0.03), (0.001, 0.015))
"""Steps of place and way [m], and of turn [rad]."""

_BACKS = (0.0, 0.020, 0.040)
_LEAST_PX = 60
"""Pixels of a group below which there is no drawer of it."""

_ROUNDS = 6
_LEAST_SEEN = 0.5
"""Share of the drawer's way that must be in view, so that it can be told where it is."""

_LEAST_OVERLAP = 0.45
"""Overlap of drawer and pixels below which there is none."""

_AROUND_PX = 4
_BRIGHT_TELLS = 3.0
"""Two thirds of such a drawer may lie in the shade."""


@dataclass(frozen=True, eq=False)
class Slid:
    """A cabinet with its drawer.

    Attributes:
        item: the cabinet, with `out_m`, turned so that the drawer slides out towards its -x.
        group: of alike colours, which the drawer's is one of.
        overlap: share of the cabinet that is grey; where both are one blob, share of the pixels
            of that and of both that all have.
        drawn: share of the drawer's pixels that are where it should be.
        tells: how much more the cabinet's place looks like one than what is beside it.
        pixels: what both explain, shape (H, W).
        is_one_blob: whether both are of one group of colours.
        margin: how much better they explain it than another thing would.
    """

    item: Fit
    group: str
    overlap: float
    drawn: float
    tells: float
    pixels: Mask
    is_one_blob: bool = False
    margin: float = 0.0


@dataclass(frozen=True, eq=False)
class Around:
    """The part of a picture around what may be a cabinet.

    Attributes:
        camera: the camera.
        origin_px: (u, v) of the part's first pixel.
        blob: the blob that may be both, or all that is grey, shape (h, w).
        groups: pixels by groups of alike colours, shape (h, w) each.
        hidden: where something is before the table, shape (h, w).
        bright: what is too bright for the cabinet, shape (h, w): the only mark of a drawer that
            differs from it by brightness alone.
        own: the group of the blob that may be both; empty if a drawer's own colour tells.
    """

    camera: TableCamera
    origin_px: tuple[int, int]
    blob: Mask
    groups: Mapping[str, Mask]
    hidden: Mask
    bright: Mask
    own: str

    @classmethod
    def of(
        cls, view: View, kind: KindConfig, at_m: tuple[float, float, float], blob: Mask, own: str
    ) -> Around:
        """Cut out what a cabinet near a point and what slides out of it can reach."""
        slides, camera = kind.slides, view.camera
        reach_m = float(np.hypot(*kind.size_m[:2]))
        if slides is not None:
            reach_m += slides.travel_m + max(max(part.size_m) for part in slides.parts)
        x, y, _ = at_m
        corners = [
            (x + i * reach_m, y + j * reach_m, z)
            for i in (-1, 1)
            for j in (-1, 1)
            for z in (0.0, kind.size_m[2])
        ]
        pixels = camera.project(corners)
        size = (camera.width_px, camera.height_px)
        u0, v0 = (int(np.clip(pixels[:, k].min(), 0, size[k] - 1)) for k in (0, 1))
        u1, v1 = (int(np.clip(pixels[:, k].max() + 1, 1, size[k])) for k in (0, 1))
        part = (slice(v0, max(v1, v0 + 1)), slice(u0, max(u1, u0 + 1)))
        groups = {name: mask[part] for name, mask in view.groups.items()}
        return cls(camera, (u0, v0), blob[part], groups, view.hidden[part], view.bright[part], own)

    def mask(self, kind: KindConfig, center_m: tuple[float, float, float], yaw_rad: float) -> Mask:
        """Return the outline of a solid in this part of the picture."""
        shape = (self.blob.shape[0], self.blob.shape[1])
        return fill(outline_px(self.camera, kind, center_m, yaw_rad), self.origin_px, shape)

    def drawer(self, item: Fit, slides: SlideConfig, out_m: float) -> Mask:
        """Return the outline of what slides out of a solid, when it is out so far."""
        foot_m = item.center_m[2] - item.kind.size_m[2] / 2
        masks = []
        for part in slides.parts:
            box = KindConfig(item.kind.name, Shape.BOX, part.size_m)
            masks.append(self.mask(box, _place(item, part, out_m, foot_m), item.yaw_rad))
        return np.bitwise_or.reduce(masks)


_Tried = tuple[float, Fit, float]
"""(score, cabinet, way out [m])"""


def slid_of_color(
    view: View, kind: KindConfig, blob: Mask, group: str, own_px: Mask
) -> Slid | None:
    """Return the cabinet whose drawer a blob of a colour is; None if it is none.

    Args:
        view: the picture.
        kind: what has something that slides out of it.
        blob: pixels of one group, shape (H, W).
        group: its name.
        own_px: pixels off the table that are of the cabinet's group, shape (H, W).
    """
    slides = kind.slides
    if slides is None or _count(blob) < _LEAST_PX:
        return None
    at_m = _below(view, blob, kind)
    around = _around_color(view, kind, at_m, {group: blob, _OWN: own_px})
    tried = _turned_about(around, kind, at_m, _cut(blob, around), group)
    if not tried or tried[0][0] < _HOPELESS:
        return None
    return _made(around, _best_of(around, tried, group), group)


def followed(view: View, before: Slid, blob: Mask, own_px: Mask) -> Slid | None:
    """Return a cabinet and drawer that were seen before, as a blob of the same group shows them now.

    Args:
        view: the picture.
        before: what was seen.
        blob: pixels of its group, shape (H, W).
        own_px: pixels off the table that are of the cabinet's group, shape (H, W).
    """
    item, group = before.item, before.group
    if before.is_one_blob:
        around = Around.of(view, item.kind, item.center_m, blob, group)
    else:
        around = _around_color(view, item.kind, item.center_m, {group: blob, _OWN: own_px})
    start = (_score(around, item, item.out_m or 0.0, group), item, item.out_m or 0.0)
    return _made(around, _refined(around, start, group), group)


def slid_of_one_blob(view: View, blob: Mask, group: str, starts: Sequence[Fit]) -> Slid | None:
    """Return the cabinet and drawer that one blob is; None if it is something else.

    Args:
        view: the picture.
        blob: pixels of one group, shape (H, W).
        group: its name.
        starts: where the cabinet may be.
    """
    kind = starts[0].kind
    around = Around.of(view, kind, starts[0].center_m, blob, group)
    bright = around.bright & around.blob
    if _count(bright) < _LEAST_PX:
        return None
    tried: list[_Tried] = []
    # Where both are one blob, the cabinet may have been found in the middle of it.
    for item in (turned for start in starts for turned in _turns(start)):
        slides = item.kind.slides
        ways = _ways(slides) if slides is not None else ()
        for back in (_set_back(item, back_m) for back_m in _BACKS):
            tried += [(_score(around, back, way, group), back, way) for way in ways]
    tried += _turned_about(around, kind, _below(view, view.bright & blob, kind), bright, group)
    tried.sort(key=lambda one: -one[0])
    return _made(around, _best_of(around, tried, group), group)


def _around_color(
    view: View, kind: KindConfig, at_m: tuple[float, float, float], groups: Mapping[str, Mask]
) -> Around:
    """Cut out what is about a drawer that its own colour tells; groups of shape (H, W)."""
    around = Around.of(view, kind, at_m, view.grey, "")
    return replace(around, groups={name: _cut(mask, around) for name, mask in groups.items()})


def _ways(slides: SlideConfig) -> list[float]:
    """Return how far out to try a drawer at first."""
    ways: list[float] = np.arange(0.0, slides.travel_m + _COARSE_M / 2, _COARSE_M).tolist()
    return ways


def _below(view: View, blob: Mask, kind: KindConfig) -> tuple[float, float, float]:
    """Return the point below the middle of a blob, half as high as a cabinet."""
    moments = cv2.moments(blob, binaryImage=True)
    middle = np.array([[moments["m10"], moments["m01"]]]) / max(moments["m00"], 1.0)
    height = kind.size_m[2] / 2
    (x, y), *_ = view.camera.on_plane(middle, height).tolist()
    return x, y, height


def _turned_about(
    around: Around, kind: KindConfig, at_m: tuple[float, float, float], drawer: Mask, group: str
) -> list[_Tried]:
    """Return cabinets to every side of a drawer, as far out as it goes, the best first."""
    slides = kind.slides
    moments = cv2.moments(drawer, binaryImage=True)
    if slides is None or moments["m00"] < 1:
        return []
    middle = np.array([moments["m10"], moments["m01"]]) / moments["m00"] + around.origin_px
    tried: list[_Tried] = []
    for yaw in np.linspace(-math.pi, math.pi, _YAWS, endpoint=False).tolist():
        for out_m in _ways(slides):
            start = Fit(kind, at_m, yaw, 0.0, 1.0)
            start = _set_back(start, kind.size_m[0] / 2 + (out_m + slides.parts[-1].size_m[0]) / 2)
            start = _centered(around, start, out_m, middle)
            tried.append((_score(around, start, out_m, group), start, out_m))
    return sorted(tried, key=lambda one: -one[0])


def _best_of(around: Around, tried: Sequence[_Tried], group: str) -> _Tried:
    """Return the best of some places, made better, the best of them first."""
    better = (_refined(around, one, group) for one in tried[:_REFINED])
    return max(better, key=lambda one: one[0])


def _made(around: Around, best: _Tried, group: str) -> Slid | None:
    _, item, out_m = best
    overlap, drawn = _explained(around, item, out_m, group)
    if drawn < _LEAST_OVERLAP:
        return None
    both = _both(around, item, out_m)
    tells = 1.0
    if not around.own:
        aside = cv2.dilate(both, _BESIDE).astype(np.uint8) & ~cv2.dilate(both, _NEAR)
        cabinet = around.mask(item.kind, item.center_m, item.yaw_rad) & ~around.hidden
        aside = aside & ~around.hidden
        tells = max(
            _share(pixels, cabinet) - _share(pixels, aside)
            for pixels in (around.blob, around.groups[_OWN])
        )
    pixels = np.zeros((around.camera.height_px, around.camera.width_px), np.uint8)
    u, v = around.origin_px
    pixels[v : v + both.shape[0], u : u + both.shape[1]] = both
    told = replace(item, out_m=out_m) if _is_way_seen(around, item) else item
    return Slid(told, group, overlap, drawn, tells, pixels, bool(around.own))


def _centered(around: Around, item: Fit, out_m: float, middle_px: FloatArray) -> Fit:
    """Return the cabinet moved so that what is seen of its drawer has its middle at a pixel."""
    slides = item.kind.slides
    if slides is None:
        return item
    cabinet = around.mask(item.kind, item.center_m, item.yaw_rad)
    moments = cv2.moments(around.drawer(item, slides, out_m) & ~cabinet, binaryImage=True)
    if moments["m00"] < 1:
        return item
    here = np.array([moments["m10"], moments["m01"]]) / moments["m00"] + around.origin_px
    (x0, y0), (x1, y1) = around.camera.on_plane(
        np.stack([here, middle_px]), item.center_m[2]
    ).tolist()
    x, y, z = item.center_m
    return replace(item, center_m=(x + x1 - x0, y + y1 - y0, z))


def _cut(mask: Mask, around: Around) -> Mask:
    u, v = around.origin_px
    part: Mask = mask[v : v + around.blob.shape[0], u : u + around.blob.shape[1]]
    return part


def _set_back(item: Fit, back_m: float) -> Fit:
    x, y, z = item.center_m
    dx, dy = back_m * math.cos(item.yaw_rad), back_m * math.sin(item.yaw_rad)
    return replace(item, center_m=(x + dx, y + dy, z))


def _refined(around: Around, best: _Tried, group: str) -> _Tried:
    """Return a better place, turn and way near a rough one."""
    for step_m, step_rad in _FINE:
        for _ in range(_ROUNDS):
            near = _neighbours(best[1], best[2], step_m, step_rad)
            found = max(
                ((_score(around, *one, group), *one) for one in near), key=lambda one: one[0]
            )
            if found[0] <= best[0] + 1e-4:
                break
            best = found
    return best


def _neighbours(
    item: Fit, out_m: float, step_m: float, step_rad: float
) -> Iterator[tuple[Fit, float]]:
    """Yield places, turns and ways beside; of places, also those that leave the drawer where it is."""
    slides = item.kind.slides
    most_m = slides.travel_m if slides is not None else 0.0
    x, y, z = item.center_m
    along = step_m * math.cos(item.yaw_rad), step_m * math.sin(item.yaw_rad)
    for sign in (-1, 1):
        out = float(np.clip(out_m + sign * step_m, 0.0, most_m))
        yield replace(item, center_m=(x + sign * step_m, y, z)), out_m
        yield replace(item, center_m=(x, y + sign * step_m, z)), out_m
        yield replace(item, center_m=(x + sign * along[0], y + sign * along[1], z)), out
        yield replace(item, yaw_rad=item.yaw_rad + sign * step_rad), out_m
        yield item, out


def _score(around: Around, item: Fit, out_m: float, group: str) -> float:
    return sum(_explained(around, item, out_m, group))


def _explained(around: Around, item: Fit, out_m: float, group: str) -> tuple[float, float]:
    """Return how well cabinet and drawer explain the pixels; see `Slid`."""
    slides = item.kind.slides
    if slides is None:
        return 0.0, 0.0
    cabinet = around.mask(item.kind, item.center_m, item.yaw_rad)
    open_to_view = ~(around.hidden | cabinet)
    drawer = around.drawer(item, slides, out_m) & open_to_view
    near = cv2.dilate(around.drawer(item, slides, slides.travel_m) | drawer, _NEAR)
    pixels = around.groups[group] & near.astype(np.uint8) & open_to_view
    drawn = _overlap(pixels, drawer)
    if not around.own:
        return _share(around.blob, cabinet & ~around.hidden), drawn
    cabinet = cabinet & ~(around.hidden & ~around.blob)
    too_bright = _share(around.bright, cabinet)
    tells = _share(around.bright, drawer) - too_bright
    drawn *= min(1.0, _BRIGHT_TELLS * max(0.0, tells))
    return _overlap(around.blob, cabinet | drawer) * (1.0 - too_bright), drawn


_NEAR = np.ones((2 * _AROUND_PX + 1, 2 * _AROUND_PX + 1), np.uint8)
_BESIDE = np.ones((31, 31), np.uint8)


def _is_way_seen(around: Around, item: Fit) -> bool:
    """Tell whether most of where the drawer can be is in view."""
    slides = item.kind.slides
    if slides is None:
        return False
    cabinet = around.mask(item.kind, item.center_m, item.yaw_rad)
    way = around.drawer(item, slides, 0.0) | around.drawer(item, slides, slides.travel_m)
    way = way & ~cabinet
    return _count(way & ~around.hidden) > _LEAST_SEEN * _count(way)


def _both(around: Around, item: Fit, out_m: float) -> Mask:
    cabinet = around.mask(item.kind, item.center_m, item.yaw_rad)
    if item.kind.slides is None:
        return cabinet
    return cabinet | around.drawer(item, item.kind.slides, out_m)


def _turns(item: Fit) -> Iterator[Fit]:
    """Yield a solid as it may stand: what looks the same from behind opens to the other side."""
    for quarter in range(4):
        yield replace(item, yaw_rad=item.yaw_rad + quarter * math.pi / 2)


def _place(item: Fit, part: PartConfig, out_m: float, foot_m: float) -> tuple[float, float, float]:
    dx, dy, dz = part.center_m
    cosine, sine = math.cos(item.yaw_rad), math.sin(item.yaw_rad)
    x, y, _ = item.center_m
    return (
        x + cosine * (dx - out_m) - sine * dy,
        y + sine * (dx - out_m) + cosine * dy,
        foot_m + dz,
    )


def _overlap(one: Mask, other: Mask) -> float:
    return _count(one & other) / max(1, _count(one | other))


def _share(mask: Mask, of: Mask) -> float:
    return _count(mask & of) / max(1, _count(of))


def _count(mask: Mask) -> int:
    return int(cv2.countNonZero(mask))
