"""Following objects over time: the same thing keeps its id, seen or not.

What the arm or another thing hides is still there; what the gripper takes moves with it;
only what is missing in plain view, several times in a row, is gone.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from scipy.optimize import linear_sum_assignment

from lam_ros.core.scene import Scene, SceneObject, within_regions
from lam_ros.core.types import FloatArray
from lam_ros.perception.arm import Mask
from lam_ros.perception.camera import TableCamera
from lam_ros.perception.config import KindConfig, SlideConfig, TrackConfig
from lam_ros.perception.covering import Known
from lam_ros.perception.detecting import Detection, Sight
from lam_ros.perception.extent import extent_m
from lam_ros.perception.fitting import Fit
from lam_ros.perception.outline import outline_mask

_FORBIDDEN = 1e3
_OTHER_COLOR_M = 0.03
"""A wrong colour counts as much as this distance."""

_HIDDEN_SHARE = 0.4
_FIXED_PATIENCE = 10
_OVER_SHARE = 0.35
"""Of a cap's width: fingers farther off its middle go down beside it."""

_REST_M = 0.004
"""What seems to move less than this rests, and its position is averaged."""


@dataclass(frozen=True, eq=False)
class Tool:
    """Where the fingers are, and whether they have closed on something.

    Attributes:
        position_m: point between the fingers in the base frame, shape (3,).
        is_gripping: True if the jaw is closed as far as on an object.
    """

    position_m: FloatArray
    is_gripping: bool


@dataclass(eq=False)
class _Track:
    kind: KindConfig
    colors: Counter[str]
    center_m: tuple[float, float, float]
    yaw_rad: float
    confidence: float
    id: str = ""
    seen_count: int = 1
    missed_count: int = 0
    apart_count: int = 0
    support: _Track | None = field(default=None, repr=False)
    out_m: float | None = None
    is_pressed: bool = False

    @property
    def color(self) -> str:
        return self.colors.most_common(1)[0][0]


class Tracker:
    """Turns what single pictures show into one scene."""

    def __init__(self, config: TrackConfig) -> None:
        """Know of nothing yet."""
        self._config = config
        self._tracks: list[_Track] = []
        self._held: _Track | None = None
        self._numbers: Counter[str] = Counter()

    def update(self, sight: Sight, stamp_ns: int, tool: Tool | None = None) -> Scene:
        """Take in one picture and return the scene as now believed.

        Args:
            sight: what the picture shows.
            stamp_ns: time of the picture.
            tool: where the fingers were then; None if there are none.
        """
        self._grip(tool)
        pairs = self._assign(sight.objects)
        matched: dict[int, _Track] = {}
        for track_index, seen_index in pairs:
            matched[seen_index] = self._tracks[track_index]
        for index, detection in enumerate(sight.objects):
            if index in matched:
                self._move(matched[index], detection)
            else:
                matched[index] = self._begin(detection)
        for index, detection in enumerate(sight.objects):
            matched[index].support = matched.get(detection.support)
        self._forget(sight, set(map(id, matched.values())))
        return self._scene(stamp_ns)

    def known(self) -> tuple[Known, ...]:
        """Return what has an id, where it is believed to be, but what the fingers hold."""
        return tuple(
            Known(
                Fit(track.kind, track.center_m, track.yaw_rad, track.confidence, 1.0), track.color
            )
            for track in self._tracks
            if track.id and track is not self._held
        )

    # -- the gripper -------------------------------------------------------------------

    def _grip(self, tool: Tool | None) -> None:
        """See what the fingers hold; it goes where they go."""
        if tool is None or not tool.is_gripping:
            self._let_go()
            return
        if self._held is None:
            near = [
                (float(np.linalg.norm(np.subtract(track.center_m, tool.position_m))), index)
                for index, track in enumerate(self._tracks)
                if track.id and not track.kind.is_carrier
            ]
            distance, index = min(near, default=(np.inf, -1))
            if distance < self._config.held_radius_m:
                self._held = self._tracks[index]
        if self._held is not None:
            x, y, z = map(float, tool.position_m)
            self._held.center_m, self._held.support = (x, y, z), None

    def _let_go(self) -> None:
        """Have what was held lie below where it was, in or on what is there."""
        item, self._held = self._held, None
        if item is None:
            return
        below = [
            track
            for track in self._tracks
            if track.id
            and track.kind.is_carrier
            and np.linalg.norm(np.subtract(track.center_m, item.center_m)[:2])
            < min(track.kind.size_m[:2]) / 2
        ]
        item.support = below[0] if below else None
        floor_m = below[0].kind.floor_m if below else 0.0
        item.center_m = (*item.center_m[:2], floor_m + item.kind.size_m[2] / 2)

    def touch(self, tool: Tool) -> None:
        """Take in where the fingers are: where they are, the cap of a button has given way."""
        x, y, z = map(float, tool.position_m)
        for track in self._tracks:
            if track.kind.whole_m is None or not track.id:
                continue
            cap_m = track.kind.raised_m + track.kind.size_m[2]
            is_over = math.dist((x, y), track.center_m[:2]) < _OVER_SHARE * max(
                track.kind.size_m[:2]
            )
            track.is_pressed |= is_over and z < cap_m + self._config.pressed_m

    # -- assignment --------------------------------------------------------------------

    def _assign(self, seen: Sequence[Detection]) -> list[tuple[int, int]]:
        """Return (track, detection) pairs of the least total distance."""
        if not self._tracks or not seen:
            return []
        costs = np.array([[self._cost(track, item) for item in seen] for track in self._tracks])
        rows, columns = linear_sum_assignment(costs)
        return [
            (int(row), int(column))
            for row, column in zip(rows, columns, strict=True)
            if costs[row, column] < _FORBIDDEN
        ]

    def _cost(self, track: _Track, item: Detection) -> float:
        if track.kind.name != item.fit.kind.name:
            return _FORBIDDEN
        distance = float(np.linalg.norm(np.subtract(track.center_m, item.fit.center_m)[:2]))
        # A thing of the same looks is the same, however far the arm or a person has moved it
        # between two pictures; of several the pairs of least total distance are.
        is_same_color = track.color == item.color
        gate = np.inf if is_same_color else self._config.gate_m
        if track is self._held and not is_same_color:
            gate = 3 * self._config.gate_m  # in the air it seems to lie farther away
        if distance > gate:
            return _FORBIDDEN
        return min(distance, 10.0) + (0.0 if is_same_color else _OTHER_COLOR_M)

    # -- tracks ------------------------------------------------------------------------

    def _begin(self, item: Detection) -> _Track:
        track = _Track(
            item.fit.kind,
            Counter([item.color]),
            item.fit.center_m,
            item.fit.yaw_rad,
            item.confidence,
            out_m=item.fit.out_m,
        )
        self._tracks.append(track)
        self._name(track)
        return track

    def _move(self, track: _Track, item: Detection) -> None:
        track.seen_count += 1
        track.missed_count = 0
        track.colors[item.color] += 1
        track.confidence = item.confidence
        track.out_m = track.out_m if item.fit.out_m is None else item.fit.out_m
        self._name(track)
        if track is self._held and not self._has_slipped(track, item):
            return
        step = np.subtract(item.fit.center_m, track.center_m)
        rests = bool(np.linalg.norm(step) < _REST_M)
        weight = self._config.smoothing if rests else 1.0
        x, y, z = (float(value) for value in np.asarray(track.center_m) + weight * step)
        track.center_m, track.yaw_rad = (x, y, z), item.fit.yaw_rad

    def _has_slipped(self, track: _Track, item: Detection) -> bool:
        """Tell whether a thing lies too far from the fingers, twice in a row, to be held."""
        apart = float(np.linalg.norm(np.subtract(track.center_m, item.fit.center_m)[:2]))
        track.apart_count = track.apart_count + 1 if apart > 3 * self._config.gate_m else 0
        if track.apart_count < 2:
            return False
        self._held, track.apart_count = None, 0
        return True

    def _name(self, track: _Track) -> None:
        """Give a thing that was seen often enough its id, for good."""
        if track.id or track.seen_count < self._config.confirm_count:
            return
        looks = f"{track.color}_{track.kind.name}"
        self._numbers[looks] += 1
        track.id = f"{looks}_{self._numbers[looks]}"

    def _forget(self, sight: Sight, seen: set[int]) -> None:
        """Count misses of what should be in plain view, and drop what is gone."""
        outlines = [_mask(sight.camera, item.fit.kind, item.fit.center_m) for item in sight.objects]
        for track in self._tracks:
            if id(track) in seen or track is self._held:
                continue
            if _is_hidden(track, sight, outlines):
                continue
            track.missed_count += 1
            track.confidence *= 0.8
        limit = self._config.miss_limit
        self._tracks = [
            track
            for track in self._tracks
            if track.missed_count <= (_patience(track, limit) if track.id else 0)
            or track is self._held
        ]

    def _scene(self, stamp_ns: int) -> Scene:
        objects = (_to_object(track) for track in self._tracks if track.id)
        held = self._held.id if self._held else ""
        return Scene(tuple(within_regions(objects, held)), stamp_ns, held)


def _patience(track: _Track, limit: int) -> int:
    """Return in how many pictures a thing may be missing; what is fixed to the table stays longer."""
    is_fixed = track.kind.slides is not None or track.kind.whole_m is not None
    return _FIXED_PATIENCE * limit if is_fixed else limit


def _to_object(track: _Track) -> SceneObject:
    """Return what a scene says of a track; a relation only to what has an id itself."""
    whole = track.kind
    if whole.whole_m is not None:
        whole = replace(whole, size_m=whole.whole_m)
    item = SceneObject(
        id=track.id,
        kind=whole.name,
        color=track.color,
        position_m=track.center_m,
        size_m=extent_m(whole, track.yaw_rad),
        yaw_rad=track.yaw_rad,
        confidence=round(min(1.0, track.confidence), 3),
    )
    if whole.whole_m is not None:
        x, y, _ = track.center_m
        return replace(item, position_m=(x, y, whole.size_m[2] / 2), is_on=track.is_pressed)
    if whole.slides is not None:
        return _slid_out(item, whole.slides, track.out_m)
    support = track.support
    if support is None or not support.id:
        return item
    if support.kind.floor_m < support.kind.size_m[2] / 2:
        return replace(item, inside=support.id)
    return replace(item, on=support.id)


def _slid_out(item: SceneObject, slides: SlideConfig, out_m: float | None) -> SceneObject:
    """Return a drawer where it is, given its cabinet and how far it is out."""
    if out_m is None:
        return item
    x, y, z = item.position_m
    dx, dy = out_m * math.cos(item.yaw_rad), out_m * math.sin(item.yaw_rad)
    is_open = True if out_m > slides.open_m else False if out_m < slides.closed_m else None
    return replace(
        item, position_m=(x - dx, y - dy, z), is_open=is_open, opening=out_m / slides.travel_m
    )


def _is_hidden(track: _Track, sight: Sight, outlines: Sequence[Mask]) -> bool:
    """Tell whether the arm, the picture's edge or another thing hides most of an object."""
    mask = _mask(sight.camera, track.kind, track.center_m)
    area = int(cv2.countNonZero(mask))
    if area == 0 or any(_stands_on(item, track) for item in sight.objects):
        return True
    covers = [sight.hidden]
    for item, outline in zip(sight.objects, outlines, strict=True):
        is_nearer = item.fit.center_m[0] > track.center_m[0] + 0.005
        if is_nearer and not item.fit.kind.is_carrier:
            covers.append(outline)
    covered = np.bitwise_or.reduce(covers)
    return int(cv2.countNonZero(cv2.bitwise_and(mask, covered))) > _HIDDEN_SHARE * area


def _stands_on(item: Detection, track: _Track) -> bool:
    """Tell whether a seen thing stands where an object was that carries.

    What is left of that in view may be too little to be told, so it counts as hidden.
    """
    if item.fit.kind.is_carrier or not track.kind.is_carrier:
        return False
    apart = float(np.linalg.norm(np.subtract(item.fit.center_m, track.center_m)[:2]))
    return apart < min(track.kind.size_m[:2]) / 2


def _mask(camera: TableCamera, kind: KindConfig, center_m: tuple[float, float, float]) -> Mask:
    return outline_mask(camera, kind, center_m, 0.0)
