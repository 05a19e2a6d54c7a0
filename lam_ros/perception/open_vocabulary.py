"""An open-vocabulary detector: whatever can be named is found, by a model that was given words.

OWLv2 and Grounding DINO come through transformers, which LAM does not need otherwise, and
with weights that the user has put there; nothing is fetched.  They give a box of pixels for
each name.  What stands there is taken for an upright cylinder on the table whose outline fills
the box: a rough place and size, less exact than the outlines of known solids.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from scipy.optimize import least_squares

from lam_ros.core.errors import ConfigError, MachineError
from lam_ros.core.scene import CONTAINER_KINDS, FLAT_KINDS
from lam_ros.core.types import FloatArray, ImageArray
from lam_ros.perception.arm import ArmShape, Mask
from lam_ros.perception.camera import TableCamera
from lam_ros.perception.config import KindConfig, OpenConfig, PerceptionConfig, Shape
from lam_ros.perception.covering import Known
from lam_ros.perception.detecting import Detection, Sight
from lam_ros.perception.fitting import Fit
from lam_ros.perception.looks import Palette, find_light

_HIDDEN_SHARE = 0.5
_INSIDE_SHARE = 0.7
_SMALLER_SHARE = 0.6
_RING = np.array([(np.cos(a), np.sin(a)) for a in np.linspace(0, 2 * np.pi, 16, endpoint=False)])
_CORE_SHARE = 0.5
"""Share of a box's sides, about its middle, whose pixels tell the colour."""


@dataclass(frozen=True)
class Box:
    """What was found for one name.

    Attributes:
        kind: which of the names.
        score: how sure the model is, 0 to 1.
        left_px, top_px, right_px, bottom_px: its sides.
    """

    kind: str
    score: float
    left_px: float
    top_px: float
    right_px: float
    bottom_px: float

    @property
    def area_px2(self) -> float:
        """Area."""
        return max(0.0, self.right_px - self.left_px) * max(0.0, self.bottom_px - self.top_px)

    def shared_px2(self, other: Box) -> float:
        """Return the area that two boxes share."""
        width = min(self.right_px, other.right_px) - max(self.left_px, other.left_px)
        height = min(self.bottom_px, other.bottom_px) - max(self.top_px, other.top_px)
        return max(0.0, width) * max(0.0, height)


class Finder(Protocol):
    """Finds named things in a picture."""

    def find(self, image: ImageArray) -> Sequence[Box]:
        """Return the boxes in a picture: rgb8, shape (H, W, 3)."""
        ...


class ZeroShotFinder:
    """A zero-shot detector of transformers."""

    def __init__(self, config: OpenConfig) -> None:
        """Load the model and its processor from the user's disk.

        Raises:
            MachineError: if transformers or the weights are missing, with what to do about it.
        """
        try:
            import transformers
        except ImportError:
            raise MachineError(
                "perception.open: transformers is not installed; pip install transformers"
            ) from None
        try:
            self._processor = transformers.AutoProcessor.from_pretrained(
                config.model, local_files_only=True
            )
            self._model = transformers.AutoModelForZeroShotObjectDetection.from_pretrained(
                config.model, local_files_only=True
            ).eval()
        except (OSError, ValueError, KeyError):
            raise MachineError(
                f"perception.open: '{config.model}' is not on this machine; "
                f"hf download {config.model}, or name a folder that holds it"
            ) from None
        self._config = config

    def find(self, image: ImageArray) -> list[Box]:
        """Return the boxes in a picture: rgb8, shape (H, W, 3)."""
        import torch

        is_grounded = "grounding" in self._model.config.model_type
        texts: Any = [[f"a photo of a {kind.replace('_', ' ')}" for kind in self._config.kinds]]
        if is_grounded:  # one text, each name ended by a point
            texts = " ".join(f"a {kind.replace('_', ' ')}." for kind in self._config.kinds)
        inputs = self._processor(text=texts, images=image, return_tensors="pt")
        with torch.inference_mode():
            outputs = self._model(**inputs)
        more = {"input_ids": inputs["input_ids"]} if is_grounded else {}
        found: dict[str, Any] = self._processor.post_process_grounded_object_detection(
            outputs, threshold=self._config.threshold, target_sizes=[image.shape[:2]], **more
        )[0]
        labels = found["text_labels"] if is_grounded else found["labels"].tolist()
        rows = zip(labels, found["scores"].tolist(), found["boxes"].tolist(), strict=True)
        high_px, wide_px = image.shape[:2]
        limits = np.array([wide_px, high_px, wide_px, high_px], dtype=np.float64)
        boxes = [
            Box(self._kind(label), float(score), *map(float, np.clip(sides, 0.0, limits)))
            for label, score, sides in rows
        ]
        return [box for box in boxes if box.kind and box.area_px2 > 0]

    def _kind(self, label: int | str) -> str:
        """Return the kind that a label is, by its number or by the words that were found."""
        if not isinstance(label, str):
            return self._config.kinds[int(label)]
        said = set(label.lower().split())
        fits = [kind for kind in self._config.kinds if said.issuperset(kind.split("_"))]
        near = [kind for kind in self._config.kinds if said.intersection(kind.split("_"))]
        return next(iter(sorted(fits, key=len, reverse=True) or near), "")


class OpenDetector:
    """Turns boxes into objects on the table; takes the place of `Detector`."""

    def __init__(
        self, config: PerceptionConfig, arm: ArmShape | None = None, finder: Finder | None = None
    ) -> None:
        """Look with a finder; the one that the configuration names if None.

        Raises:
            ConfigError: if no kind is named.
            MachineError: if the model is not there.
        """
        if not config.open.kinds:
            raise ConfigError("perception.open.kinds: name what to look for, as [mug, banana]")
        self._config = config
        self._arm = arm
        self._palette = Palette(config.colors)
        self._finder = finder or ZeroShotFinder(config.open)

    def see(
        self,
        image: ImageArray,
        camera: TableCamera,
        joints_rad: Mapping[str, float],
        _known: Sequence[Known] = (),
    ) -> Sight:
        """Return the objects in a picture; as `Detector.see`, though boxes alone tell what is on what."""
        height_px, width_px = image.shape[:2]
        camera = camera.resized(width_px, height_px)
        hidden: Mask = np.zeros((height_px, width_px), np.uint8)
        if self._arm is not None:
            hidden = self._arm.mask(camera, joints_rad)
        light = find_light(image, camera, self._config.light, hidden)
        boxes = _without_doubles(
            [box for box in self._finder.find(image) if not _is_hidden(box, hidden)],
            self._config.open.most_shared,
        )
        fits = [self._stood(box, camera) for box in boxes]
        kept = [(box, item) for box, item in zip(boxes, fits, strict=True) if self._on_table(item)]
        objects = tuple(
            Detection(item, self._color(image, box, light), _support(box, [b for b, _ in kept]),
                      round(box.score, 3))
            for box, item in kept
        )  # fmt: skip
        return Sight(objects, hidden, camera)

    def _stood(self, box: Box, camera: TableCamera) -> Fit:
        """Return the upright cylinder on the table whose outline fills a box."""
        x_m, y_m, wide_m, high_m = _cylinder(box, camera)
        holds = box.kind in CONTAINER_KINDS | FLAT_KINDS
        floor_m = min(0.004, high_m / 4) if holds else high_m
        kind = KindConfig(
            box.kind, Shape.BOX, (wide_m, wide_m, high_m), floor_m=floor_m, lies_on_table=holds
        )
        return Fit(kind, (x_m, y_m, high_m / 2), 0.0, box.score, 1.0)

    def _on_table(self, item: Fit) -> bool:
        (low_x, high_x), (low_y, high_y) = self._config.table_x_m, self._config.table_y_m
        x_m, y_m, _ = item.center_m
        return low_x <= x_m <= high_x and low_y <= y_m <= high_y

    def _color(self, image: ImageArray, box: Box, light: FloatArray) -> str:
        """Return the colour that most of a box's middle has."""
        middle_u, middle_v = (box.left_px + box.right_px) / 2, (box.top_px + box.bottom_px) / 2
        half_u = max(1.0, _CORE_SHARE * (box.right_px - box.left_px) / 2)
        half_v = max(1.0, _CORE_SHARE * (box.bottom_px - box.top_px) / 2)
        rows = slice(max(0, int(middle_v - half_v)), int(middle_v + half_v) + 1)
        columns = slice(max(0, int(middle_u - half_u)), int(middle_u + half_u) + 1)
        pixels = image[rows, columns].reshape(-1, 3).astype(np.float64)
        if not len(pixels):
            return ""
        counts = np.bincount(self._palette.nearest(pixels, light))
        return self._palette.names[int(counts.argmax())]


def _cylinder(box: Box, camera: TableCamera) -> tuple[float, float, float, float]:
    """Return middle (x, y), diameter and height [m] of the cylinder that fills a box."""
    sides_px = np.array([box.left_px, box.top_px, box.right_px, box.bottom_px])
    left_m, right_m = camera.on_plane(sides_px[[0, 3, 2, 3]].reshape(2, 2))
    near_m = (left_m + right_m) / 2
    away = near_m - camera.position_m[:2]
    wide_m = float(np.linalg.norm(right_m - left_m))
    middle_m = near_m + away / max(float(np.linalg.norm(away)), 1e-6) * wide_m / 2

    def missed_px(values: FloatArray) -> FloatArray:
        radius_m, high_m = abs(values[2]) / 2, abs(values[3])
        ring = np.column_stack(
            [values[0] + radius_m * _RING[:, 0], values[1] + radius_m * _RING[:, 1]]
        )
        points = np.vstack([np.column_stack([ring, np.full(len(ring), z)]) for z in (0.0, high_m)])
        pixels = camera.project(points)
        return np.concatenate([pixels.min(axis=0), pixels.max(axis=0)]) - sides_px

    first = np.array([*middle_m, wide_m, wide_m / 2])
    x_m, y_m, wide_m, high_m = map(float, least_squares(missed_px, first, x_scale=0.01).x)
    return x_m, y_m, max(0.002, abs(wide_m)), max(0.0008, abs(high_m))


def _is_hidden(box: Box, hidden: Mask) -> bool:
    """Tell whether it is mostly the arm that was found."""
    part = hidden[max(0, int(box.top_px)) : int(box.bottom_px) + 1,
                  max(0, int(box.left_px)) : int(box.right_px) + 1]  # fmt: skip
    return part.size == 0 or float((part > 0).mean()) > _HIDDEN_SHARE


def _without_doubles(boxes: Sequence[Box], most_shared: float) -> list[Box]:
    """Return the surest of boxes that lie over each other."""
    kept: list[Box] = []
    for box in sorted(boxes, key=lambda item: -item.score):
        shared = (box.shared_px2(other) / max(1e-6, box.area_px2 + other.area_px2
                  - box.shared_px2(other)) for other in kept)  # fmt: skip
        if all(share < most_shared for share in shared):
            kept.append(box)
    return kept


def _support(box: Box, others: Sequence[Box]) -> int:
    """Return the index of what a thing lies in or on: the smallest box that holds most of its own."""
    around = [
        (other.area_px2, index)
        for index, other in enumerate(others)
        if other is not box
        and box.area_px2 < _SMALLER_SHARE * other.area_px2
        and box.shared_px2(other) > _INSIDE_SHARE * box.area_px2
    ]
    return min(around)[1] if around else -1
