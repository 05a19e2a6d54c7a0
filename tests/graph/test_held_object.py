"""What the gripper holds is still held, whatever goes wrong with those who drive the arm."""

from __future__ import annotations

import json
import signal
from typing import Any

import numpy as np
from rclpy.action import ActionClient
from std_msgs.msg import Bool
from std_srvs.srv import Trigger

from lam_interfaces import msg as lam_msg
from lam_interfaces.action import RunSkill
from lam_ros.bridge import qos, topics
from lam_ros.bridge.messages import chunk_to
from lam_ros.config import load_robot
from lam_ros.core.types import ActionChunk, Verdict

SCENE = json.dumps({"include": ["red cube", "blue bowl"], "placed_probability": 0.0})
LIFTED_M = 0.05
WATCH_S = 0.7
"""Longer than any watchdog waits."""


class Carrying:
    """The simulated arm, a control node and a driver in processes, and a cube in the air."""

    def __init__(self, graph: Any, world: Any, patient: Any) -> None:
        self.graph, self.robot = graph, load_robot("so101")
        self.scenes = graph.collect(lam_msg.Scene, topics.GROUND_TRUTH, qos.SCENE)
        self.reports = graph.collect(lam_msg.SafetyReport, topics.SAFETY_REPORT, qos.REPORT)
        self.commands = graph.collect(
            lam_msg.JointCommand, self.robot.topics.joint_command, qos.COMMAND
        )
        node = graph.node
        self.chunks = node.create_publisher(lam_msg.ActionChunk, topics.ACTION_CHUNK, qos.COMMAND)
        self.button = node.create_publisher(Bool, topics.ESTOP, qos.ESTOP)
        self.reset = node.create_client(Trigger, topics.ESTOP_RESET)
        world.sim(scene=SCENE, scene_rate_hz=50.0)
        files = ("-p", f"robot:={patient.robot}", "-p", f"control:={patient.control}")
        quick = ("-p", "discovery_s:=0.0", "-p", "realtime:=false")
        self.control = graph.start("lam_ros.nodes.control", "--ros-args", *files, *quick)
        self.driver = graph.start("lam_ros.nodes.expert", "--ros-args", *files[:2])
        graph.spin_until(lambda: self.scenes and self.reports, "the arm")

    def pick_up(self) -> None:
        """Have the driver lift a cube on its way to a bowl."""
        kinds = {item.kind: item.id for item in self.scenes[-1].objects}
        client = ActionClient(self.graph.node, RunSkill, topics.RUN_SKILL)
        goal = RunSkill.Goal(
            skill="place_in", object_id=kinds["cube"], target_id=kinds["bowl"],
            prompt="put the cube in the bowl", timeout_s=120.0,
        )  # fmt: skip
        self.graph.spin_until(lambda: self.graph.send_goal(client, goal).accepted, "the driver", 40)
        self.graph.spin_until(self.is_carried, "the cube in the air", 120.0)
        self.held = self.scenes[-1].held
        client.destroy()

    def is_carried(self) -> bool:
        """Tell whether the gripper holds something in the air."""
        newest = self.scenes[-1]
        heights = {item.id: item.pose.position.z for item in newest.objects}
        return bool(newest.held) and heights[newest.held] > LIFTED_M

    def check(self, verdict: int | None) -> None:
        """For a while nothing moves, and the same thing is carried; the last verdict is this."""
        if verdict is not None:
            self.graph.spin_until(lambda: self.reports[-1].verdict == verdict, "the verdict")
        self.graph.spin_for(0.2)
        still = np.array(self.commands[-1].position_rad)
        seen = len(self.scenes)
        self.graph.spin_for(WATCH_S)
        assert len(self.scenes) > seen
        assert self.is_carried()
        assert self.scenes[-1].held == self.held
        np.testing.assert_array_equal(self.commands[-1].position_rad, still)

    def send_nonsense(self) -> None:
        """Send a chunk of NaN, as a policy that has broken down would."""
        now_ns = self.graph.node.get_clock().now().nanoseconds
        rows = np.tile(self.robot.poses.home_rad, (12, 1))
        message = chunk_to(ActionChunk(now_ns, 40_000_000, self.robot.joint_names, rows))
        message.targets_rad = [float("nan")] * len(message.targets_rad)
        self.chunks.publish(message)


def test_what_is_carried_is_held_when_driver_and_control_are_killed_and_through_an_e_stop(
    graph: Any, world: Any, patient: Any
) -> None:
    arm = Carrying(graph, world, patient)
    arm.pick_up()
    arm.driver.send_signal(signal.SIGKILL)
    arm.check(Verdict.HOLD)
    arm.send_nonsense()
    arm.check(Verdict.HOLD)
    arm.button.publish(Bool(data=True))
    arm.check(Verdict.STOP)
    assert graph.call(arm.reset, Trigger.Request()).success
    arm.check(Verdict.HOLD)
    arm.control.send_signal(signal.SIGKILL)
    graph.spin_until(lambda: arm.control.poll() is not None, "the end of the control node")
    arm.check(None)
