"""What `lam eval` can be told: the composed configuration as frozen dataclasses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from lam_ros.composing import compose_config
from lam_ros.config import build
from lam_ros.core.controller import ControlConfig
from lam_ros.core.errors import ConfigError
from lam_ros.core.robot import RobotDescription
from lam_ros.core.stitching import Stitch
from lam_ros.core.unsticking import RETRIES
from lam_ros.evaluation.axes import Axis
from lam_sim.scenes import SceneConfig
from lam_sim.tasks import TaskType

Wording = Literal["canonical", "train", "heldout"]


@dataclass(frozen=True)
class PolicyConfig:
    """Which policy drives.

    Attributes:
        type: `lam`, one of LeRobot's kinds, or `expert` for the scripted teleoperator,
            which sees ground truth.
        checkpoint: name of a shipped checkpoint, or the path of a folder.
        path: a folder, or the name of a checkpoint on the hub; instead of `checkpoint`.
        device: `auto`, `cpu` or `cuda`.
        threads: CPU threads of one worker's inference.
        stitch: how its chunks are made to fit each other; see `Stitch`.
        retries: how often an arm that stands still begins a step again from home; 0 for never.
    """

    type: str
    checkpoint: str = ""
    path: str = ""
    device: str = "auto"
    threads: int = 1
    stitch: Stitch = Stitch.AUTO
    retries: int = RETRIES

    def __post_init__(self) -> None:
        """Check the number of retries.

        Raises:
            ConfigError: if it is below 0.
        """
        if self.retries < 0:
            raise ConfigError(f"policy.retries is {self.retries}, 0 or more is allowed")


@dataclass(frozen=True)
class Suite:
    """A family of tasks.

    Attributes:
        name: what the report calls it.
        scene: the family of scenes.
        mix: share of each type of task.
        paired: each scene twice, the second time with another cube named.
        chain: steps done one after the other in one scene; 0 for single steps.
    """

    name: str
    scene: SceneConfig
    mix: Mapping[TaskType, float]
    paired: bool = False
    chain: int = 0


@dataclass(frozen=True)
class EvalSettings:
    """Everything that one evaluation depends on.

    Attributes:
        wording: `canonical` (the planner's), `train`, or `heldout`, which training
            never saw.
        max_seconds: simulated time that an episode may take.
        replan_every_s: time between two inferences.
        latency_s: time from the picture to its chunk being played.
        films: most failures that are run again and shown in pictures; 0 for none.
        axis: what is made harder than the suite.
    """

    robot: RobotDescription
    suite: Suite
    policy: PolicyConfig
    control: ControlConfig
    episodes: int
    first_seed: int
    workers: int
    wording: Wording
    max_seconds: float
    replan_every_s: float
    latency_s: float
    films: int
    axis: Axis = field(default_factory=Axis)

    def __post_init__(self) -> None:
        """Refuse counts and times that make no sense."""
        for name in ("episodes", "workers", "max_seconds", "replan_every_s"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"{name}: {getattr(self, name)} came, more than 0 is needed")
        if self.films < 0:
            raise ConfigError(f"films: {self.films} came, 0 or more is needed")
        self._check_axis()
        if not 0 <= self.latency_s < self.max_seconds:
            raise ConfigError(f"latency_s: {self.latency_s} came, 0 or more is needed")

    def _check_axis(self) -> None:
        acts = replace(self.axis, name="", camera_offset_m=0.0, camera_turn_rad=0.0)
        if self.policy.type == "expert" and acts != Axis(name=""):
            raise ConfigError(
                f"axis '{self.axis.name}': the teleoperator is not disturbed by it; "
                "choose another policy"
            )
        fixed = {TaskType.OPEN, TaskType.CLOSE, TaskType.PRESS, TaskType.HOME}
        drawn = {name for name, share in self.suite.mix.items() if share > 0}
        if self.axis.kick_m_s and drawn <= fixed:
            raise ConfigError(
                f"axis 'push': nothing that suite '{self.suite.name}' names can be pushed; "
                "use tabletop, stack, push or sweep"
            )

    @property
    def seeds(self) -> range:
        """The seeds of the scenes."""
        scenes = self.episodes // 2 if self.suite.paired else self.episodes
        return range(self.first_seed, self.first_seed + max(1, scenes))


def load_settings(overrides: Sequence[str]) -> EvalSettings:
    """Compose `config/eval.yaml` with overrides.

    Raises:
        ConfigError: if a key or value is not allowed.
        RobotError: if the robot's description is inconsistent.
    """
    data = compose_config("eval", overrides)
    robot = RobotDescription.from_dict(data.pop("robot"))
    parts: dict[str, Any] = {
        "suite": build(Suite, data.pop("suite"), "suite"),
        "policy": build(PolicyConfig, data.pop("policy"), "policy"),
        "axis": build(Axis, data.pop("axis"), "axis"),
        "control": control_config(data.pop("control"), data.pop("safety")),
    }
    return build(EvalSettings, {"robot": robot, **parts, **data}, "eval")


def control_config(control: Mapping[str, Any], safety: Mapping[str, Any]) -> ControlConfig:
    """Return the controller's configuration from its two groups."""
    return build(ControlConfig, {**control, "safety": safety}, "control")
