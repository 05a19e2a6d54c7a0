"""How well the scene that was planned on agreed with the ground truth while the arm moved."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np

from lam_ros.core.scene import Scene
from lam_ros.perception.matching import match

_REMEMBERED = 100
_NEAR_NS = 60_000_000
"""Farthest in time that a truth may be from the picture that it judges."""


@dataclass
class Sight:
    """Counts over all scenes of a run; what is in the gripper is left out."""

    looks: int = 0
    true: int = 0
    seen: int = 0
    found: int = 0
    colors_right: int = 0
    errors_mm: list[float] = field(default_factory=list)
    _truths: deque[Scene] = field(default_factory=lambda: deque(maxlen=_REMEMBERED), repr=False)

    def add_truth(self, truth: Scene) -> None:
        """Take in what is really there."""
        self._truths.append(truth)

    def add_seen(self, seen: Scene) -> None:
        """Compare what is seen with what was there when the picture was taken."""
        truth = min(
            self._truths, key=lambda scene: abs(scene.stamp_ns - seen.stamp_ns), default=None
        )
        if truth is None or abs(truth.stamp_ns - seen.stamp_ns) > _NEAR_NS:
            return
        self.looks += 1
        pairs = [pair for pair in match(seen, truth) if truth.held != pair[0]]
        held = bool(truth.held)
        self.true += len(truth.objects) - held
        self.seen += len(seen.objects) - (held and bool(seen.held))
        self.found += len(pairs)
        for true_id, seen_id in pairs:
            self.colors_right += truth[true_id].color == seen[seen_id].color
            self.errors_mm.append(1000 * truth[true_id].distance_xy_m(seen[seen_id]))

    def figures(self) -> dict[str, float]:
        """Return the counts as shares, and the errors' percentiles; empty if there was no look."""
        if not self.looks or not self.errors_mm:
            return {}
        p50, p95 = np.percentile(self.errors_mm, [50, 95])
        return {
            "looks": self.looks,
            "recall": round(self.found / max(1, self.true), 4),
            "precision": round(self.found / max(1, self.seen), 4),
            "colors": round(self.colors_right / max(1, self.found), 4),
            "position_mm_p50": round(float(p50), 2),
            "position_mm_p95": round(float(p95), 2),
        }
