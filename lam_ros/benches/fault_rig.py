"""One trial of `lam bench faults`: get the arm going, let one thing go wrong, see it come to rest."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import rclpy
from rclpy.action import ActionClient
from rclpy.clock import Clock, ClockType
from rclpy.parameter import Parameter
from rosgraph_msgs.msg import Clock as ClockMessage
from std_msgs.msg import Bool, Int64, String
from std_srvs.srv import Trigger

from lam_interfaces import msg as lam_msg
from lam_interfaces.action import RunSkill
from lam_ros.benches.fault_arm import FaultArm
from lam_ros.benches.fault_planner import PlannerBeside
from lam_ros.benches.fault_policy import BEGAN, FAULT, HANG, JUMP, MEMORY, NAN, SLOW
from lam_ros.bridge import qos, topics
from lam_ros.bridge.messages import command_to, ns_to_stamp
from lam_ros.config import load_robot
from lam_ros.core.clock import NS_PER_MS, NS_PER_S
from lam_ros.core.errors import MachineError
from lam_ros.core.skills import Skill
from lam_ros.core.types import Verdict
from lam_ros.nodes.policy import SLOW_AFTER_S
from lam_ros.supervisor import Supervisor

AT_REST = 10
"""Equal commands in a row after which nothing is expected to move any more."""

HELD = 1
"""The same where the arm may soon go on."""

AT_REST_S = 0.3
"""The same by time, where no commands come at all; and `AT_REST` of the arm's periods lived:
a bench that the machine has kept waiting has seen nothing."""

READY_S = 60.0
WELL_S = 1.0
"""After this the policy is known to be quick again."""

CLOCK_EVERY_S, CLOCK_JUMP_NS = 0.01, 5 * NS_PER_S

PHASE_S = 0.05
"""A fault comes at a random time within this: at any phase of joints, pictures and ticks."""


@dataclass(frozen=True)
class Probe:
    """One fault.

    Attributes:
        plant: makes it happen; may return when it has [ns of time.monotonic_ns], else now.
        mend: makes it undone.
        prepare: what it needs before the arm moves.
        passes: whether it is over at once, and the arm goes on by the next sound chunk.
        simulated_time: whether it needs a graph whose time can be set.
    """

    plant: Callable[[Rig], int | None]
    mend: Callable[[Rig], None] = field(default=lambda rig: None)
    prepare: Callable[[Rig], None] = field(default=lambda rig: None)
    passes: bool = False
    simulated_time: bool = False


class Rig:
    """The bench's nodes, and what they do to the graph."""

    def __init__(self, host: Supervisor, executor: Any, simulated_time: bool = False) -> None:
        """Join the graph of the supervisor's processes."""
        self.host, self._executor = host, executor
        self._random = random.Random(7)
        on = [Parameter("use_sim_time", value=simulated_time)]
        self.node = rclpy.create_node("bench", parameter_overrides=on)
        self.ahead_ns = 0
        if simulated_time:
            self._clocks = self.node.create_publisher(ClockMessage, "/clock", qos.BEAT)
            steady = Clock(clock_type=ClockType.STEADY_TIME)
            self.node.create_timer(CLOCK_EVERY_S, self._send_clock, clock=steady)
        executor.add_node(self.node)
        self.arm = FaultArm(self.node, load_robot("so101"))
        make = self.node.create_publisher
        self.estop = make(Bool, topics.ESTOP, qos.ESTOP)
        self.policy_fault = make(String, FAULT, qos.COMMAND)
        self._began_ns = 0
        self.node.create_subscription(Int64, BEGAN, self._on_began, qos.COMMAND)
        self.node.create_subscription(
            lam_msg.SafetyReport, topics.SAFETY_REPORT, self._on_report, qos.REPORT
        )
        self._reset = self.node.create_client(Trigger, topics.ESTOP_RESET)
        self._skill = ActionClient(self.node, RunSkill, topics.RUN_SKILL)
        self._goal: Any = None
        self._goals = 0
        self._planner: PlannerBeside | None = None
        self._is_driving = False
        self.rival: Any = None
        self._verdict = Verdict.HOLD
        self._held_ns = 0
        self.said: set[tuple[str, str, str]] = set()

    def close(self) -> None:
        """Leave the graph."""
        for pid in self.host.pids().values():
            os.kill(pid, signal.SIGCONT)
        if self._planner is not None:
            self._planner.close()
        self._executor.remove_node(self.node)
        self._skill.destroy()
        self.node.destroy_node()

    def trial(self, probe: Probe) -> float:
        """Return the time from the fault to the last command that moved the arm [ms], 0 if none did."""
        probe.prepare(self)
        self.get_going()
        self.spin(self._random.uniform(0.0, PHASE_S))
        self.said.clear()
        before_ns = time.monotonic_ns()
        at_ns = probe.plant(self) or before_ns
        self._come_to_rest(at_ns, probe.passes)
        moved_ns = self.arm.last_motion_ns - at_ns
        probe.mend(self)
        return max(0.0, moved_ns / NS_PER_MS)

    def began(self) -> int:
        """Wait until the policy has begun to fail, and return when that was."""
        self._began_ns = 0
        self.wait(lambda: self._began_ns, 5.0, "the policy to fail")
        return self._began_ns

    def spin(self, seconds: float) -> None:
        """Run callbacks for a while."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._executor.spin_once(timeout_sec=min(left, 0.05))

    def wait(self, done: Callable[[], object], limit_s: float, what: str) -> None:
        """Run callbacks until something holds.

        Raises:
            MachineError: if it takes too long.
        """
        end = time.monotonic() + limit_s
        while not done():
            if time.monotonic() > end:
                raise MachineError(f"waited {limit_s:g} s for {what}: is the machine busy?")
            self._executor.spin_once(timeout_sec=0.02)

    def call_reset(self) -> None:
        """Release the e-stop."""
        self.wait(lambda: self._try(self._reset), 10.0, "the e-stop's reset")

    def _try(self, client: Any) -> bool:
        if not client.service_is_ready():
            return False
        future = client.call_async(Trigger.Request())
        end = time.monotonic() + 1.0
        while not future.done() and time.monotonic() < end:
            self._executor.spin_once(timeout_sec=0.02)
        return bool(future.done() and future.result().success)

    # -- motion ------------------------------------------------------------------------

    def get_going(self) -> None:
        """Have the policy drive, and wait until each of some commands is another one."""
        end = time.monotonic() + READY_S
        asked = -1e9
        while True:
            heard = self.arm.heard
            self.spin(0.12)
            if self.arm.heard - heard >= 4 and self.arm.equal == 0 and self._verdict <= 1:
                return
            if not self._is_driving and time.monotonic() - asked > 1.0:
                asked = time.monotonic()
                self._ask()
            if time.monotonic() > end:
                raise MachineError(f"the arm did not move within {READY_S:g} s")

    def _ask(self) -> None:
        if self._planner is not None:
            self._planner.ask()
            return
        if not self._skill.server_is_ready():
            return
        self._goals += 1
        prompt = f"swing {self._goals}"  # the same once more would begin from home
        goal = RunSkill.Goal(skill=Skill.PLACE_IN, prompt=prompt, timeout_s=3600.0)
        self._skill.send_goal_async(goal).add_done_callback(self._on_answer)

    def _on_answer(self, future: Any) -> None:
        goal = future.result()
        if goal is not None and goal.accepted:
            self._goal, self._is_driving = goal, True
            goal.get_result_async().add_done_callback(self._on_end)

    def _on_end(self, _future: Any) -> None:
        self._is_driving = False

    def forget_goal(self) -> None:
        """The policy's process is gone, and with it its goal."""
        self._goal, self._is_driving = None, False
        self._skill.destroy()
        self._skill = ActionClient(self.node, RunSkill, topics.RUN_SKILL)

    def hand_over(self) -> None:
        """Have a planner ask for the skill, and nobody else."""
        if self._goal is not None:
            self._goal.cancel_goal_async()
        self.wait(lambda: not self._is_driving, 10.0, "the end of the bench's own skill")
        self._skill.destroy()
        self._planner = PlannerBeside(self.node, self.node.context.get_domain_id())

    def kill_planner(self) -> None:
        """Kill it at once."""
        assert self._planner is not None
        self._planner.kill()

    def take_back(self) -> None:
        """Ask for the skill again oneself."""
        if self._planner is not None:
            self._planner.close()
        self._planner, self._goal = None, None
        self._skill = ActionClient(self.node, RunSkill, topics.RUN_SKILL)

    def _come_to_rest(self, from_ns: int, passes: bool) -> None:
        self.arm.equal = self.arm.lived = 0
        end = time.monotonic() + 20.0
        while time.monotonic() < end:
            self._executor.spin_once(timeout_sec=0.02)
            quiet_s = (time.monotonic_ns() - max(from_ns, self.arm.last_motion_ns)) / 1e9
            is_over = self._verdict < Verdict.HOLD  # a hold may pass between two looks
            if passes and self._held_ns > from_ns and (is_over or self.arm.equal >= HELD):
                return
            is_silent = quiet_s > AT_REST_S and self.arm.lived >= AT_REST
            if is_silent or (self.arm.equal >= AT_REST and quiet_s > AT_REST_S / 2):
                return
        raise MachineError("the arm went on moving for 20 s after a fault")

    def _send_clock(self) -> None:
        now_ns = time.time_ns() + self.ahead_ns
        self._clocks.publish(ClockMessage(clock=ns_to_stamp(now_ns)))

    def _on_began(self, message: Int64) -> None:
        self._began_ns = message.data

    def _on_report(self, message: lam_msg.SafetyReport) -> None:
        self.said.add((Verdict(message.verdict).name, message.rule, message.detail))
        self._verdict = Verdict(message.verdict)
        if self._verdict >= Verdict.HOLD:
            self._held_ns = time.monotonic_ns()


# -- the faults ------------------------------------------------------------------------


def _arm(rig: Rig, part: str, fault: str) -> None:
    setattr(rig.arm, part, fault)


def _of_arm(part: str, fault: str) -> Probe:
    return Probe(partial(_arm, part=part, fault=fault), partial(_arm, part=part, fault=""))


def _policy_fault(rig: Rig, fault: str) -> int:
    rig.policy_fault.publish(String(data=fault))
    began_ns = rig.began()
    patience_ns = round(SLOW_AFTER_S * 1e9) if fault in (HANG, SLOW) else 0
    return began_ns + patience_ns


def _policy_well(rig: Rig) -> None:
    rig.policy_fault.publish(String(data=""))
    rig.spin(WELL_S)


def _press(rig: Rig) -> None:
    rig.estop.publish(Bool(data=True))


def _signal(rig: Rig, node: str, number: int) -> None:
    os.kill(rig.host.pids()[node], number)


def _revive(rig: Rig, node: str) -> None:
    rig.wait(lambda: node not in rig.host.pids(), 5.0, f"the end of {node}")
    rig.host.revive(node)
    if node == "policy":
        rig.forget_goal()


def _stopped(node: str) -> Probe:
    return Probe(
        partial(_signal, node=node, number=signal.SIGSTOP),
        partial(_signal, node=node, number=signal.SIGCONT),
    )


def _ended(node: str, number: int) -> Probe:
    return Probe(partial(_signal, node=node, number=number), partial(_revive, node=node))


def _jump_clock(rig: Rig, by_ns: int) -> None:
    rig.ahead_ns += by_ns


def _of_clock(by_ns: int) -> Probe:
    return Probe(partial(_jump_clock, by_ns=by_ns), passes=True, simulated_time=True)


def _rival(rig: Rig) -> None:
    """Have a second node command the arm: other positions, at once and again and again."""
    rig.arm.guarded = True
    other = rclpy.create_node("rival")
    out = other.create_publisher(
        lam_msg.JointCommand, rig.arm.robot.topics.joint_command, qos.COMMAND
    )

    def send() -> None:
        if timer.is_canceled():  # this call was waiting while the rival was ended
            return
        target = rig.arm.position_rad + np.array([0.01, 0, 0, 0, 0, 0])
        out.publish(command_to(target, rig.arm.robot, stamp_ns=rig.arm.now_ns()))

    timer = rig.node.create_timer(0.02, send)
    send()
    rig.rival = (other, timer)


def _no_rival(rig: Rig) -> None:
    other, timer = rig.rival
    timer.cancel()
    rig.spin(0.05)  # a call may be waiting
    rig.node.destroy_timer(timer)
    other.destroy_node()
    rig.wait(lambda: rig.node.count_publishers("lam/joint_command") < 2, 10.0, "the rival's end")
    rig.arm.guarded = False


PROBES = {
    "estop": Probe(_press, Rig.call_reset),
    "joints_stopped": _of_arm("joints", "stopped"),
    "joints_nan": _of_arm("joints", "nan"),
    "joints_jump": _of_arm("joints", "jump"),
    "camera_stopped": _of_arm("camera", "stopped"),
    "camera_same_stamp": _of_arm("camera", "stamp"),
    "camera_black": _of_arm("camera", "black"),
    "camera_wrong_size": _of_arm("camera", "size"),
    "picture_frozen": _of_arm("camera", "picture"),
    "policy_hung": Probe(partial(_policy_fault, fault=HANG), _policy_well),
    "policy_slow": Probe(partial(_policy_fault, fault=SLOW), _policy_well, passes=True),
    "policy_memory": Probe(partial(_policy_fault, fault=MEMORY), _policy_well),
    "policy_nan": Probe(partial(_policy_fault, fault=NAN), _policy_well),
    "policy_jump": Probe(partial(_policy_fault, fault=JUMP), _policy_well),
    "second_commander": Probe(_rival, _no_rival),
    "clock_forward": _of_clock(CLOCK_JUMP_NS),
    "clock_back": _of_clock(-CLOCK_JUMP_NS),
    "policy_stopped": _stopped("policy"),
    "control_stopped": _stopped("control"),
    "policy_killed": _ended("policy", signal.SIGKILL),
    "planner_killed": Probe(Rig.kill_planner, Rig.take_back, prepare=Rig.hand_over),
    "control_killed": _ended("control", signal.SIGKILL),
    "control_ended": _ended("control", signal.SIGTERM),
}
"""Fault -> how it is made and undone."""
