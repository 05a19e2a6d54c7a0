"""The control node: the only one that commands motion.

It plays what the policy (`lam/action_chunk`) or a person (`teleop/joint_command`) asks
for through the safety room at the robot's control rate, and publishes each command
(`lam/joint_command`) and why it is what it is (`lam/safety_report`).

To make it stop:
    `estop` (std_msgs/Bool, true)  stops until the service `estop_reset` is called;
                                   the service `estop` and `lam estop` do the same
    service `lam/hold`             drops what is being played; the arm holds still, and
                                   chunks from observations made before are refused
    service `teleop/release`       gives the arm back to the policy after a person had it
    silence of the policy, the person or the joint states: the arm holds; so it does when
                                   one of them sends what makes no sense

It never sends a command that is not computed from a measured joint state: until one
comes, it publishes reports only.
"""

from __future__ import annotations

import sys
from typing import Any

import sensor_msgs.msg
import std_msgs.msg
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.clock import Clock, ClockType
from rclpy.duration import Duration
from std_srvs.srv import Trigger

from lam_interfaces import msg as lam_msg
from lam_ros.bridge import qos, topics
from lam_ros.bridge.clock import RosClock
from lam_ros.bridge.commander import SoleCommander
from lam_ros.bridge.entities import Entities
from lam_ros.bridge.health import hardware_id, motor_fault
from lam_ros.bridge.messages import chunk_from, command_to, joints_from, report_to, teleop_from
from lam_ros.bridge.realtime import be_prompt, calm_memory, collect
from lam_ros.bridge.runtime import LamNode, run_node
from lam_ros.config import build, load_group, load_robot
from lam_ros.core.clock import NS_PER_S
from lam_ros.core.controller import ControlConfig, Controller
from lam_ros.core.geometry import Guard
from lam_ros.core.inbound import Rejected
from lam_ros.core.robot import RobotDescription
from lam_ros.core.types import SafetyReport, Verdict

ACK_TIMEOUT = Duration(seconds=0.2)
"""How long the last command may take to be received before the node goes on to end."""

COLLECT_EVERY = 500
"""Ticks between two looks for garbage."""


class ControlNode(LamNode):
    """Thin over `core.controller.Controller`."""

    def __init__(self, **node_arguments: Any) -> None:
        """Create the node, unconfigured."""
        super().__init__("control", **node_arguments)
        self._time = RosClock(self)
        self._timer: Any = None
        self._opened = Entities(self)
        self._ticks = 0
        self._said: tuple[Verdict, str] | None = None

    def configure(self) -> None:
        """Read the robot and the limits, and open the topics.

        Raises:
            BusyError: if another node commands this robot.
        """
        self._robot = load_robot(self.text("robot", "so101"))
        config = self._read_config()
        self._controller = Controller(self._robot, config, self._guard(config))
        self._prompt = self.flag("realtime", True)
        self._open(self._robot)
        self._claim = SoleCommander(self, self._robot.topics.joint_command, self.fail)
        self._opened.add(self._claim.release)
        self._claim.claim(self.number("discovery_s", 0.5))

    def activate(self) -> None:
        """Begin to tick."""
        self._claim.check()
        clock = self.get_clock()
        if not self.get_parameter("use_sim_time").value:
            clock = Clock(clock_type=ClockType.STEADY_TIME)  # no jump of the date reaches it
        period_s = self._robot.control_period_ns / NS_PER_S
        self._timer = self.create_timer(
            period_s, self._opened.while_open(self._on_tick), clock=clock
        )
        if self._prompt:
            granted = be_prompt()
            calm_memory()
            self.get_logger().info(f"{self._robot.control_rate_hz:g} Hz, {granted}")

    def deactivate(self) -> None:
        """End with the arm at rest: the last thing sent is a command to hold."""
        if self._timer is None:
            return
        self.destroy_timer(self._timer)
        self._timer = None
        self._controller.halt(self._time.now_ns())
        self._on_tick()
        for publisher in (self._commands, self._reports):
            publisher.wait_for_all_acked(ACK_TIMEOUT)

    def cleanup(self) -> None:
        """Close the topics."""
        self._opened.close()

    def _read_config(self) -> ControlConfig:
        control = load_group("control", self.text("control", "default"))
        safety = load_group("safety", self.text("safety", "default"))
        return build(ControlConfig, {**control, "safety": safety}, "control")

    def _guard(self, config: ControlConfig) -> Guard | None:
        geometry = config.safety.geometry
        if not geometry.enabled:
            self.get_logger().warning("safety: geometric rules are switched off")
            return None
        from lam_sim.guard import guard_for

        guard = guard_for(self._robot, geometry)
        if guard is None:
            self.get_logger().warning(
                f"safety: there is no model of the shape of '{self._robot.name}': workspace, "
                "keep-out, self-collision and table are not watched"
            )
        return guard

    def _open(self, robot: RobotDescription) -> None:
        names, opened = robot.topics, self._opened
        self._commands = opened.publisher(lam_msg.JointCommand, names.joint_command, qos.COMMAND)
        self._reports = opened.publisher(lam_msg.SafetyReport, topics.SAFETY_REPORT, qos.REPORT)
        joints, chunk, command = (
            sensor_msgs.msg.JointState,
            lam_msg.ActionChunk,
            lam_msg.JointCommand,
        )
        opened.listen(joints, names.joint_state, self._on_joints, qos.SENSOR)
        opened.listen(chunk, topics.ACTION_CHUNK, self._on_chunk, qos.COMMAND)
        opened.listen(std_msgs.msg.Header, topics.POLICY_BEAT, self._on_beat, qos.BEAT)
        opened.listen(command, topics.TELEOP_COMMAND, self._on_teleop, qos.COMMAND)
        opened.listen(std_msgs.msg.Bool, topics.ESTOP, self._on_estop, qos.ESTOP)
        opened.listen(DiagnosticArray, topics.DIAGNOSTICS, self._on_health, qos.REPORT)
        opened.serve(Trigger, topics.ESTOP_STOP, self._on_stop)
        opened.serve(Trigger, topics.ESTOP_RESET, self._on_reset)
        opened.serve(Trigger, topics.HOLD, self._on_hold)
        opened.serve(Trigger, topics.TELEOP_RELEASE, self._on_release)

    def _on_tick(self) -> None:
        now_ns = self._time.now_ns()
        report = self._controller.tick(now_ns)
        if report.sent_rad is not None:
            self._commands.publish(
                command_to(
                    report.sent_rad,
                    self._robot,
                    stamp_ns=now_ns,
                    obs_stamp_ns=report.obs_stamp_ns,
                    source=report.source,
                )
            )
        self._reports.publish(report_to(report, self._robot, stamp_ns=now_ns))
        self._log(report)
        self._ticks += 1
        if self._ticks % COLLECT_EVERY == 0 and self._prompt:
            collect()

    def _on_joints(self, message: sensor_msgs.msg.JointState) -> None:
        state = joints_from(message, self._robot)
        if isinstance(state, Rejected):
            self._controller.distrust(f"a joint state makes no sense: {state.detail}")
            return self._complain("joint state", state)
        return self._complain("joint state", self._controller.on_joints(state, self._time.now_ns()))

    def _on_chunk(self, message: lam_msg.ActionChunk) -> None:
        chunk = chunk_from(message, self._robot)
        if isinstance(chunk, Rejected):
            self._controller.nonsense(chunk)
            return self._complain("chunk", chunk)
        return self._complain("chunk", self._controller.on_chunk(chunk, self._time.now_ns()))

    def _on_beat(self, message: std_msgs.msg.Header) -> None:
        self._controller.on_beat(message.frame_id, self._time.now_ns())

    def _on_teleop(self, message: lam_msg.JointCommand) -> None:
        command = teleop_from(message, self._robot)
        if isinstance(command, Rejected):
            return self._complain("teleop command", command)
        return self._complain(
            "teleop command", self._controller.on_teleop(command, self._time.now_ns())
        )

    def _on_health(self, message: DiagnosticArray) -> None:
        fault = motor_fault(message, hardware_id(self))
        if fault is not None:
            self._controller.on_motors(fault)

    def _on_estop(self, message: std_msgs.msg.Bool) -> None:
        if message.data:
            self._stop(f"e-stop on topic {topics.ESTOP}")

    def _on_stop(self, _request: Any, response: Any) -> Any:
        self._stop(f"e-stop by service {topics.ESTOP_STOP}")
        response.success, response.message = True, "stopped"
        return response

    def _stop(self, reason: str) -> None:
        self._controller.on_estop(reason, self._time.now_ns())
        if self.is_active:
            self._on_tick()  # at once, not at the next tick

    def _on_reset(self, _request: Any, response: Any) -> Any:
        why_not = self._controller.reset(self._time.now_ns())
        response.success, response.message = why_not is None, why_not or "reset"
        return response

    def _on_hold(self, _request: Any, response: Any) -> Any:
        self._controller.cancel(self._time.now_ns(), f"service {topics.HOLD}")
        response.success, response.message = True, "holding"
        return response

    def _on_release(self, _request: Any, response: Any) -> Any:
        self._controller.release_teleop(self._time.now_ns())
        response.success, response.message = True, "the policy has the arm"
        return response

    def _complain(self, thing: str, answer: object) -> None:
        if isinstance(answer, Rejected):
            self.get_logger().warning(
                f"{thing} refused ({answer.rule}): {answer.detail}", throttle_duration_sec=1.0
            )

    def _log(self, report: SafetyReport) -> None:
        """Say when the verdict changes between going on and not."""
        said = (report.verdict, report.rule)
        verdicts = {report.verdict, *(self._said or ())[:1]}
        if said != self._said and verdicts & {Verdict.HOLD, Verdict.STOP}:
            self.get_logger().info(f"{report.verdict.name} ({report.rule}) {report.detail}")
        self._said = said


def main() -> None:
    """Run the node."""
    sys.exit(run_node(ControlNode))


if __name__ == "__main__":
    main()
