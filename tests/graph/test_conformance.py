"""What every arm must do, seen where its controller is told where to go.

Each arm runs behind its own node; the control node is a process of its own.  A policy of
the test swings the first joint.  E-stop, silence, cancel and the control node's death must
each bring the goal of the arm's controller to rest, whatever still comes.
"""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from std_msgs.msg import Bool, Float64MultiArray
from std_srvs.srv import Trigger
from trajectory_msgs.msg import JointTrajectory

from lam_interfaces.msg import ActionChunk as ChunkMessage
from lam_interfaces.msg import SafetyReport
from lam_ros.bridge import qos, topics
from lam_ros.bridge.controllers import TOPICS
from lam_ros.bridge.messages import chunk_to
from lam_ros.config import load_robot
from lam_ros.core.clock import NS_PER_S
from lam_ros.core.types import ActionChunk, Verdict

SCENE = '{"randomization": {"arm_pose": 0.0}}'
STILL = 1e-4
"""Change of a goal [rad] that is none: the servos count in 0.0015."""


@dataclass
class Arm:
    """One arm on the graph.

    Attributes:
        robot: its description's name.
        goal: returns where its controller is told to put the first joint [rad].
        holds_torque: whether all its motors have torque, where that can be seen.
    """

    robot: str
    goal: Callable[[], float]
    holds_torque: Callable[[], bool] = lambda: True


def _simulated(robot: str) -> Callable[..., Arm]:
    def make(world: Any, _tmp_path: Any, _request: Any) -> Arm:
        node = world.sim(robot=robot, scene=SCENE)
        return Arm(robot, lambda: float(node._world.target_rad[0]))

    return make


def _controlled(kind: str) -> Callable[..., Arm]:
    """Return an arm behind ros2_control: what its controller hears is its goal."""

    def make(world: Any, _tmp_path: Any, _request: Any) -> Arm:
        from lam_ros.nodes.ros2_control import Ros2ControlNode

        message = JointTrajectory if kind == "joint_trajectory" else Float64MultiArray
        came = world.graph.collect(message, TOPICS[kind], qos.COMMAND)
        world.sim(robot="franka", scene=SCENE, controller=kind)
        world.bring_up(Ros2ControlNode, robot="franka", controller=kind)

        def goal() -> float:
            if not came:
                return 0.0
            last = came[-1]
            return float(
                last.data[0] if kind == "forward_position" else last.points[0].positions[0]
            )

        return Arm("franka", goal)

    return make


def _so101_bus(world: Any, tmp_path: Any, request: Any) -> Arm:
    """Return the SO-101 behind LeRobot's driver: the goal is what its servo was written."""
    from lerobot.motors.feetech import feetech

    from lam_ros.nodes.arm import ArmNode
    from lam_sim.feetech import COUNTS, Register
    from lam_sim.physical_bus import PhysicalArm
    from lam_sim.so101_bus import SerialPort

    def patient(port: Any, _length: int) -> None:
        port.packet_start_time, port.packet_timeout = port.getCurrentTime(), 300.0

    request.getfixturevalue("monkeypatch").setattr(feetech, "patch_setPacketTimeout", patient)
    robot = load_robot("so101")
    body = PhysicalArm(robot)
    body.place(np.array(robot.poses.home_rad))
    servos = body.bus.servos
    for servo in servos.values():
        servo.write(Register.TORQUE_ENABLE, b"\x01")
    port = SerialPort(body.bus)
    port.__enter__()
    request.addfinalizer(port.unplug)
    (tmp_path / "follower.json").write_text(json.dumps(body.calibration()))
    world.bring_up(ArmNode, port=port.path, calibration_dir=str(tmp_path))

    def goal() -> float:
        counts = servos[1].get(Register.GOAL_POSITION) - body._zero(0)
        return float(counts * 2 * np.pi / COUNTS)

    return Arm("so101", goal, lambda: all(servo.torque_on for servo in servos.values()))


ARMS = {
    "simulated so101": _simulated("so101"),
    "simulated franka": _simulated("franka"),
    "so101 on its servo bus": _so101_bus,
    "ros2_control joint_trajectory": _controlled("joint_trajectory"),
    "ros2_control forward_position": _controlled("forward_position"),
}


@dataclass
class Swing:
    """A policy that swings the first joint, for as long as it is told to.

    Attributes:
        speaks: whether it sends chunks.
        stamp_ns: of its chunks, None for the present time.
    """

    graph: Any
    robot: Any
    speaks: bool = True
    stamp_ns: int | None = None
    reports: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        node = self.graph.node
        self._out = node.create_publisher(ChunkMessage, topics.ACTION_CHUNK, qos.COMMAND)
        self._estop = node.create_publisher(Bool, topics.ESTOP, qos.ESTOP)
        self._clock = node.get_clock()
        node.create_timer(0.1, self._send)
        self.reports = self.graph.collect(SafetyReport, topics.SAFETY_REPORT, qos.REPORT)

    def _send(self) -> None:
        if not self.speaks:
            return
        now_ns = self.stamp_ns or self._clock.now().nanoseconds
        rows = np.tile(self.robot.poses.home_rad, (12, 1))
        times_s = (now_ns % (600 * NS_PER_S)) / NS_PER_S + 0.04 * np.arange(1, 13)
        rows[:, 0] += 0.3 * np.sin(2 * np.pi * times_s / 2.5)
        self._out.publish(chunk_to(ActionChunk(now_ns, 40_000_000, self.robot.joint_names, rows)))

    def call(self, name: str) -> None:
        client = self.graph.node.create_client(Trigger, name)
        assert self.graph.call(client, Trigger.Request()).success

    def press(self) -> None:
        self._estop.publish(Bool(data=True))
        self.graph.spin_until(lambda: self.reports[-1].verdict == Verdict.STOP, "the stop")


@pytest.mark.parametrize("kind", ARMS)
def test_estop_silence_cancel_and_the_control_nodes_death_reach_the_controller(
    graph, world, tmp_path, request, patient, kind
) -> None:
    arm = ARMS[kind](world, tmp_path, request)
    robot = arm.robot if arm.robot != "so101" else patient.robot
    names = {"robot": robot, "control": patient.control, "discovery_s": 0.0, "realtime": False}
    words = [word for key, value in names.items() for word in ("-p", f"{key}:={value}")]
    control = graph.start("lam_ros.nodes.control", "--ros-args", *words)
    swing = Swing(graph, load_robot(arm.robot))

    def moves(what: str) -> None:
        swing.speaks, swing.stamp_ns = True, None
        before = arm.goal()
        graph.spin_until(lambda: abs(arm.goal() - before) > 0.05, f"it to move {what}", 40.0)

    def rests(what: str) -> None:
        """The goal comes to rest within what is still on its way, and stays there."""
        seen: list[float] = []

        def is_still() -> bool:
            seen.append(arm.goal())
            return len(seen) > 15 and np.ptp(seen[-15:]) < STILL

        graph.spin_until(is_still, f"the goal to rest {what}")
        held = arm.goal()
        graph.spin_for(0.2)
        assert abs(arm.goal() - held) < STILL, what
        assert arm.holds_torque(), what

    moves("at first")
    swing.press()
    rests("at the e-stop, though the policy goes on")
    swing.call(topics.ESTOP_RESET)
    moves("after the reset")
    swing.speaks = False
    rests("when the policy falls silent")
    moves("when it speaks again")
    swing.stamp_ns = swing._clock.now().nanoseconds
    swing.call(topics.HOLD)
    rests("when it is cancelled, though what was seen before still comes")
    moves("after that")
    control.send_signal(signal.SIGKILL)
    control.wait(10)
    rests("when the control node is killed, though the policy goes on")
    graph.start("lam_ros.nodes.control", "--ros-args", *words)
    moves("under the next control node, while the middleware still counts the dead one")
