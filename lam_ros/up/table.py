"""The table of what is started: rows in the order in which they are brought up.

`lam up NAME` and `launch/NAME.launch.py` read the same rows, so they cannot drift.
Every row but the last is a node that the last, the bring-up node, configures and
activates in order.

Started again when it dies is what the arm can do without: while it is away, the control
node hears silence and holds.  The arm's driver, the simulation and the control node are
not: what they knew (commands in force, a latched e-stop) is lost with them, so all ends.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lam_policies.checkpoint import find_policy
from lam_policies.kinds import LAM
from lam_ros.camera.settings import load_cameras
from lam_ros.config import load_group, load_robot, options
from lam_ros.core.errors import ConfigError, unknown_name
from lam_ros.core.robot import RobotDescription
from lam_ros.graph import DETAIL_WIDTH_PX, EXPERT, GraphParameters, arm_graph, sim_graph
from lam_ros.paths import config_dir
from lam_ros.planning.config import TRUTH
from lam_ros.planning.decision_log import FILE as DECISIONS
from lam_ros.supervisor import NodeSpec
from lam_ros.up import offered
from lam_ros.up.arguments import Argument, Values
from lam_ros.up.offered import NOBODY, REMOTE, SHIPPED
from lam_sim.arms import model_of

RESTARTED = ("description", "perception", "policy", "planner", "expert", "rviz")
"""What is started again when it dies.  Not the recorder: an episode would seem to go on; and not
teleoperation: the arm would move again without a person having decided it."""

CAMERA = "camera_"
"""Before a camera's name: its node."""

_ORDER = (
    "sim",
    "arm",
    CAMERA,
    "description",
    "control",
    "perception",
    "policy",
    "expert",
    "planner",
    "recorder",
)
_TRUTH_RATE_HZ = 50.0
"""Who steers by the scene, not by pictures, needs it at the control rate."""

_SCENE_RATE_HZ = 20.0


@dataclass(frozen=True)
class Setup:
    """One thing that can be started.

    Attributes:
        name: of `lam up NAME` and `NAME.launch.py`.
        summary: one line for people.
        arguments: what it can be told.
        rows: makes the nodes from the arguments; what they write goes into the folder.
        is_addition: the nodes join those of an arm that is brought up elsewhere; they bring
            themselves up.
    """

    name: str
    summary: str
    arguments: tuple[Argument, ...]
    rows: Callable[[Values, Path], tuple[NodeSpec, ...]]
    is_addition: bool = False

    def specs(self, values: Values, folder: Path) -> tuple[NodeSpec, ...]:
        """Return all rows, the bring-up node last if there is one.

        Raises:
            ConfigError: if a value is not allowed, or two do not go together.
        """
        shared = {"use_sim_time": values.flag("use_sim_time"), "autostart": self.is_addition}
        files = values.file("params_file")
        rows = [*self.rows(values, folder)]
        if not self.is_addition:
            rows.append(_description(values))
        rows.sort(key=lambda row: _place(row.name))
        rows = [
            replace(
                row,
                parameters={**row.parameters, **shared},
                restart=is_restarted(row.name),
                namespace=values.namespace,
                parameter_files=files,
            )
            for row in rows
        ]
        if self.is_addition:
            return tuple(rows)
        return (*rows, *_rviz(values), _bringup(rows, values))


def is_restarted(name: str) -> bool:
    """Return whether a node is started again when it dies."""
    return name in RESTARTED or name.startswith(CAMERA)


def _place(name: str) -> int:
    kind = CAMERA if name.startswith(CAMERA) else name
    return _ORDER.index(kind) if kind in _ORDER else len(_ORDER)


def setup_of(name: str) -> Setup:
    """Return a setup by its name.

    Raises:
        ConfigError: if there is none.
    """
    if name not in SETUPS:
        raise ConfigError(unknown_name("start", name, SETUPS))
    return SETUPS[name]


def _simulation(values: Values, folder: Path) -> tuple[NodeSpec, ...]:
    return _arm(values, folder, simulated=True)


def _real(values: Values, folder: Path) -> tuple[NodeSpec, ...]:
    return _arm(values, folder, simulated=False)


def _teleoperation(values: Values, folder: Path) -> tuple[NodeSpec, ...]:
    rows = _arm(values, folder, simulated=values.flag("sim"))
    return (*rows, *_teleop(values))


def _recording(values: Values, folder: Path) -> tuple[NodeSpec, ...]:
    parameters = {
        "robot": values.text("robot"),
        "root": str(Path(values.text("root")).resolve()),
        "images": values.text("images"),
    }
    recorder = NodeSpec("recorder", "lam_ros.nodes.recorder", "RecorderNode", parameters)
    return (*_teleoperation(values, folder), recorder)


def _arm(values: Values, folder: Path, *, simulated: bool) -> tuple[NodeSpec, ...]:
    """Return the arm, what commands it, and who drives it."""
    policy, robot = values.text("policy"), load_robot(values.text("robot"))
    if simulated and values.flag("use_sim_time"):
        raise ConfigError(
            "use_sim_time: the simulation keeps real time and publishes no /clock; leave it false"
        )
    if policy == EXPERT and not simulated:
        raise ConfigError(
            "policy: the script sees a simulation's ground truth only; use policy=lam"
        )
    if values.text("scene") == TRUTH and not simulated:
        raise ConfigError("scene: a real table has no truth to read; use scene=seen")
    steers_by_truth = EXPERT in (policy, values.text("teleop"))
    behind = simulated and values.text("driver") == "ros2_control"
    has_detail = simulated or values.text("cameras") != NOBODY
    parameters = GraphParameters(
        policy_type=policy,
        shared={"robot": values.text("robot")},
        sim={
            "seed": values.whole("seed") if simulated else 0,
            "scene_rate_hz": _TRUTH_RATE_HZ if steers_by_truth else _SCENE_RATE_HZ,
            "controller": values.text("controller") if behind else "",
        },
        policy={"checkpoint": _policy_folder(policy, values.text("policy_path"))},
        planner={
            "decision_log": str((folder / DECISIONS).resolve()),
            "decision_log_goes_on": True,  # a planner that died and was started again adds to it
            "policy_id": policy if policy in (NOBODY, EXPERT) else values.text("policy_path"),
        },
        perception=_perception(values, policy, has_detail=has_detail)
        if _can_see(robot, simulated=simulated)
        else None,
    )
    if not simulated and values.text("driver") == "so101" and robot.name != "so101":
        raise ConfigError(
            f"driver: LeRobot's driver moves an so101, and the robot is '{robot.name}'; "
            "take driver=ros2_control"
        )
    if simulated:
        model_of(robot)
    rows = (arm_graph if policy == NOBODY else sim_graph)(parameters)
    if policy == REMOTE:
        rows = tuple(row for row in rows if row.name != "policy")
    if behind:
        rows = (*rows, _driver(values))
    if simulated:
        if values.text("cameras") not in ("", NOBODY):
            raise ConfigError("cameras: a simulated arm has simulated ones; take cameras=none")
        return rows
    return (*(_driver(values) if r.name == "sim" else r for r in rows), *_cameras(values))


def _policy_alone(values: Values, folder: Path) -> tuple[NodeSpec, ...]:
    """Return the policy node, for an arm on another machine."""
    policy = values.text("policy")
    load_robot(values.text("robot"))
    parameters = GraphParameters(
        policy_type=policy,
        policy_threads=values.whole("threads"),
        shared={"robot": values.text("robot")},
        policy={
            "checkpoint": _policy_folder(policy, values.text("policy_path")),
            "device": values.text("device"),
            "stitch": values.text("stitch"),
            "retries": values.whole("retries"),
            "preview_dir": str((folder / "rejected").resolve()),
        },
    )
    spec = next(row for row in sim_graph(parameters) if row.name == "policy")
    return (replace(spec, nice=0, cpus=()),)  # no command stream is near that it could disturb


def _cameras(values: Values) -> tuple[NodeSpec, ...]:
    """Return a node for each of the robot's cameras, if devices are named."""
    cameras = values.text("cameras")
    if cameras == NOBODY:
        return ()
    shared = {
        "robot": values.text("robot"),
        "cameras": cameras,
        "detail_width_px": DETAIL_WIDTH_PX,
    }
    return tuple(
        NodeSpec(CAMERA + name, "lam_ros.nodes.camera", "CameraNode", {**shared, "camera": name})
        for name in load_cameras(cameras, load_robot(values.text("robot")))
    )


def _policy_folder(policy: str, path: str) -> str:
    """Return the checkpoint's folder, as a policy that is named and cannot be found is refused."""
    if policy in (NOBODY, EXPERT, REMOTE, LAM):
        return path
    return str(find_policy(policy, "", "" if path == SHIPPED else path))


def _can_see(robot: RobotDescription, *, simulated: bool) -> bool:
    """Tell whether perception knows the arm; in simulation the truth stands in where it does not."""
    shape = str(load_group("perception", "default").get("arm") or "")
    links = load_group("perception", shape)["links"] if shape and simulated else []
    return {link["joint"] for link in links if link.get("joint")} <= set(robot.joint_names)


def _perception(values: Values, policy: str, *, has_detail: bool) -> dict[str, Any] | None:
    """Return the perception node's parameters; None where nobody plans on what is seen.

    Cameras of our own have larger pictures for it beside those for the policy.
    """
    if policy in (NOBODY, EXPERT) or values.text("scene") == TRUTH:
        return None
    path = values.text("calibration")
    return {"calibration": str(Path(path).resolve()) if path else "", "detail": has_detail}


def _driver(values: Values) -> NodeSpec:
    if values.text("driver") == "ros2_control":
        parameters = {name: values.text(name) for name in ("robot", "controller")}
        return NodeSpec("arm", "lam_ros.nodes.ros2_control", "Ros2ControlNode", parameters)
    names = ("robot", "port", "id", "calibration_dir")
    parameters = {name: values.text(name) for name in names}
    return NodeSpec("arm", "lam_ros.nodes.arm", "ArmNode", parameters)


def _teleop(values: Values) -> tuple[NodeSpec, ...]:
    name = values.text("teleop")
    if name == NOBODY:
        return ()
    data = load_group("teleop", name)
    if "keyboard" in (data.get("type"), data.get("switch")):
        raise ConfigError(
            f"teleop: '{name}' reads the keys of a terminal, and what is started here has none; "
            f"take teleop=none, and run lam teleop --attach teleop={name} in a terminal"
        )
    if data.get("type") == EXPERT and not values.flag("sim"):
        raise ConfigError("teleop: the script sees a simulation's ground truth only; take sim=true")
    parameters = {
        "robot": values.text("robot"),
        "teleop": name if name in options("teleop") else str(Path(name).resolve()),
    }
    return (NodeSpec("teleop", "lam_ros.nodes.teleop", "TeleopNode", parameters),)


def _description(values: Values) -> NodeSpec:
    parameters: dict[str, Any] = {"robot": values.text("robot")}
    return NodeSpec("description", "lam_ros.nodes.description", "DescriptionNode", parameters)


def _bringup(rows: list[NodeSpec], values: Values) -> NodeSpec:
    parameters = {"nodes": ",".join(row.name for row in rows)}
    return NodeSpec(
        "bringup",
        "lam_ros.nodes.bringup",
        "BringupNode",
        parameters,
        namespace=values.namespace,
        parameter_files=values.file("params_file"),
    )


def _rviz(values: Values) -> tuple[NodeSpec, ...]:
    if values.flag("headless") or not values.flag("use_rviz"):
        return ()
    command = ["rviz2", "-d", str(config_dir() / "rviz" / "lam.rviz"), "--ros-args"]
    if values.namespace:
        command += ["-r", f"__ns:=/{values.namespace}"]
    return (NodeSpec("rviz", "", "", program=tuple(command), restart=True),)


SETUPS = {
    setup.name: setup
    for setup in (
        Setup(
            "sim",
            "the simulated arm, and a policy that carries out instructions",
            offered.SIM,
            _simulation,
        ),
        Setup(
            "robot",
            "a real arm behind the safety room, with a policy if one is named",
            offered.ROBOT,
            _real,
        ),
        Setup("teleop", "an arm that a person moves", offered.TELEOP, _teleoperation),
        Setup(
            "record",
            "an arm that a person moves, and the recorder; lam/record_episode starts an episode",
            offered.RECORD,
            _recording,
        ),
        Setup(
            "policy",
            "a policy alone, for an arm that another machine brings up with policy=remote",
            offered.POLICY_ALONE,
            _policy_alone,
            is_addition=True,
        ),
    )
}
