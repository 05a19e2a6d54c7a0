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
