"""Settings of the planner and of the execution of its plans (config/planner/)."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from lam_ros.core.errors import ConfigError, unknown_name
from lam_ros.core.scene import SceneObject
from lam_ros.planning.kinds import FURNITURE, head

SEEN, TRUTH = SCENES = ("seen", "truth")
"""What can be planned on."""


@dataclass(frozen=True)
class Reach:
    """Where the gripper can grasp and release, in the robot's base frame.

    Attributes:
        axis_xy_m: where the pan axis stands on the table.
        min_m, max_m: horizontal distance from that axis.
        max_height_m: largest height of a grasped object's centre above the table.
    """

    axis_xy_m: tuple[float, float] = (0.0, 0.0)
    min_m: float = 0.0
    max_m: float = math.inf
    max_height_m: float = math.inf

    def __post_init__(self) -> None:
        """Refuse an empty ring."""
        if not 0 <= self.min_m < self.max_m:
            raise ConfigError(
                f"reach: min_m {self.min_m} and max_m {self.max_m} came; "
                "0 <= min_m < max_m is needed"
            )

    def distance_m(self, item: SceneObject) -> float:
        """Horizontal distance of an object's centre from the pan axis."""
        return math.dist(self.axis_xy_m, item.position_m[:2])

    def holds(self, item: SceneObject) -> bool:
        """Tell whether an object's centre lies in the ring."""
        return self.min_m <= self.distance_m(item) <= self.max_m


@dataclass(frozen=True)
class ExecutionConfig:
    """How a plan is carried out and watched.

    Attributes:
        settle_s: how long an effect must be seen, without a break, to count.
        step_timeout_s: time that one attempt at a step may take.
        look_timeout_s: how long to wait for an object or a fresh scene before replanning.
        scene_stale_s: age above which a scene is not believed.
        max_attempts: attempts at one step, all alike.
        other_grasps: attempts after those, each with another grasp, before replanning.
        max_replans: plans made anew before asking.
        ask_timeout_s: how long a question in the middle of a run waits for its answer
            before giving up; 0 if there is nobody to ask.
    """

    settle_s: float = 0.5
    step_timeout_s: float = 30.0
    look_timeout_s: float = 5.0
    scene_stale_s: float = 1.0
    max_attempts: int = 2
    other_grasps: int = 0
    max_replans: int = 2
    ask_timeout_s: float = 0.0

    def __post_init__(self) -> None:
        """Refuse times that are not positive and counts that allow nothing."""
        times = ("settle_s", "step_timeout_s", "look_timeout_s", "scene_stale_s")
        for name in times:
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise ConfigError(f"execution.{name}: {value} came, a positive time is needed")
        if self.max_attempts < 1 or self.max_replans < 0 or self.other_grasps < 0:
            raise ConfigError(
                "execution: max_attempts >= 1, other_grasps >= 0 and max_replans >= 0 are needed"
            )
        if not (math.isfinite(self.ask_timeout_s) and self.ask_timeout_s >= 0):
            raise ConfigError(
                f"execution.ask_timeout_s: {self.ask_timeout_s} came, 0 or a time is needed"
            )


@dataclass(frozen=True)
class MemoryConfig:
    """What is remembered from one run to the next.

    Attributes:
        enabled: whether anything is.
        folder: where each robot's file is; empty for the user's own state directory.
        prior_successes, prior_failures: what is believed of a skill before it was tried,
            as if it had been tried so often (a Beta distribution).
    """

    enabled: bool = True
    folder: str = ""
    prior_successes: float = 8.0
    prior_failures: float = 2.0

    def __post_init__(self) -> None:
        """Refuse a prior that is none."""
        for name in ("prior_successes", "prior_failures"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise ConfigError(f"memory.{name}: {value} came, a positive number is needed")


@dataclass(frozen=True)
class LlmConfig:
    """A language model that may propose goals.

    Attributes:
        base_url: of an OpenAI-compatible endpoint, with its `/v1`; empty for no model.
        model: its name there.
        timeout_s: longest wait for a whole answer; the offline answer stands after it.
        max_tokens: longest answer.
    """

    base_url: str = ""
    model: str = "default"
    timeout_s: float = 10.0
    max_tokens: int = 1000

    def __post_init__(self) -> None:
        """Refuse what is no address, and times that are not positive."""
        if self.base_url and not self.base_url.startswith(("http://", "https://")):
            raise ConfigError(
                f"planner.llm.base_url: '{self.base_url}' came; "
                "an address such as http://localhost:11434/v1 is needed"
            )
        if not (math.isfinite(self.timeout_s) and self.timeout_s > 0) or self.max_tokens < 1:
            raise ConfigError("planner.llm: timeout_s > 0 and max_tokens >= 1 are needed")


@dataclass(frozen=True)
class PlannerConfig:
    """What the planner takes for granted.

    Attributes:
        scene: what is planned on, `seen` by a camera or the simulation's `truth`.
        confirm: whether a person must say yes to each plan before it begins.
        max_characters: longest instruction that is read.
        fixed_kinds: kinds that are never picked up; they serve as targets.
        movable_kinds: kinds that the policy can pick up; empty for all that are not fixed.
        liftable_kinds: of the fixed kinds, those that can be picked up when they are named.
        reach: where the arm reaches; without limits unless given.
        execution: how plans are carried out.
        memory: what is remembered from one run to the next.
        llm: a language model that may propose goals.
    """

    scene: str = SEEN
    confirm: bool = False
    max_characters: int = 2000
    fixed_kinds: frozenset[str] = frozenset(
        {"bowl", "tray", "spot", "plate", "mat", "table", "region", "basket", "drawer"}
    )
    movable_kinds: frozenset[str] = frozenset()
    liftable_kinds: frozenset[str] = frozenset()
    reach: Reach = field(default_factory=Reach)
    execution: ExecutionConfig = field(default_factory=ExecutionConfig)
    memory: MemoryConfig = field(default_factory=MemoryConfig)
    llm: LlmConfig = field(default_factory=LlmConfig)

    def __post_init__(self) -> None:
        """Refuse an unknown source of scenes."""
        if self.scene not in SCENES:
            raise ConfigError(f"planner.scene: {unknown_name('scene', self.scene, SCENES)}")

    def can_move(self, item: SceneObject) -> bool:
        """Tell whether the policy can pick up an object of this kind."""
        kind = head(item.kind)
        if self.is_fixed(item) and kind not in self.liftable_kinds:
            return False
        return not self.movable_kinds or item.kind in self.movable_kinds

    def is_fixed(self, item: SceneObject) -> bool:
        """Tell whether an object is rather a place than a thing to move."""
        kind = head(item.kind)
        return item.kind in self.fixed_kinds or kind in self.fixed_kinds or kind in FURNITURE

    def distance_m(self, item: SceneObject) -> float:
        """Horizontal distance from the arm, by which the nearest is chosen."""
        return self.reach.distance_m(item)
