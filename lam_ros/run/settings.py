"""What `lam run` can be told: the composed configuration as frozen dataclasses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from lam_ros.composing import compose_config
from lam_ros.config import build
from lam_ros.core.errors import ConfigError
from lam_ros.core.robot import RobotDescription
from lam_ros.evaluation.settings import PolicyConfig, control_config
from lam_ros.graph import EXPERT
from lam_ros.planning.config import SEEN, PlannerConfig
from lam_ros.run.mentions import mentions
from lam_sim.catalog import KINDS, TASK_COLORS
from lam_sim.scenes import FIXTURES, SceneConfig

_GROUPS = ("robot", "control", "safety", "planner")
"""Groups that nodes read from files of their own."""


@dataclass(frozen=True)
class VideoConfig:
    """How the run is filmed.

    Attributes:
        enabled: whether it is.
        rate_hz: pictures a second.
        fine: shadows and smooth edges, at ten times the time to draw.
    """

    enabled: bool = True
    rate_hz: float = 20.0
    fine: bool = False

    def __post_init__(self) -> None:
        """Refuse rates that no film has."""
        if not 1.0 <= self.rate_hz <= 50.0:
            raise ConfigError(f"video.rate_hz: {self.rate_hz} came, allowed is 1 to 50")


@dataclass(frozen=True)
class FaultConfig:
    """What goes wrong on purpose, to see what happens then.

    Attributes:
        stop_camera: name of a camera that falls silent; empty for none.
        stop_camera_after_s: when, from the start of the simulation.
    """

    stop_camera: str = ""
    stop_camera_after_s: float = 0.0


@dataclass(frozen=True)
class RunSettings:
    """Everything that one run depends on, beside the instruction and the seed.

    Attributes:
        groups: the composed groups as plain data, for the nodes' own files.
        max_seconds: of the whole instruction, after which the run ends with a time-out.
        replan_every_s: time between two inferences.
    """

    robot: RobotDescription
    scene: SceneConfig
    policy: PolicyConfig
    groups: Mapping[str, Mapping[str, Any]]
    max_seconds: float = 120.0
    replan_every_s: float = 0.16
    video: VideoConfig = field(default_factory=VideoConfig)
    faults: FaultConfig = field(default_factory=FaultConfig)

    def __post_init__(self) -> None:
        """Refuse times and cameras that make no sense."""
        for name in ("max_seconds", "replan_every_s"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"{name}: {getattr(self, name)} came, more than 0 is needed")
        if self.faults.stop_camera:
            self.robot.camera(self.faults.stop_camera)

    @property
    def is_scripted(self) -> bool:
        """True if the scripted teleoperator drives."""
        return self.policy.type == EXPERT

    @property
    def plans_on_what_is_seen(self) -> bool:
        """True if the planner's scenes come from a camera.

        The scripted teleoperator knows things by their true names, so its planner does, too.
        """
        return self.groups["planner"].get("scene") == SEEN and not self.is_scripted

    def seeing(self) -> RunSettings:
        """Return the settings with the planner planning on what is seen."""
        planner = {**self.groups["planner"], "scene": SEEN}
        return replace(self, groups={**self.groups, "planner": planner})

    def for_instruction(self, instruction: str) -> RunSettings:
        """Return the settings with a scene that holds what the instruction names.

        A scene whose objects were given stays as it is.
        """
        return replace(self, scene=scene_with(self.scene, instruction))


_AROUND_FIXTURES: Mapping[str, Any] = MappingProxyType(
    {"cubes": (0, 2), "bowls": (0, 1), "spots": (0, 0), "trays": (0, 0), "distractors": (0, 1)}
)
"""What else is on the table beside drawers, buttons, regions and pieces, which take room."""
_PIECES = (2, 4)


def scene_with(scene: SceneConfig, instruction: str) -> SceneConfig:
    """Return a family of scenes that hold what an instruction names; given objects stay.

    Where a fixture is named there is less of everything else, unless its count was given;
    pieces are several of the named colour.
    """
    if scene.objects:
        return scene
    kinds = {kind.name: kind.slots for kind in KINDS.values() if not kind.is_distractor}
    colors = (*TASK_COLORS, *scene.target_colors, *scene.tray_colors, *scene.drawer_colors)
    named = mentions(instruction, kinds, (*colors, *scene.piece_colors))
    more = tuple(name for name in named if name not in set(scene.include))
    scene = replace(scene, include=(*scene.include, *more))
    pieces = tuple(color for color, kind in map(str.split, named) if kind == "piece")
    if not any(f"{name.split()[1]}s" in FIXTURES for name in named):
        return scene
    usual = SceneConfig()
    drawn = {key: few for key, few in _AROUND_FIXTURES.items()
             if getattr(scene, key) == getattr(usual, key)}  # fmt: skip
    if pieces and scene.pieces == usual.pieces:
        drawn |= {"pieces": _PIECES, "piece_colors": pieces[:1]}
    return replace(scene, **drawn)


def load_run_settings(overrides: Sequence[str]) -> RunSettings:
    """Compose `config/run.yaml` with overrides.

    Raises:
        ConfigError: if a key or value is not allowed.
        RobotError: if the robot's description is inconsistent.
    """
    data = compose_config("run", overrides)
    groups = {name: data.pop(name) for name in _GROUPS}
    control_config(groups["control"], groups["safety"])
    build(PlannerConfig, groups["planner"], "planner")
    parts = {
        "robot": RobotDescription.from_dict(groups["robot"]),
        "scene": build(SceneConfig, data.pop("scene"), "scene"),
        "policy": build(PolicyConfig, data.pop("policy"), "policy"),
        "groups": groups,
    }
    return build(RunSettings, {**parts, **data}, "run")


def write_groups(settings: RunSettings, folder: Path) -> dict[str, str]:
    """Write each group as a YAML file; returns group -> path."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = {}
    for name, data in settings.groups.items():
        path = folder / f"{name}.yaml"
        path.write_text(yaml.safe_dump(dict(data), sort_keys=False), encoding="utf-8")
        paths[name] = str(path.resolve())
    return paths
