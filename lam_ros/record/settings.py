"""What `lam record` can be told: the composed configuration as frozen dataclasses."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

from lam_ros.composing import compose_config
from lam_ros.config import build, load_group
from lam_ros.core.errors import ConfigError
from lam_ros.core.robot import RobotDescription
from lam_ros.evaluation.settings import PolicyConfig, control_config
from lam_ros.graph import sim_graph
from lam_ros.record.loop import LoopConfig
from lam_ros.recording.gate import GateConfig
from lam_ros.recording.settings import RecorderConfig, session_problem
from lam_ros.run.parameters import driver_of, graph_parameters
from lam_ros.run.settings import RunSettings, scene_with
from lam_ros.supervisor import NodeSpec
from lam_ros.teleop.settings import TeleopSettings
from lam_sim.scenes import SceneConfig

SCRIPT = "expert"
"""Type of teleoperator that needs no person, and the simulation's ground truth."""

_GROUPS = ("robot", "control", "safety", "planner", "teleop")
_TASK = "task="
_SCRIPT_SCENE_RATE_HZ = 50.0
_MOST_TASK = 1000


@dataclass(frozen=True)
class RecordSettings:
    """Everything that a session depends on; times and numbers as in `LoopConfig`.

    Attributes:
        groups: the composed groups as plain data, for the nodes' own files.
        driver: policy that drives, by its name in config/policy; empty if the teleoperator does.
        episode_s: after which an episode ends by itself.
        free_gb, reserve_gb: room on the disk that an episode must find, and leaves.
    """

    robot: RobotDescription
    scene: SceneConfig
    teleop: TeleopSettings
    groups: Mapping[str, Mapping[str, Any]]
    task: str
    driver: str
    episodes: int
    sim: bool
    root: str
    session: str
    operator: str
    seed: int
    episode_s: float
    countdown_s: float
    reset_s: float
    gate_s: float
    give_up_after: int
    rate_tolerance: float
    images: str
    jpeg_quality: int
    delete_discarded: bool
    free_gb: float
    reserve_gb: float
    sound: bool

    def __post_init__(self) -> None:
        """Refuse what makes no session."""
        if not self.task.strip() or len(self.task) > _MOST_TASK:
            raise ConfigError(
                f"task: {len(self.task)} characters came, 1 to {_MOST_TASK} are allowed: "
                'lam record task="put the red cube in the blue bowl"'
            )
        if not 0 < self.episode_s < 1e5:
            raise ConfigError(f"episode_s: {self.episode_s} came, more than 0 is needed")
        if self.seed < 0:
            raise ConfigError(f"seed: {self.seed} came, 0 or more is allowed")
        problem = session_problem(self.session)
        if problem:
            raise ConfigError(f"session: {problem}")
        if self.is_scripted and not self.sim:
            raise ConfigError("teleop: the scripted teleoperator sees a simulation only; sim=true")
        if self.driver and not self.sim:
            raise ConfigError(
                "driver: only in simulation can a policy drive in a session; sim=true"
            )
        if self.is_driven_by_script and not self.is_scripted:
            raise ConfigError(
                f"teleop: '{self.teleop.type}' came; the script drives as a person does and cannot "
                "be stepped in for: leave teleop out, or take driver=lam"
            )
        self.loop(attended=True)
        self.recorder()

    @property
    def is_scripted(self) -> bool:
        """True if no person operates the arm."""
        return self.teleop.type == SCRIPT

    @property
    def is_driven_by_script(self) -> bool:
        """True if the script does the steps of a plan, as a policy would."""
        return self.driver == SCRIPT

    def loop(self, *, attended: bool) -> LoopConfig:
        """Return the course's times and numbers; without a person nobody waits for one."""
        return LoopConfig(
            episodes=self.episodes,
            countdown_s=self.countdown_s if attended else 0.0,
            reset_s=self.reset_s if attended and not self.is_scripted else 0.0,
            gate_s=self.gate_s,
            give_up_after=self.give_up_after,
            attended=attended,
        )

    def recorder(self) -> RecorderConfig:
        """Return how episodes are recorded."""
        gate = GateConfig(self.rate_tolerance, int(self.free_gb * 1e9))
        return RecorderConfig(
            root=self.root,
            images=self.images,
            jpeg_quality=self.jpeg_quality,
            delete_discarded=self.delete_discarded,
            reserve_bytes=int(self.reserve_gb * 1e9),
            gate=gate,
        )


def load_record_settings(overrides: Sequence[str]) -> RecordSettings:
    """Compose `config/record.yaml` with overrides; the task is taken as it stands.

    Raises:
        ConfigError: if a key or value is not allowed.
        RobotError: if the robot's description is inconsistent.
    """
    tasks = [text.removeprefix(_TASK) for text in overrides if text.startswith(_TASK)]
    data = compose_config("record", [text for text in overrides if not text.startswith(_TASK)])
    groups = {name: data.pop(name) for name in _GROUPS}
    control_config(groups["control"], groups["safety"])
    scene = build(SceneConfig, data.pop("scene"), "scene")
    if tasks:
        data["task"] = tasks[-1]
    data["session"] = data["session"] or time.strftime("%Y%m%d-%H%M%S")
    parts = {
        "robot": RobotDescription.from_dict(groups["robot"]),
        "scene": scene_with(scene, str(data["task"])),
        "teleop": build(TeleopSettings, groups["teleop"], "teleop"),
        "groups": groups,
    }
    return build(RecordSettings, {**parts, **data}, "record")


def write_files(settings: RecordSettings, folder: Path) -> dict[str, str]:
    """Write each group as a YAML file; returns group -> path."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = {}
    for name, data in settings.groups.items():
        path = folder / f"{name}.yaml"
        path.write_text(yaml.safe_dump(dict(data), sort_keys=False), encoding="utf-8")
        paths[name] = str(path.resolve())
    return paths


@dataclass(frozen=True)
class Table:
    """The nodes that run in processes of their own, the slowest to start first.

    Attributes:
        driver: name of the policy that drives; empty if none does.
    """

    specs: tuple[NodeSpec, ...]
    driver: str = ""


def node_table(settings: RecordSettings, files: Mapping[str, str], folder: Path) -> Table:
    """Return the nodes; files that they need beside the groups' go into `folder`.

    Raises:
        ConfigError: if there is no such policy.
        CheckpointError: if it cannot be loaded.
        FingerprintMismatch: if it was made for another robot.
    """
    robot = {"robot": files["robot"]}
    recorder = NodeSpec(
        "recorder", "lam_ros.nodes.recorder", "RecorderNode", robot | _recorder(settings)
    )
    if settings.driver:
        run = _run_settings(settings)
        driver = driver_of(run)
        parameters = graph_parameters(
            run, driver, settings.seed, folder, video=False, single_process=False
        )
        return Table((*sim_graph(parameters), recorder), driver.name)
    control = {"control": files["control"], "safety": files["safety"]}
    specs = [recorder, NodeSpec("control", "lam_ros.nodes.control", "ControlNode", robot | control)]
    if settings.sim:
        specs.insert(0, NodeSpec("sim", "lam_ros.nodes.sim", "SimNode", robot | _sim(settings)))
    return Table(tuple(specs))


def _run_settings(settings: RecordSettings) -> RunSettings:
    policy = build(PolicyConfig, load_group("policy", settings.driver), "policy")
    groups = {name: data for name, data in settings.groups.items() if name != "teleop"}
    return RunSettings(settings.robot, settings.scene, policy, groups)


def _sim(settings: RecordSettings) -> dict[str, Any]:
    return {
        "seed": settings.seed,
        "scene": json.dumps(asdict(settings.scene)),
        "scene_rate_hz": _SCRIPT_SCENE_RATE_HZ if settings.is_scripted else 20.0,
    }


def _recorder(settings: RecordSettings) -> dict[str, Any]:
    return {
        "root": str(Path(settings.root).resolve()),
        "images": settings.images,
        "jpeg_quality": float(settings.jpeg_quality),
        "delete_discarded": settings.delete_discarded,
        "free_gb": settings.free_gb,
        "reserve_gb": settings.reserve_gb,
        "rate_tolerance": settings.rate_tolerance,
    }
