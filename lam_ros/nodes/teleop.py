"""The teleoperation node: a person's device (or a script) moves the arm.

It asks (`teleop/joint_command`), at the robot's control rate, only while the person has
hold of the arm and fresh joint states come; the control node decides what moves.  Each
time that the person takes hold, it begins at the measured joints.  When the person lets
go, it gives the arm back to the policy (service `teleop/release`).  When the device
breaks off, it does not: the arm holds.

    `estop`, and the service `estop_reset`     the keys z and ctrl+r of a terminal
    `teleop/engaged` (std_msgs/Bool, latched)  whether a person is moving the arm
    `teleop/task` (std_msgs/String)            what the scripted teleoperator should do

Parameters: `robot`, and `teleop`: a name of config/teleop, or the path of a YAML file.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sensor_msgs.msg
import std_msgs.msg
from std_srvs.srv import Trigger

from lam_interfaces import msg as lam_msg
from lam_ros.bridge import qos, topics
from lam_ros.bridge.clock import RosClock
from lam_ros.bridge.commander import TELEOPERATION, SoleCommander
from lam_ros.bridge.entities import Entities
from lam_ros.bridge.messages import command_from, command_to, joints_from, stamp_to_ns
from lam_ros.bridge.runtime import LamNode, run_node
from lam_ros.bridge.scenes import scene_from
from lam_ros.config import load_robot
from lam_ros.core.clock import NS_PER_MS
from lam_ros.core.errors import LamError, MachineError
from lam_ros.core.robot import RobotDescription
from lam_ros.core.scene import Scene
from lam_ros.core.types import FloatArray, JointState, Source, Target, Verdict
from lam_ros.teleop.keyboard import RESET, STOP
from lam_ros.teleop.pilot import Idle, Pilot
from lam_ros.teleop.port import Reading, Task, Teleoperator, View
from lam_ros.teleop.settings import TeleopSettings, load_teleop, make_teleoperator
from lam_sim.ik import CartesianTeleop

IN_FORCE_NS = 500 * NS_PER_MS
"""Age above which a command of the control node is no longer the one in force."""

RELEASE_EVERY_NS = 500 * NS_PER_MS
"""Time after which an unanswered request to give the arm back is repeated."""

_MOST_KEYS = 32
"""Pressed keys that are kept for whoever asks; nobody may."""

MakeTeleoperator = Callable[[TeleopSettings, RobotDescription, CartesianTeleop], Teleoperator]


@dataclass(frozen=True)
class Flight:
    """How teleoperation stands, for whoever shows it.

    Attributes:
        reading: the device's last.
        idle: why nothing is being sent, None while something is.
        position_rad: what was asked for last, shape (J,), None if nothing is.
        commander: who the control node listens to.
        verdict: what the safety room says; None if the control node is silent.
        rule: and by which rule.
    """

    reading: Reading
    idle: Idle | None
    position_rad: FloatArray | None
    commander: Source
    verdict: Verdict | None
    rule: str


class TeleopNode(LamNode):
    """Thin over a `Teleoperator` and the `Pilot`."""

    def __init__(self, make: MakeTeleoperator = make_teleoperator, **node_arguments: Any) -> None:
        """Create the node, unconfigured.

        Args:
            make: makes the teleoperator of the settings.
            node_arguments: rclpy's.
        """
        super().__init__("teleop", **node_arguments)
        self._make = make
        self._opened = Entities(self)
        self._device: Teleoperator | None = None
        self._joints: JointState | None = None
        self._scene: Scene | None = None
        self._task: Task | None = None
        self._in_force: tuple[int, FloatArray] | None = None
        self._report: tuple[int, lam_msg.SafetyReport] | None = None
        self._reading = Reading()
        self._answer: Target | Idle | None = None
        self._pressed: list[str] = []
        self._is_stopping = False
        self._said: bool | None = None
        self._owes_release = False
        self._asked_ns: int | None = None

    # -- lifecycle -----------------------------------------------------------------------

    def configure(self) -> None:
        """Build the pilot, take the device and open the topics.

        Raises:
            ConfigError: if the robot or the teleoperator is configured wrongly.
            BusyError: if another teleoperator drives this robot.
            MachineError: if the device is not there.
        """
        self._time = RosClock(self)
        self._robot = load_robot(self.text("robot", "so101"))
        self._claim = SoleCommander(self, topics.TELEOP_COMMAND, self._give_way, TELEOPERATION)
        self._opened.add(self._claim.release)
        self._claim.claim(0.0)
        settings = load_teleop(self.text("teleop", "keyboard"))
        kinematics = CartesianTeleop(self._robot)
        self._pilot = Pilot(self._robot, kinematics, settings.pilot)
        device = self._make(settings, self._robot, kinematics)
        device.open()
        self._device = device
        self._opened.add(device.close)
        self._open_topics()

    def activate(self) -> None:
        """Begin to read the device."""
        self._claim.check()
        self._timer.reset()
        self._say_engaged(False)

    def deactivate(self) -> None:
        """Fall silent, upon which the arm holds; who still had hold of it gives nothing back."""
        if self._device is None:
            return
        self._timer.cancel()
        self._pilot.release()
        self._say_engaged(False)
        if self.owes_release:
            self._ask_release(self._time.now_ns())

    def cleanup(self) -> None:
        """Give back the device and close the topics."""
        self._opened.close()
        self._device = None

    def _open_topics(self) -> None:
        opened, robot, names = self._opened, self._robot, self._robot.topics
        self._timer = opened.timer(1.0 / robot.control_rate_hz, self._tick)
        command = lam_msg.JointCommand
        self._commands = opened.publisher(command, topics.TELEOP_COMMAND, qos.COMMAND)
        self._engaged = opened.publisher(std_msgs.msg.Bool, topics.TELEOP_ENGAGED, qos.LATCHED)
        self._release = opened.client(Trigger, topics.TELEOP_RELEASE)
        self._estop = opened.publisher(std_msgs.msg.Bool, topics.ESTOP, qos.ESTOP)
        self._reset = opened.client(Trigger, topics.ESTOP_RESET)
        joints = sensor_msgs.msg.JointState
        opened.listen(joints, names.joint_state, self._on_joints, qos.SENSOR)
        opened.listen(lam_msg.Scene, topics.GROUND_TRUTH, self._on_scene, qos.SCENE)
        opened.listen(command, names.joint_command, self._on_command, qos.COMMAND)
        opened.listen(lam_msg.SafetyReport, topics.SAFETY_REPORT, self._on_report, qos.REPORT)
        opened.listen(std_msgs.msg.String, topics.TELEOP_TASK, self._on_task, qos.ESTOP)

    # -- what others may ask -------------------------------------------------------------

    @property
    def teleoperator(self) -> Teleoperator | None:
        """The device, from `configure` to `cleanup`."""
        return self._device

    @property
    def joints(self) -> JointState | None:
        """The newest joint state."""
        return self._joints

    @property
    def owes_release(self) -> bool:
        """True from when the person has let go until the control node has taken that in."""
        return self._owes_release and not self._reading.engaged

    def take_pressed(self, *names: str) -> tuple[str, ...]:
        """Return which of these keys were pressed since they were last asked for."""
        found = tuple(name for name in self._pressed if name in names)
        self._pressed = [name for name in self._pressed if name not in names][-_MOST_KEYS:]
        return found

    @property
    def flight(self) -> Flight:
        """How teleoperation stands now."""
        answer, report = self._answer, self._fresh_report(self._time.now_ns())
        return Flight(
            self._reading,
            answer if isinstance(answer, Idle) else None,
            answer.position_rad if isinstance(answer, Target) else None,
            Source(report.source) if report and report.source in tuple(Source) else Source.NONE,
            Verdict(report.verdict) if report else None,
            report.rule if report else "",
        )

    def _give_way(self, error: LamError) -> None:
        """Fall silent for good: the device broke off, or another began to teleoperate earlier."""
        self._pilot.release()
        self._say_engaged(False)
        self.fail(error)
        self._timer.cancel()

    # -- running -------------------------------------------------------------------------

    def _tick(self) -> None:
        now_ns = self._time.now_ns()
        try:
            self._reading = self._read(now_ns)
        except MachineError as error:
            return self._give_way(error)
        self._obey_stop(self._reading.pressed, now_ns)
        self._pressed += self._reading.pressed
        self._answer = self._pilot.step(
            self._reading, self._joints, self._command_in_force(now_ns), now_ns
        )
        if isinstance(self._answer, Target) and not self._is_stopped(now_ns):
            self._owes_release, self._asked_ns = True, None
            self._commands.publish(
                command_to(
                    self._answer.position_rad,
                    self._robot,
                    stamp_ns=now_ns,
                    obs_stamp_ns=self._answer.obs_stamp_ns,
                    source=Source.TELEOP,
                )
            )
        else:
            self._pilot.release()
        self._say_engaged(self._pilot.is_driving)
        if self.owes_release:
            self._give_back(now_ns)
        return None

    def _read(self, now_ns: int) -> Reading:
        assert self._device is not None
        return self._device.read(View(now_ns, self._joints, self._scene, self._task))

    def _command_in_force(self, now_ns: int) -> FloatArray | None:
        if self._in_force is None or now_ns - self._in_force[0] > IN_FORCE_NS:
            return None
        return self._in_force[1]

    def _fresh_report(self, now_ns: int) -> lam_msg.SafetyReport | None:
        if self._report is None or now_ns - self._report[0] > IN_FORCE_NS:
            return None
        return self._report[1]

    def _obey_stop(self, pressed: Sequence[str], now_ns: int) -> None:
        """Say stop until the safety room has stopped; release it on purpose only."""
        if STOP in pressed:
            self._is_stopping = True
            self.get_logger().warning("e-stop by key; ctrl+r releases it")
        elif RESET in pressed and self._reset.service_is_ready():
            self._is_stopping = False
            self._reset.call_async(Trigger.Request()).add_done_callback(self._on_reset)
        if self._is_stopping:
            self._estop.publish(std_msgs.msg.Bool(data=True))
            self._is_stopping = not self._is_stopped(now_ns)

    def _on_reset(self, future: Any) -> None:
        """Say why not; a release shows in the reports, whether or not its answer comes."""
        if not future.result().success:
            self.get_logger().warning(f"the e-stop stays latched: {future.result().message}")

    def _is_stopped(self, now_ns: int) -> bool:
        """True while the e-stop is latched: what is asked for meanwhile must not be remembered."""
        report = self._fresh_report(now_ns)
        return report is not None and report.verdict == Verdict.STOP

    def _say_engaged(self, engaged: bool) -> None:
        if engaged != self._said:
            self._said = engaged
            self._engaged.publish(std_msgs.msg.Bool(data=engaged))

    def _give_back(self, now_ns: int) -> None:
        """Ask until it is answered: an answer is lost if the server has not heard of us yet."""
        if self._asked_ns is None or now_ns - self._asked_ns > RELEASE_EVERY_NS:
            self._ask_release(now_ns)

    def _ask_release(self, now_ns: int) -> None:
        if self._release.service_is_ready():
            self._asked_ns = now_ns
            self._release.call_async(Trigger.Request()).add_done_callback(self._on_released)

    def _on_released(self, _future: Any) -> None:
        if not self._pilot.is_driving:
            self._owes_release = False

    # -- listening -----------------------------------------------------------------------

    def _on_joints(self, message: sensor_msgs.msg.JointState) -> None:
        state = joints_from(message, self._robot)
        if isinstance(state, JointState):
            self._joints = state

    def _on_scene(self, message: lam_msg.Scene) -> None:
        scene = scene_from(message)
        if isinstance(scene, Scene):
            self._scene = scene

    def _on_command(self, message: lam_msg.JointCommand) -> None:
        command = command_from(message, self._robot)
        if isinstance(command, Target) and np.isfinite(command.position_rad).all():
            self._in_force = (stamp_to_ns(message.header.stamp), command.position_rad)

    def _on_report(self, message: lam_msg.SafetyReport) -> None:
        self._report = (stamp_to_ns(message.header.stamp), message)

    def _on_task(self, message: std_msgs.msg.String) -> None:
        number = 1 if self._task is None else self._task.number + 1
        self._task = Task(message.data, number)


def main() -> None:
    """Run the node."""
    sys.exit(run_node(TeleopNode))


if __name__ == "__main__":
    main()
