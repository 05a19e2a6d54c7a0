"""`lam bench see`: what perception finds in pictures of scenes, against the ground truth.

Scenes are drawn from seeds that no other part of this project trains or tunes on, with
random light, textures, shades, camera poses and arm poses, and with things in and on each
other.  The calibration is the true one; each picture is judged by itself, without memory.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from lam_ros.benches.report import BenchReport, machine
from lam_ros.benches.times import percentiles_ms
from lam_ros.config import load_robot
from lam_ros.core.robot import RobotDescription
from lam_ros.core.scene import Literal, Scene
from lam_ros.evaluation.settings import load_settings
from lam_ros.perception.config import PerceptionConfig
from lam_ros.perception.matching import match
from lam_ros.perception.seer import Seer, load_perception
from lam_sim.cameras import true_camera
from lam_sim.sampling import sample_scene
from lam_sim.scenes import SceneConfig
from lam_sim.world import LockstepSim, SimConfig

FIRST_SEED = 1_030_000
PERCEPTION_SIZE_PX = (640, 400)
PLACED_PROBABILITY = 0.25
ROAMING_PROBABILITY = 0.15
PLACING = SceneConfig(
    placed_probability=PLACED_PROBABILITY, roaming_start_probability=ROAMING_PROBABILITY
)
FURNISHED = ("chains", "sweep", "push", "button", "drawer")


@dataclass
class Tally:
    """Counts over many pictures of one size."""

    true: Counter[str] = field(default_factory=Counter)
    seen: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    colors_right: int = 0
    relations: int = 0
    relations_right: int = 0
    scenes: int = 0
    scenes_right: int = 0
    drawers: int = 0
    drawers_right: int = 0
    errors_mm: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    times_s: list[float] = field(default_factory=list)

    def add(self, seen: Scene, truth: Scene) -> None:
        """Count what was seen in one scene."""
        pairs = dict(match(seen, truth))
        self.scenes += 1
        self.true.update(item.kind for item in truth.objects)
        self.seen.update(item.kind for item in seen.objects)
        colors = 0
        for true_id, seen_id in pairs.items():
            real, item = truth[true_id], seen[seen_id]
            self.found[real.kind] += 1
            colors += item.color == real.color
            self.errors_mm[real.kind].append(1000 * item.distance_xy_m(real))
            if real.opening is not None:
                self.drawers += 1
                self.drawers_right += item.is_open == real.is_open
        self.colors_right += colors
        right = self._add_relations(seen, truth, pairs)
        complete = len(pairs) == len(truth.objects) == len(seen.objects) == colors
        self.scenes_right += complete and right

    def _add_relations(self, seen: Scene, truth: Scene, pairs: dict[str, str]) -> bool:
        """Count which of the true relations were seen; tell whether all were."""
        all_right = True
        for predicate, item_id, support_id in true_relations(truth):
            self.relations += 1
            names = pairs.get(item_id, ""), pairs.get(support_id, "")
            right = all(names) and seen.holds(Literal(predicate, names))
            self.relations_right += right
            all_right &= right
        return all_right

    def figures(self) -> dict[str, Any]:
        """Return the counts as rates, and errors as percentiles."""
        everything = [error for errors in self.errors_mm.values() for error in errors]
        return {
            "scenes": self.scenes,
            "scenes_all_right": _share(self.scenes_right, self.scenes),
            "recall": _share(self.found.total(), self.true.total()),
            "precision": _share(self.found.total(), self.seen.total()),
            "color_accuracy": _share(self.colors_right, self.found.total()),
            "relation_recall": _share(self.relations_right, self.relations),
            "drawers_seen_as_open_or_shut": _share(self.drawers_right, self.drawers),
            "position_error_mm": _percentiles(everything),
            "recall_by_kind": {k: _share(self.found[k], n) for k, n in sorted(self.true.items())},
            "precision_by_kind": {
                k: _share(self.found[k], n) for k, n in sorted(self.seen.items())
            },
            "p95_error_mm_by_kind": {
                k: _percentiles(errors)["p95"] for k, errors in sorted(self.errors_mm.items())
            },
            "picture_ms": percentiles_ms(1000.0 * np.array(self.times_s)),
        }


def run(seconds: float) -> BenchReport:
    """Look at scenes for about `seconds` [s], at the size of each camera in turn."""
    robot, (config, arm) = load_robot("so101"), load_perception("default")
    config = replace(config, track=replace(config.track, confirm_count=1))
    front = robot.camera(config.camera)
    small_px = (front.width_px, front.height_px)
    stages = {
        "perception_camera": Stage(robot, config, PERCEPTION_SIZE_PX, (PLACING,)),
        "robot_camera": Stage(robot, config, small_px, (PLACING,)),
        "fixtures": Stage(robot, config, PERCEPTION_SIZE_PX, _furnished()),
    }
    tallies = {name: Tally() for name in stages}
    deadline = time.perf_counter() + seconds
    for seed in _until(deadline):
        for name, stage in stages.items():
            stage.look(seed, Seer(stage.robot, config, arm), tallies[name])
    for stage in stages.values():
        stage.sim.close()
    return BenchReport(
        bench="see",
        metrics={
            "first_seed": FIRST_SEED,
            **{
                f"{name}.{key}": value
                for name, tally in tallies.items()
                for key, value in ({"size": stages[name].size} | tally.figures()).items()
            },
        },
        ratios={},
        machine=machine(),
    )


def _furnished() -> tuple[SceneConfig, ...]:
    """Return the families with drawers, buttons, regions and pieces."""
    return tuple(
        replace(
            load_settings([f"suite={suite}"]).suite.scene,
            roaming_start_probability=ROAMING_PROBABILITY,
        )
        for suite in FURNISHED
    )


class Stage:
    """A simulator whose one camera has a certain size."""

    def __init__(
        self,
        robot: RobotDescription,
        config: PerceptionConfig,
        size_px: tuple[int, int],
        families: Sequence[SceneConfig],
    ) -> None:
        """Build the simulator of some families of scenes, which take turns."""
        self._families = families
        self._config, self._size_px = config, size_px
        camera = replace(robot.camera(config.camera), width_px=size_px[0], height_px=size_px[1])
        self.robot = replace(robot, cameras=(camera,))
        self.sim = LockstepSim(self.robot, SimConfig(families[0]))

    @property
    def size(self) -> str:
        """The size of the pictures, for people."""
        return f"{self._size_px[0]}x{self._size_px[1]}"

    def look(self, seed: int, seer: Seer, tally: Tally) -> None:
        """Count what is seen in one scene."""
        family = self._families[seed % len(self._families)]
        observed = self.sim.reset(sample_scene(family, seed, self.sim.arm))
        name = self._config.camera
        camera = true_camera(self.sim.model, self.sim.data, name, *self._size_px)
        image = observed.images[name]
        started = time.process_time()
        seen = seer.see(image, camera, observed.state_rad, observed.stamp_ns)
        tally.times_s.append(time.process_time() - started)
        tally.add(seen, self.sim.truth())


def true_relations(truth: Scene) -> Iterator[tuple[str, str, str]]:
    """Yield (predicate, object, support) of every cube that lies in or on something."""
    for item in truth.of_kind("cube"):
        for support in truth.objects:
            for predicate in ("in", "on"):
                literal = Literal(predicate, (item.id, support.id))
                if item.id != support.id and truth.holds(literal):
                    yield predicate, item.id, support.id
                    break


def _until(deadline_s: float) -> Iterator[int]:
    """Yield seeds, at least one, until a time of `perf_counter`."""
    seed = FIRST_SEED
    while seed == FIRST_SEED or time.perf_counter() < deadline_s:
        yield seed
        seed += 1


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 1.0


def _percentiles(values: list[float]) -> dict[str, float]:
    if not values:
        return {"p50": 0.0, "p95": 0.0}
    return {
        name: round(float(np.percentile(values, q)), 2) for name, q in (("p50", 50), ("p95", 95))
    }
