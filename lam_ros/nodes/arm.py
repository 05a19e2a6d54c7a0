"""The arm's node: a real arm behind `lam/joint_command` and `joint_states`.

It sends what the control node commands and publishes what the arm measures, at the
robot's control rate.  It holds the arm where it is, and says why, while
    a motor is too hot, draws too much for too long, or reports an alarm
    more than one node publishes joint commands
and it refuses a command that is not finite, beyond a limit, or old.  An arm that does
not answer gets no joint states published, so that the control node holds too; one that
stays away ends this node, which says so.  At its end the torque is switched off.

Parameters: `robot`, `port`, `id`, `calibration_dir`, and the limits of `core.vitals`.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import sensor_msgs.msg
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue

from lam_interfaces import msg as lam_msg
from lam_ros.arm.port import ArmDriver, Silence
from lam_ros.arm.so101 import So101Arm, So101Config
from lam_ros.bridge import qos, topics
from lam_ros.bridge.clock import RosClock
from lam_ros.bridge.entities import Entities
from lam_ros.bridge.gate import CommandGate
from lam_ros.bridge.health import ARM, hardware_id
from lam_ros.bridge.messages import joints_to, ns_to_stamp
from lam_ros.bridge.runtime import LamNode, run_node
from lam_ros.config import load_robot
from lam_ros.core.clock import NS_PER_MS
from lam_ros.core.errors import ConfigError, MachineError, unknown_name
from lam_ros.core.inbound import Rejected
from lam_ros.core.robot import RobotDescription
from lam_ros.core.types import FloatArray, JointState
from lam_ros.core.vitals import VitalLimits, Vitals, VitalWatch
from lam_ros.core.watchdog import Watchdog

GONE_AFTER_NS = 500 * NS_PER_MS
"""Silence of the arm after which it counts as gone, and this node ends."""

LOOK_EVERY = 10
"""Ticks between two looks at the motors, and at who commands."""


class ArmNode(LamNode):
    """Thin over an `ArmDriver` and the `VitalWatch`."""

    def __init__(self, **node_arguments: Any) -> None:
        """Create the node, unconfigured."""
        super().__init__("arm", **node_arguments)
        self._opened = Entities(self)
        self._driver: ArmDriver | None = None
        self._timer: Any = None

    def configure(self) -> None:
        """Connect the arm, which then holds still, and open the topics.

        Raises:
            ConfigError: if there is no driver for the robot.
            MachineError: if the arm is not there, or not calibrated.
        """
        self._time = RosClock(self)
        self._robot = robot = load_robot(self.text("robot", "so101"))
        self._gate = CommandGate(self, robot)
        self._watch = VitalWatch(robot.joint_names, self._limits())
        self._driver = self._make(robot)
        self._driver.open()
        self._heard = Watchdog(GONE_AFTER_NS)
        self._why_holding = ""
        self._target_rad: FloatArray | None = None
        self._ticks = 0
        opened, command = self._opened, robot.topics.joint_command
        joints = robot.topics.joint_state
        self._joints = opened.publisher(sensor_msgs.msg.JointState, joints, qos.SENSOR)
        self._diagnostics = opened.publisher(DiagnosticArray, topics.DIAGNOSTICS, qos.REPORT)
        opened.listen(lam_msg.JointCommand, command, self._on_command, qos.COMMAND)
        self._timer = opened.timer(1.0 / robot.control_rate_hz, self._tick)

    def activate(self) -> None:
        """Let the arm follow commands."""
        self._target_rad = None
        self._heard.feed(self._time.now_ns())
        self._timer.reset()

    def deactivate(self) -> None:
        """Stop following; the arm holds where it is."""
        if self._timer is not None:
            self._timer.cancel()
        if self._driver is not None:
            self._hold(self._driver, self._driver.read())

    def cleanup(self) -> None:
        """Switch the torque off, and let go of the arm."""
        self._timer = None
        if self._driver is not None:
            self._driver.close()
            self._driver = None
        self._opened.close()

    def _make(self, robot: RobotDescription) -> ArmDriver:
        config = So101Config(
            self.text("port", "/dev/ttyACM0"),
            self.text("id", "follower"),
            self.text("calibration_dir"),
        )
        if robot.name != "so101":
            raise ConfigError(
                f"{unknown_name('robot with a driver of LeRobot', robot.name, ('so101',))} "
                "An arm behind ros2_control is driver=ros2_control"
            )
        return So101Arm(robot, config)

    def _limits(self) -> VitalLimits:
        usual = VitalLimits()
        return VitalLimits(
            temperature_c=self.number("temperature_limit_c", usual.temperature_c),
            current_a=self.number("current_limit_a", usual.current_a),
            current_patience_ms=self.number("current_patience_ms", usual.current_patience_ms),
        )

    @property
    def holding(self) -> str:
        """Why the arm holds and takes no commands; empty while it follows."""
        return self._why_holding

    # -- running -----------------------------------------------------------------------

    def _on_command(self, message: lam_msg.JointCommand) -> None:
        target = self._gate.accept(message, self._time.now_ns())
        if isinstance(target, Rejected):
            return self._refuse(target.detail)
        self._target_rad = target
        return None

    def _refuse(self, why: str) -> None:
        self.get_logger().warning(f"joint command refused: {why}", throttle_duration_sec=1.0)

    def _tick(self) -> None:
        driver = self._driver
        if driver is None:
            return None
        stamp_ns = self._time.now_ns()
        position = driver.read()
        if isinstance(position, Silence):
            return self._on_silence(position, stamp_ns)
        self._heard.feed(stamp_ns)
        self._joints.publish(joints_to(JointState(stamp_ns, position), self._robot))
        self._ticks += 1
        if self._ticks % LOOK_EVERY == 1:
            self._look(driver, position)
        target, self._target_rad = self._target_rad, None
        if target is not None and not self._why_holding:
            driver.write(target)
        return None

    def _on_silence(self, silence: Silence, now_ns: int) -> None:
        self._target_rad = None
        if self._heard.is_silent(now_ns):
            self.get_logger().error(f"the arm does not answer: {silence.detail}")
            self.fail(
                MachineError(
                    f"the arm does not answer ({silence.detail}): look to its cable and its power, "
                    "and start again"
                )
            )

    def _look(self, driver: ArmDriver, position: FloatArray) -> None:
        """See how the motors are and who commands, and hold if either is a reason to."""
        vitals = driver.vitals()
        if isinstance(vitals, Silence):
            return
        now_ns = self._time.now_ns()
        faults = self._watch.judge(vitals, now_ns)
        self._diagnostics.publish(self._report(vitals, faults, now_ns))
        why = next((fault for fault in faults if fault), "") or self._gate.rivalry()
        if why and not self._why_holding:
            self._hold(driver, position)
        if bool(why) != bool(self._why_holding):
            if why:
                self.get_logger().error(f"holding: {why}")
            else:
                self.get_logger().info("going on")
        self._why_holding = why

    def _hold(self, driver: ArmDriver, position: FloatArray | Silence) -> None:
        self._target_rad = None
        if not isinstance(position, Silence):
            driver.write(np.clip(position, self._robot.lower_rad, self._robot.upper_rad))

    def _report(self, vitals: Vitals, faults: tuple[str, ...], now_ns: int) -> DiagnosticArray:
        message = DiagnosticArray()
        message.header.stamp = ns_to_stamp(now_ns)
        for index, name in enumerate(self._robot.joint_names):
            level = DiagnosticStatus.ERROR if faults[index] else DiagnosticStatus.OK
            values = {
                "temperature_c": f"{vitals.temperature_c[index]:.0f}",
                "current_a": f"{vitals.current_a[index]:.2f}",
            }
            entry = DiagnosticStatus(level=level, name=f"{ARM}{name}", message=faults[index])
            entry.hardware_id = hardware_id(self)
            entry.values = [KeyValue(key=key, value=value) for key, value in values.items()]
            message.status.append(entry)
        return message


def main() -> None:
    """Run the node."""
    sys.exit(run_node(ArmNode))


if __name__ == "__main__":
    main()
