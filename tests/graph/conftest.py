"""Nodes of the graph in the test's own process, and a policy that needs no checkpoint."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import yaml

from lam_ros.config import load_group, load_robot
from lam_ros.core.clock import NS_PER_S
from lam_ros.core.robot import RobotDescription
from lam_ros.core.types import ActionChunk, Observation


@dataclass
class FakePolicy:
    """Turns the arm slowly about its pan axis; `answer` may be replaced."""

    robot: RobotDescription
    prompts: list[str] = field(default_factory=list)
    answer: Callable[[Observation], np.ndarray] | None = None
    info: Any = field(default_factory=lambda: SimpleNamespace(policy_id="fake-0"))

    def infer(self, observation: Observation, prompt: str) -> ActionChunk:
        """Return 12 rows, 40 ms apart."""
        self.prompts.append(prompt)
        targets = np.tile(observation.state_rad, (12, 1))
        targets[:, 0] += 0.01 * np.arange(1, 13)
        if self.answer is not None:
            targets = self.answer(observation)
        return ActionChunk(
            observation.stamp_ns, 40_000_000, self.robot.joint_names, targets, "fake-0"
        )

    def observe(self, observation: Observation) -> None:
        """Nothing is kept of what is seen."""

    def warm_up(self) -> None:
        """Nothing is slow the first time."""

    def reset(self) -> None:
        """Nothing is remembered."""


def parameters(values: dict[str, object]) -> list[Any]:
    """Return values as ROS parameters, with autostart off."""
    from rclpy.parameter import Parameter

    return [Parameter(name, value=value) for name, value in ({"autostart": False} | values).items()]


@dataclass
class World:
    """The graph's nodes, each brought up when it is asked for, in the test's executor."""

    graph: Any
    nodes: list[Any] = field(default_factory=list)

    def bring_up(self, make: Callable[..., Any], **values: object) -> Any:
        """Create a node, configure and activate it."""
        node = self.graph.add(make(parameter_overrides=parameters(values)))
        node.bring_up()
        self.nodes.append(node)
        return node

    def sim(self, **values: object) -> Any:
        """Bring up the simulator."""
        from lam_ros.nodes.sim import SimNode

        return self.bring_up(SimNode, **({"seed": 7} | values))

    def control(self) -> Any:
        """Bring up the control node."""
        from lam_ros.nodes.control import ControlNode

        return self.bring_up(ControlNode, discovery_s=0.0, realtime=False)

    def policy(self, **values: object) -> FakePolicy:
        """Bring up the policy node with a fake policy, and return that."""
        from lam_ros.nodes.policy import PolicyNode

        policy = FakePolicy(load_robot("so101"))

        def make(**arguments: Any) -> Any:
            return PolicyNode(load=lambda *_: policy, **arguments)

        self.bring_up(make, **values)
        return policy

    def expert(self) -> Any:
        """Bring up the scripted teleoperator."""
        from lam_ros.nodes.expert import ExpertNode

        return self.bring_up(ExpertNode)

    def planner(self, **values: object) -> Any:
        """Bring up the planner."""
        from lam_ros.nodes.planner import PlannerNode

        return self.bring_up(PlannerNode, **values)

    def close(self) -> None:
        """Take the nodes down, the newest first."""
        for node in reversed(self.nodes):
            node.take_down()


@pytest.fixture
def world(graph: Any, tmp_path: Path) -> Any:
    """A graph whose nodes are taken down at the end."""
    made = World(graph)
    yield made
    made.close()


@dataclass(frozen=True)
class Patient:
    """Files of a robot and of a control node that bear with a machine that is busy."""

    robot: str
    control: str

    def bring_up_control(self, world: Any) -> None:
        from lam_ros.nodes.control import ControlNode

        world.bring_up(
            ControlNode, robot=self.robot, control=self.control, discovery_s=0.0, realtime=False
        )


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Patient:
    """Joint states may be 0.6 s old, and a person silent for 0.8 s."""
    folder = tmp_path_factory.mktemp("patient")
    robot, control = load_group("robot", "so101"), load_group("control", "default")
    robot["joint_state"]["stale_after_s"] = 0.6
    for camera in robot["cameras"].values():
        camera["stale_after_s"] = 1.0
    control["teleop"] |= {"silent_after_s": 0.8, "max_age_s": 0.8}
    paths = {}
    for name, data in (("robot", robot), ("control", control)):
        path = folder / f"{name}.yaml"
        path.write_text(yaml.safe_dump(data), encoding="utf-8")
        paths[name] = str(path)
    return Patient(**paths)


# -- recording -------------------------------------------------------------------------

PERIOD_NS = 40_000_000
"""Of everything that the resting arm sends."""


@pytest.fixture(scope="session")
def robot_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return a robot that sends at 25 Hz, and may be late: the test's executor is shared."""
    data = load_group("robot", "so101")
    data["control_rate_hz"] = 25.0
    data["joint_state"] = {"rate_hz": 25.0, "stale_after_s": 1.5}
    for camera in data["cameras"].values():
        camera |= {"width_px": 64, "height_px": 48, "rate_hz": 25.0, "stale_after_s": 1.5}
    path = tmp_path_factory.mktemp("robot") / "small.yaml"
    path.write_text(yaml.safe_dump(data), encoding="utf-8")
    return str(path)


class RestingArm:
    """An arm at rest with two cameras, on the graph of a test.

    Attributes:
        silent: cameras that send nothing.
        sizes: camera -> width and height of its pictures.
        joint_names: of the joint states.
        stamp: makes the stamp [ns] of the pictures from the time.
    """

    def __init__(self, graph: Any, robot_file: str) -> None:
        import sensor_msgs.msg

        from lam_interfaces import msg as lam_msg
        from lam_ros.bridge import qos
        from lam_ros.bridge.clock import RosClock

        self.graph, self.robot = graph, load_robot(robot_file)
        self.silent: set[str] = set()
        self.sizes = {c.name: (c.width_px, c.height_px) for c in self.robot.cameras}
        self.joint_names = list(self.robot.joint_names)
        self.stamp = lambda now_ns: now_ns
        self.sent = 0
        self._clock, node = RosClock(graph.node), graph.node
        make = node.create_publisher
        self._image_type = sensor_msgs.msg.Image
        self._images = {
            name: make(sensor_msgs.msg.Image, self.robot.image_topic(name), qos.SENSOR)
            for name in self.robot.camera_names
        }
        self._joints = make(sensor_msgs.msg.JointState, "joint_states", qos.SENSOR)
        self._commands = make(lam_msg.JointCommand, "lam/joint_command", qos.COMMAND)
        node.create_timer(PERIOD_NS / NS_PER_S, self._send)

    def _send(self) -> None:
        from lam_ros.bridge.messages import command_to, joints_to, ns_to_stamp
        from lam_ros.core.types import JointState

        now_ns = self._clock.now_ns()
        home = np.array(self.robot.poses.home_rad)
        joints = joints_to(JointState(now_ns, home), self.robot)
        joints.name = self.joint_names
        self._joints.publish(joints)
        self._commands.publish(command_to(home, self.robot, stamp_ns=now_ns))
        for name, publisher in self._images.items():
            if name in self.silent:
                continue
            width, height = self.sizes[name]
            image = self._image_type(width=width, height=height, step=3 * width, encoding="rgb8")
            image.header.stamp = ns_to_stamp(self.stamp(now_ns))
            image.header.frame_id = f"{name}_optical_frame"
            image.data.frombytes(bytes([200, 30, 30]) * (width * height))
            publisher.publish(image)
        self.sent += 1


@pytest.fixture
def arm(graph: Any, robot_file: str) -> RestingArm:
    """An arm that sends all streams of an episode."""
    return RestingArm(graph, robot_file)


@pytest.fixture
def recorder(world: Any, robot_file: str, tmp_path: Path) -> Any:
    """Bring up the recorder in the test's process; takes more parameters."""
    from lam_ros.nodes.recorder import RecorderNode

    def bring_up(**values: object) -> Any:
        common = {"robot": robot_file, "root": str(tmp_path / "rec"), "free_gb": 0.001}
        return world.bring_up(
            RecorderNode, **(common | {"reserve_gb": 0.001, "rate_tolerance": 0.9} | values)
        )

    return bring_up
