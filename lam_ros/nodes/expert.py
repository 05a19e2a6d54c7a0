"""The scripted teleoperator as a node: a stand-in for the policy, for trying the graph.

It serves the same action as the policy node but drives through `teleop/joint_command`,
as a person would and instead of one: it claims to be the arm's teleoperator.  It sees the simulator's ground truth (`lam/ground_truth`).  What it
achieves says nothing about a policy, and every report names it.
"""

from __future__ import annotations

import sys
from typing import Any

import sensor_msgs.msg

from lam_interfaces import msg as lam_msg
from lam_interfaces.action import RunSkill
from lam_ros.bridge import qos, topics
from lam_ros.bridge.clock import RosClock
from lam_ros.bridge.commander import TELEOPERATION, SoleCommander
from lam_ros.bridge.entities import Entities
from lam_ros.bridge.goals import End, SingleGoalServer
from lam_ros.bridge.messages import command_to, joints_from
from lam_ros.bridge.runtime import LamNode, run_node
from lam_ros.bridge.scenes import scene_from
from lam_ros.config import load_robot
from lam_ros.core.clock import ns_to_seconds
from lam_ros.core.errors import LamError
from lam_ros.core.inbound import Rejected
from lam_ros.core.scene import Scene
from lam_ros.core.serving import SkillEnd
from lam_ros.core.skills import DEMONSTRATED, Skill, Step
from lam_ros.core.types import JointState, Source, Verdict
from lam_sim.expert import Expert
from lam_sim.ik import CartesianTeleop
from lam_sim.style import Style


class ExpertNode(LamNode):
    """Does one step at a time by inverse kinematics on the true scene."""

    def __init__(self, **node_arguments: Any) -> None:
        """Create the node, unconfigured."""
        super().__init__("expert", **node_arguments)
        self._opened = Entities(self)
        self._scene: Scene | None = None
        self._joints: JointState | None = None
        self._expert: Expert | None = None

    def configure(self) -> None:
        """Claim the arm, build the inverse kinematics and open the streams.

        Raises:
            BusyError: if another teleoperator drives this robot.
        """
        self._time = RosClock(self)
        self._robot = load_robot(self.text("robot", "so101"))
        self._period_s = 1.0 / self.number("rate_hz", 25.0)
        self._teleop = CartesianTeleop(self._robot)
        opened, names = self._opened, self._robot.topics
        self._claim = SoleCommander(self, topics.TELEOP_COMMAND, self.fail, TELEOPERATION)
        opened.add(self._claim.release)
        self._claim.claim(0.0)
        self._timer = opened.timer(self._period_s, self._tick)
        self._commands = opened.publisher(lam_msg.JointCommand, topics.TELEOP_COMMAND, qos.COMMAND)
        joints = sensor_msgs.msg.JointState
        opened.listen(joints, names.joint_state, self._on_joints, qos.SENSOR)
        opened.listen(lam_msg.Scene, topics.GROUND_TRUTH, self._on_scene, qos.SCENE)
        opened.listen(lam_msg.SafetyReport, topics.SAFETY_REPORT, self._on_report, qos.REPORT)
        self._server = SingleGoalServer(self, RunSkill, topics.RUN_SKILL, self)
        opened.add(self._server.destroy)

    def activate(self) -> None:
        """Take goals from now on."""
        self._claim.check()

    def deactivate(self) -> None:
        """End the goal that runs."""
        self._finish(SkillEnd.CANCELLED, "the expert node was stopped")

    def cleanup(self) -> None:
        """Close the streams."""
        self._opened.close()

    def refuse_goal(self, request: RunSkill.Goal) -> str:
        """Return why a goal cannot be taken now, or an empty string."""
        if not self.is_active:
            return "the expert node is not active"
        if request.skill not in DEMONSTRATED:
            return f"unknown skill '{request.skill}'"
        return ""

    def start_goal(self, request: RunSkill.Goal) -> None:
        """Begin to do a step."""
        step = Step(Skill(request.skill), request.object_id, request.target_id)
        other = request.grasp % 2 == 1
        self._expert = Expert(self._robot, self._teleop, step, Style(), other_grasp=other)
        self._started_ns, self._timeout_s = self._time.now_ns(), request.timeout_s
        self._timer.reset()

    def cancel_goal(self) -> None:
        """Fall silent, upon which the arm holds."""
        self._finish(SkillEnd.CANCELLED, "cancelled")

    def _tick(self) -> None:
        now_ns = self._time.now_ns()
        seconds = ns_to_seconds(now_ns - self._started_ns)
        if self._timeout_s > 0 and seconds > self._timeout_s:
            return self._finish(SkillEnd.TIMEOUT, f"not done within {self._timeout_s:g} s")
        if self._expert is None or self._scene is None or self._joints is None:
            return None
        try:
            decision = self._expert.decide(self._scene, self._joints, self._period_s)
        except LamError as error:
            return self._finish(SkillEnd.POLICY_ERROR, str(error))
        message = command_to(
            decision.target_rad, self._robot, stamp_ns=now_ns, source=Source.TELEOP
        )
        self._commands.publish(message)
        return None

    def _finish(self, reason: SkillEnd, detail: str) -> None:
        if self._expert is None:
            return
        self._expert = None
        self._timer.cancel()
        seconds = ns_to_seconds(self._time.now_ns() - self._started_ns)
        result = RunSkill.Result(termination=int(reason), detail=detail, seconds=seconds)
        self._server.finish(End.ABORTED, result)

    def _on_joints(self, message: sensor_msgs.msg.JointState) -> None:
        state = joints_from(message, self._robot)
        if isinstance(state, JointState):
            self._joints = state

    def _on_scene(self, message: lam_msg.Scene) -> None:
        scene = scene_from(message)
        if not isinstance(scene, Rejected):
            self._scene = scene

    def _on_report(self, message: lam_msg.SafetyReport) -> None:
        if message.verdict == Verdict.STOP:
            self._finish(SkillEnd.STOPPED, f"{message.rule}: {message.detail}")


def main() -> None:
    """Run the node."""
    sys.exit(run_node(ExpertNode))


if __name__ == "__main__":
    main()
