"""From one picture to the objects in it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import cv2
import numpy as np

from lam_ros.core.types import FloatArray, ImageArray
from lam_ros.perception.arm import ArmShape, Mask
from lam_ros.perception.camera import TableCamera
from lam_ros.perception.config import KindConfig, PerceptionConfig, Shape
from lam_ros.perception.covering import Known, Rested, find_beneath, with_covered
from lam_ros.perception.fitting import Fit, Window, fit
from lam_ros.perception.looks import (
    Palette,
    Surface,
    disc_px,
    find_light,
    find_table,
    greyish,
    smooth,
)
from lam_ros.perception.outline import fill, outline_mask
from lam_ros.perception.recalling import Memory
from lam_ros.perception.resting import Refit, settle
from lam_ros.perception.sliding import Slid, followed, slid_of_color, slid_of_one_blob
from lam_ros.perception.view import View

# Colours that differ by brightness alone, which shade changes too, are told apart later.
_ALIKE = {"white": "neutral", "grey": "neutral", "brown": "orange"}
_WIDE = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (9, 9))
_EDGE = np.ones((5, 5), np.uint8)
_MARGIN_PX = 12
_UNSURE = ("brown", "pink", "grey")
"""Pale and dark colours that a tinted light turns into others."""

_PALE_GROUPS = frozenset(_ALIKE.get(name, name) for name in _UNSURE)
_OPEN_SEEN = 0.85
"""Share of an outline below which its lit upper side may be hidden."""

_FLAT_SHARE = 0.2
_MOST_PER_COLOR = 16
_INSIDE_SHARE = 0.75
_CLASH_SHARE = 0.9
_SEVERAL_OVERLAP = 0.75
"""Overlap below which a blob may be more than one thing."""

_FOOT_TELLS = 0.1
"""How much what a part stands on speaks for it, as overlap; its lack speaks against it."""

_NO_DRAWER = 0.95
"""Overlap from which on a blob is what it was fitted with, and no drawer."""

_LEAST_GREY = 0.7
_GREY_TELLS = 0.4
"""How much the cabinet's grey speaks for a drawer, as overlap, where the table is not grey."""

_DRAWER_MARGIN = 0.05
_DRAWER_TELLS = 0.1
"""How much a drawer speaks for its cabinet, as overlap, against another solid in its place."""

_SURE_OVERLAP = 0.92
_MANY_OVERLAP = 0.75
"""Overlap that several small things must have together with the blob that they are taken for."""

_MOST_OF_MANY = 5
_REST_WEIGHT = 0.2
_PART_OVERLAP = 0.8
_PART_SHARE = 0.3


@dataclass(frozen=True, eq=False)
class Detection:
    """One object as seen in one picture.

    Attributes:
        fit: what it is and where.
        color: its colour name.
        support: index of the detection that it rests on or in; -1 for the table.
        confidence: 0 to 1.
    """

    fit: Fit
    color: str
    support: int
    confidence: float


@dataclass(frozen=True, eq=False)
class Sight:
    """What one picture shows.

    Attributes:
        objects: what was found.
        hidden: where the arm hides the table, shape (H, W) at the working size.
        camera: the camera at the working size.
    """

    objects: tuple[Detection, ...]
    hidden: Mask
    camera: TableCamera


class Detector:
    """Finds objects of known kinds and sizes on a table."""

    def __init__(self, config: PerceptionConfig, arm: ArmShape | None = None) -> None:
        """Take over the settings; without an arm's shape nothing is taken for the arm."""
        self._config = config
        self._arm = arm
        self._palette = Palette(config.colors)
        self._memory = Memory()
        self._cabinets_before: list[Slid] = []
        self._groups_of = {name: _ALIKE.get(name, name) for name in self._palette.names}
        self._sliding = tuple(kind for kind in config.kinds if kind.slides is not None)
        self._others = tuple(kind for kind in config.kinds if kind.slides is None)

    def see(
        self,
        image: ImageArray,
        camera: TableCamera,
        joints_rad: Mapping[str, float],
        known: Sequence[Known] = (),
    ) -> Sight:
        """Return the objects in a picture: rgb8, shape (H, W, 3), of a calibrated camera.

        Args:
            camera: at whatever size it was calibrated.
            joints_rad: joint name -> position, at the time of the picture.
            known: what was on the table before, but what the fingers hold.
        """
        picture = self._take_apart(image, camera, joints_rad)
        self._memory.next_picture(_view_of(camera))
        cabinets = self._cabinets(picture)
        found = [(one.item, self._drawer_color(picture, one)) for one in cabinets]
        picture = _without(picture, cabinets)
        for group in picture.groups:
            found.extend(self._fits(picture, group))
        fits = _without_patches(_without_doubles(found), picture.camera)
        refit, beneath = self._refit(picture, fits), partial(find_beneath, picture, self._palette)
        rested = [
            Rested(item, color, support)
            for (item, support), (_, color) in zip(
                settle([item for item, _ in fits], refit), fits, strict=True
            )
        ]
        objects = tuple(
            Detection(item.fit, item.color, item.support, round(_sureness(item.fit), 3))
            for item in with_covered(rested, known, refit, beneath)
        )
        return Sight(objects, picture.hidden, picture.camera)

    # -- pixels ------------------------------------------------------------------------

    def _take_apart(
        self, image: ImageArray, camera: TableCamera, joints_rad: Mapping[str, float]
    ) -> View:
        # Edges mix the colours of both sides, as wide as a pixel was before it was enlarged.
        thin_px = max(2.0, 0.8 * self._config.work_width_px / image.shape[1])
        image, camera = self._at_working_size(image, camera)
        shape = (camera.height_px, camera.width_px)
        hidden: Mask = np.zeros(shape, np.uint8)
        if self._arm is not None:
            hidden = self._arm.mask(camera, joints_rad)
        light = find_light(image, camera, self._config.light, hidden)
        if self._config.light.radius_m > 0:
            hidden = hidden | fill(disc_px(camera, self._config.light, 1.08), (0, 0), shape)
        region = self._region(camera) & ~hidden
        table = find_table(image, region, self._config.table_tolerance)
        away = table.distance(image) > table.tolerance
        foreground = smooth(np.where(away & (region > 0), 255, 0).astype(np.uint8))
        groups = self._groups(image, light, foreground)
        bright = self._palette.brighter(image, light, "grey", "white")
        grey = greyish(image, light) & ~bright
        return View(image, camera, hidden, light, groups, foreground, bright, grey, thin_px)

    def _at_working_size(
        self, image: ImageArray, camera: TableCamera
    ) -> tuple[ImageArray, TableCamera]:
        height, width = image.shape[:2]
        if width < self._config.work_width_px:
            scale = self._config.work_width_px / width
            size = (self._config.work_width_px, round(height * scale))
            image = cv2.resize(image, size, interpolation=cv2.INTER_CUBIC).astype(np.uint8)
        return image, camera.resized(image.shape[1], image.shape[0])

    def _region(self, camera: TableCamera) -> Mask:
        (x0, x1), (y0, y1) = self._config.table_x_m, self._config.table_y_m
        corners = camera.project([(x0, y0, 0), (x1, y0, 0), (x1, y1, 0), (x0, y1, 0)])
        return fill(corners, (0, 0), (camera.height_px, camera.width_px))

    def _groups(self, image: ImageArray, light: FloatArray, foreground: Mask) -> dict[str, Mask]:
        """Return the foreground by groups of alike colours."""
        labels = self._palette.label(image, light, foreground)
        groups: dict[str, Mask] = {}
        for index, name in enumerate(self._palette.names):
            pixels = np.where((labels == index) & (foreground > 0), 255, 0).astype(np.uint8)
            key = _ALIKE.get(name, name)
            groups[key] = pixels if key not in groups else groups[key] | pixels
        return groups

    # -- drawers -----------------------------------------------------------------------

    def _cabinets(self, picture: View) -> list[Slid]:
        """Return what something slides out of."""
        found: list[Slid] = []
        for kind in self._sliding:
            for group, pixels in picture.groups.items():
                for blob in self._blobs(smooth(pixels)):
                    find = partial(self._drawer, picture, blob, group, kind)
                    one = self._memory.recall(blob, (group, kind), find)
                    if one is not None:
                        found.append(one)
        kept: list[Slid] = []
        for one in sorted(found, key=lambda one: -one.margin):  # a cabinet has one drawer
            if _is_apart(one, kept):
                kept.append(one)
        # One that the arm hides is where it was: cabinets stand still.
        self._cabinets_before = kept + [
            old for old in self._cabinets_before if _is_apart(old, kept)
        ]
        return kept

    def _blobs(self, pixels: Mask) -> Iterator[Mask]:
        """Yield the connected parts of a mask that are large enough, the largest first."""
        for _ in range(_MOST_PER_COLOR):
            blob = _largest(pixels)
            pixels = pixels & ~blob
            if cv2.countNonZero(blob) < self._config.min_area_px:
                return
            yield blob

    def _followed(self, picture: View, blob: Mask, group: str, own_px: Mask) -> Slid | None:
        """Return a cabinet of the picture before as a blob shows it now, if it does."""
        for before in self._cabinets_before:
            if before.group == group and cv2.countNonZero(blob & before.pixels):
                again = followed(picture, before, blob, own_px)
                if again is not None and again.overlap > _LEAST_GREY:
                    return replace(again, margin=before.margin)
        return None

    def _is_of_no_cabinet(self, picture: View, blob: Mask) -> bool:
        """Tell whether a blob is a part of something, by the arm and by no cabinet that is known.

        Looking for a drawer in it would cost more than it tells.
        """
        known = (cv2.countNonZero(blob & one.pixels) for one in self._cabinets_before)
        return _is_touched(blob, picture.hidden) and not any(known)

    def _drawer(self, picture: View, blob: Mask, group: str, kind: KindConfig) -> Slid | None:
        """Return the cabinet whose drawer a blob is, or shows with it; None if it is neither's."""
        own = self._groups_of[kind.colors[0]]
        again = self._followed(picture, blob, group, picture.groups[own])
        if again is not None or self._is_of_no_cabinet(picture, blob):
            return again
        hidden = picture.hidden | (picture.foreground & ~picture.groups[group])
        other, _ = self._recalled(picture, blob, hidden, group)
        if other is not None and other.overlap > _NO_DRAWER:
            return None
        if group == own:
            one, least = self._of_one_blob(picture, blob, hidden, group, kind), 0.0
            said = one.overlap + _DRAWER_TELLS * one.drawn if one is not None else 0.0
        else:
            one, least = (
                slid_of_color(picture, kind, blob, group, picture.groups[own]),
                _DRAWER_MARGIN,
            )
            said = one.drawn + _GREY_TELLS * one.tells if one is not None else 0.0
            if one is not None and one.overlap < _LEAST_GREY:
                return None
        margin = said - (other.overlap if other else 0.0)
        return replace(one, margin=margin) if one is not None and margin > least else None

    def _of_one_blob(
        self, picture: View, blob: Mask, hidden: Mask, group: str, kind: KindConfig
    ) -> Slid | None:
        """Return the cabinet and drawer of one group of colours that a blob is together."""
        window = Window(picture.camera, blob, hidden & ~blob, _MARGIN_PX)
        middle, axis = window.center_px, window.spread_px
        places = np.array([middle - axis, middle, middle + axis])
        starts = [
            fit(picture.camera, kind, window, None, places, weight)
            for weight in (1.0, _REST_WEIGHT)
        ]
        if max(item.overlap for item in starts) < self._config.min_overlap:
            return None
        return slid_of_one_blob(picture, blob, group, starts)

    def _drawer_color(self, picture: View, one: Slid) -> str:
        """Return the colour of a drawer among those that its kind comes in."""
        slides = one.item.kind.slides
        if slides is None:
            return ""
        own = self._groups_of[one.item.kind.colors[0]]
        where = (one.pixels & picture.groups[one.group]) > 0
        if one.group == own:
            where &= picture.bright > 0
        pixels = picture.image[where].astype(np.float64)
        return self._palette.name_of(pixels, picture.light, slides.colors, Surface.LIT)

    # -- outlines ----------------------------------------------------------------------

    def _fits(self, picture: View, group: str) -> list[tuple[Fit, str]]:
        """Return the objects of one group of colours, the largest first."""
        pixels = smooth(picture.groups[group])
        found, left = self._fits_of(picture, group, pixels)
        if group == "neutral":  # what is white or grey melts into a table that is so too
            closed = cv2.morphologyEx(left, cv2.MORPH_CLOSE, _WIDE).astype(np.uint8)
            found += self._fits_of(picture, group, closed)[0]
        return found

    def _fits_of(
        self, picture: View, group: str, pixels: Mask
    ) -> tuple[list[tuple[Fit, str]], Mask]:
        """Return the objects, and the pixels that none of them explains."""
        hidden = picture.hidden | (picture.foreground & ~pixels)
        found: list[tuple[Fit, str]] = []
        left, unexplained = pixels, np.zeros_like(pixels)
        for _ in range(_MOST_PER_COLOR):
            blob = _largest(left)
            if cv2.countNonZero(blob) < self._config.min_area_px:
                break
            left = left & ~blob
            if _half_width_px(blob) < picture.thin_px:
                continue
            item, color = self._recalled(picture, blob, hidden, group)
            if item is None or _sureness(item) < self._config.min_overlap:
                unexplained = unexplained | blob
                continue
            found.append((item, color))
            covered = self._mask_of(picture.camera, item)
            left = (left | (blob & pixels)) & ~covered
            hidden = hidden | covered
        return found, unexplained

    def _recalled(
        self, picture: View, blob: Mask, hidden: Mask, group: str
    ) -> tuple[Fit | None, str]:
        """Return what a blob is: what it was in the picture before, if it looks the same."""
        return self._memory.recall(blob, group, lambda: self._best(picture, blob, hidden, group))

    def _best(self, picture: View, blob: Mask, hidden: Mask, group: str) -> tuple[Fit | None, str]:
        window = Window(picture.camera, blob, hidden & ~blob, _MARGIN_PX)
        names = [n for n in self._palette.names if _ALIKE.get(n, n) == group or n in _UNSURE]
        pixels = picture.image[(blob & picture.groups[group]) > 0].astype(np.float64)
        color = self._palette.name_of(pixels, picture.light, tuple(names), Surface.LIT)
        if group not in _PALE_GROUPS:
            names = [n for n in names if n == color or _ALIKE.get(n, n) == group]
        kinds = [k for k in self._others if not k.colors or set(names) & set(k.colors)]
        if not kinds:
            return None, ""
        starts = np.array([window.center_px, window.center_px - [0.0, window.spread_px[1]]])
        fits = [fit(picture.camera, kind, window, None, starts) for kind in kinds]
        best = max(fits, key=lambda item: _sureness(item) + _FOOT_TELLS * _foot(picture, item))
        if best.overlap < _SEVERAL_OVERLAP:
            best = max((best, *_some_of_several(picture.camera, kinds, window)), key=_sureness)
        for kind in kinds:
            if kind.is_many and best.kind is not kind and best.overlap < _SURE_OVERLAP:
                first, together = self._one_of_many(picture.camera, kind, blob, hidden)
                best = first if together > max(_MANY_OVERLAP, best.overlap) else best
        return best, self._color_of(picture, pixels, best, names)

    def _one_of_many(
        self, camera: TableCamera, kind: KindConfig, blob: Mask, hidden: Mask
    ) -> tuple[Fit, float]:
        """Return one thing of several of a kind that a blob may be, and how well all explain it."""
        found: list[Fit] = []
        left, covered, explained = blob, np.zeros_like(blob), np.zeros_like(blob)
        while len(found) < _MOST_OF_MANY and cv2.countNonZero(left) > self._config.min_area_px / 2:
            window = Window(camera, _largest(left), (hidden & ~blob) | covered, _MARGIN_PX)
            axis = window.spread_px
            starts = np.array([window.center_px - axis, window.center_px, window.center_px + axis])
            item = fit(camera, kind, window, None, starts, _REST_WEIGHT)
            found.append(item)
            explained = explained | _outline_mask(camera, item)
            covered = covered | self._mask_of(camera, item)
            left = smooth(blob & ~covered)
        seen = explained & ~(hidden & ~blob)
        both = cv2.countNonZero(seen & blob)
        return found[0], both / max(1, cv2.countNonZero(seen | blob))

    def _color_of(self, picture: View, pixels: FloatArray, item: Fit, names: Sequence[str]) -> str:
        """Return the colour of a fit among those that its kind comes in."""
        kind = item.kind
        if item.seen < _OPEN_SEEN and not kind.lies_on_table:  # its dark sides alone may be seen
            known = kind.colors or self._palette.names
            return self._palette.name_of(pixels, picture.light, known, Surface.SHADED)
        allowed = tuple(name for name in names if not kind.colors or name in kind.colors)
        is_flat = kind.shape is not Shape.CONE and kind.size_m[2] < _FLAT_SHARE * max(kind.size_m)
        surface = Surface.FLAT if is_flat else Surface.LIT
        return self._palette.name_of(pixels, picture.light, allowed, surface)

    def _mask_of(self, camera: TableCamera, item: Fit) -> Mask:
        return _outline_mask(camera, replace(item, kind=_grown(item.kind)))

    # -- heights -----------------------------------------------------------------------

    def _refit(self, picture: View, fits: list[tuple[Fit, str]]) -> Refit:
        """Return what fits a found object again at another height."""

        def again(index: int, bottom_m: float) -> Fit:
            item, color = fits[index]
            blob = picture.groups[_ALIKE.get(color, color)]
            near = self._mask_of(picture.camera, replace(item, kind=_grown(item.kind, 0.004)))
            blob = blob & near
            if not cv2.countNonZero(blob):
                return item
            others = picture.foreground & ~blob
            window = Window(picture.camera, blob, picture.hidden | others, _MARGIN_PX)
            pixel = picture.camera.project([item.center_m])
            return fit(picture.camera, item.kind, window, bottom_m, pixel)

        return again


def _without(picture: View, cabinets: Sequence[Slid]) -> View:
    """Return a picture without the pixels that cabinets explain; what they hide is hidden."""
    if not cabinets:
        return picture
    explained = cv2.dilate(
        np.bitwise_or.reduce([cabinet.pixels for cabinet in cabinets]), _EDGE
    ).astype(np.uint8)
    own = _PALE_GROUPS | {one.group for one in cabinets}  # what is shaded looks pale, too
    groups = {
        name: pixels & ~explained if name in own else pixels
        for name, pixels in picture.groups.items()
    }
    return replace(picture, groups=groups)


def _is_apart(one: Slid, others: Sequence[Slid]) -> bool:
    """Tell whether a cabinet stands where none of the others does."""
    near_m = min(one.item.kind.size_m[:2])
    return all(math.dist(one.item.center_m[:2], o.item.center_m[:2]) > near_m for o in others)


def _is_touched(blob: Mask, hidden: Mask) -> bool:
    """Tell whether what hides the table lies at the edge of a blob."""
    return bool(cv2.countNonZero(cv2.dilate(blob, _EDGE).astype(np.uint8) & hidden))


def _view_of(camera: TableCamera) -> tuple[object, ...]:
    """Return what tells one camera, in one place, from another."""
    arrays = (camera.matrix_px, camera.rotation_base_camera, camera.position_m)
    return (camera.width_px, camera.height_px, *(array.tobytes() for array in arrays))


def _without_patches(found: list[tuple[Fit, str]], camera: TableCamera) -> list[tuple[Fit, str]]:
    """Return the fits without shades and glints of a larger thing that look like things in it."""
    masks = [_outline_mask(camera, item) for item, _ in found]
    areas = [max(int(cv2.countNonZero(mask)), 1) for mask in masks]

    def is_patch(index: int) -> bool:
        item = found[index][0]
        if _is_foot(item, found):
            return True
        return item.kind.lies_on_table and any(
            areas[other] > areas[index]
            and _sureness(found[other][0]) > _sureness(item)
            and int(cv2.countNonZero(masks[other] & masks[index])) > _INSIDE_SHARE * areas[index]
            for other in range(len(found))
        )

    return [pair for index, pair in enumerate(found) if not is_patch(index)]


def _foot(picture: View, item: Fit) -> float:
    """Return how much around a part speaks for the rest of its thing, -1 to 1; 0 of a whole thing.

    The rest is grey, and off the table.
    """
    if item.kind.whole_m is None:
        return 0.0
    x, y, _ = item.center_m
    size_m = (*item.kind.whole_m[:2], item.kind.raised_m)
    foot = replace(item, kind=replace(item.kind, size_m=size_m), center_m=(x, y, size_m[2] / 2))
    ring = _outline_mask(picture.camera, foot) & ~_outline_mask(picture.camera, item)
    ring = ring & ~picture.hidden
    count = int(cv2.countNonZero(ring))
    return (
        2.0 * int(cv2.countNonZero(ring & picture.foreground & picture.grey)) / count - 1.0
        if count
        else 0.0
    )


def _is_foot(item: Fit, found: Sequence[tuple[Fit, str]]) -> bool:
    """Tell whether a fit is what a thing stands on of which only a part bears its colour."""
    return any(
        other.kind.whole_m is not None
        and other is not item
        and math.dist(item.center_m[:2], other.center_m[:2]) < max(other.kind.whole_m[:2]) / 2
        and item.center_m[2] - item.kind.size_m[2] / 2 < other.kind.raised_m
        for other, _ in found
    )


def _some_of_several(camera: TableCamera, kinds: list[KindConfig], window: Window) -> Iterator[Fit]:
    """Yield good fits to a part of a blob that may be two or three things."""
    middle, axis = window.center_px, window.spread_px
    starts = np.array([middle - 1.3 * axis, middle, middle + 1.3 * axis])
    for kind in kinds:
        if kind.is_many:
            continue
        item = fit(camera, kind, window, None, starts, _REST_WEIGHT)
        whole, _ = window.overlap(kind, np.array(item.center_m), item.yaw_rad)
        if item.overlap > _PART_OVERLAP and whole > _PART_SHARE:
            yield item


def _sureness(item: Fit) -> float:
    """Return how sure a fit is, 0 to 1: little can be said of what is mostly hidden."""
    return item.overlap * min(1.0, 0.5 + item.seen)


def _outline_mask(camera: TableCamera, item: Fit) -> Mask:
    return outline_mask(camera, item.kind, item.center_m, item.yaw_rad)


def _grown(kind: KindConfig, margin_m: float = 0.002) -> KindConfig:
    x, y, z = kind.size_m
    return replace(kind, size_m=(x + 2 * margin_m, y + 2 * margin_m, z + 2 * margin_m))


def _largest(mask: Mask) -> Mask:
    """Return the largest connected part, with its holes filled."""
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    part = np.zeros_like(mask)
    if outlines:
        cv2.drawContours(part, [max(outlines, key=cv2.contourArea)], -1, 255, cv2.FILLED)
    return part


def _half_width_px(blob: Mask) -> float:
    """Return the radius of the largest circle within a blob."""
    u, v, width, height = cv2.boundingRect(blob)
    framed = cv2.copyMakeBorder(
        blob[v : v + height, u : u + width], 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0
    )
    return float(cv2.distanceTransform(framed, cv2.DIST_L2, 3).max())


def _without_doubles(found: list[tuple[Fit, str]]) -> list[tuple[Fit, str]]:
    """Return the fits without the poorer of two solids in one place."""
    kept: list[tuple[Fit, str]] = []
    for item, color in sorted(found, key=lambda pair: -_sureness(pair[0])):
        if not any(_clash(item, other) for other, _ in kept):
            kept.append((item, color))
    return kept


def _clash(item: Fit, other: Fit) -> bool:
    """Tell whether two solids on the table cannot both be there.

    Cubes are let pass: one of them may be on top of the other.
    """
    apart = float(np.linalg.norm(np.subtract(other.center_m, item.center_m)[:2]))
    if other.kind.name == item.kind.name:
        return apart < min(item.kind.size_m[:2]) / 3
    if any(kind.is_carrier for kind in (item.kind, other.kind)):
        return False
    return apart < _CLASH_SHARE * (min(item.kind.size_m[:2]) + min(other.kind.size_m[:2])) / 2
