"""`lam bench loop`: the command stream's rhythm, and the way from a picture to a command.

The simulator, the policy and the control node run as `lam run` starts them, each a
process of its own, and the policy drives.  Then the same once more with a neighbour
that computes on every core at the policy's niceness.

Where the times are taken:

    command_jitter_ms     how far the time between two commands is from the control period;
                          each command is stamped at the beginning of its tick, just before
                          it is computed and published
    command_arrival_jitter_ms
                          the same where a subscriber receives it: what an arm would see,
                          with the middleware's and the subscriber's own delays
    camera_to_command_ms  from the stamp of the oldest picture of an observation (the time
                          that the picture shows) to the stamp of the first command that
                          is computed from it: drawing, transport, inference and the wait
                          for the next tick are in it
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import rclpy
from rclpy.action import ActionClient

from lam_interfaces import msg as lam_msg
from lam_interfaces.action import RunSkill
from lam_ros.benches.report import BenchReport, machine
from lam_ros.benches.times import first_effects_ms, jitter_ms, percentiles_ms
from lam_ros.bridge import qos, topics
from lam_ros.bridge.asking import SentGoal
from lam_ros.bridge.messages import stamp_to_ns
from lam_ros.bridge.runtime import ros
from lam_ros.core.errors import MachineError
from lam_ros.core.skills import Skill
from lam_ros.core.types import Verdict
from lam_ros.environment import node_environment
from lam_ros.graph import POLICY_NICE, sim_graph
from lam_ros.locks import hold_domain, hold_run
from lam_ros.run.parameters import driver_of, graph_parameters
from lam_ros.run.settings import load_run_settings
from lam_ros.supervisor import NodeSpec, Supervisor

PROMPT = "put the red cube in the blue bowl"
NODES = ("sim", "control", "policy")
SEED = 7
START_S = 90.0
SETTLE_S = 2.0
"""Left out at the beginning of each part: the first inferences are slower."""


@dataclass
class Heard:
    """One entry for each command: when it was made, from what, and when it came here."""

    stamps_ns: list[int] = field(default_factory=list)
    obs_stamps_ns: list[int] = field(default_factory=list)
    arrivals_ns: list[int] = field(default_factory=list)
    moving: int = 0

    def note(self, report: lam_msg.SafetyReport) -> None:
        """Take a report of the control node, which tells of one command."""
        self.arrivals_ns.append(time.monotonic_ns())
        self.stamps_ns.append(stamp_to_ns(report.header.stamp))
        self.obs_stamps_ns.append(stamp_to_ns(report.obs_stamp))
        self.moving += report.verdict <= Verdict.CLAMPED


def run(seconds: float, overrides: Sequence[str] = ()) -> BenchReport:
    """Measure for about `seconds` [s], two thirds of it without the neighbour.

    Raises:
        CheckpointError: if there is no policy to run.
        BusyError: if a run is in progress, which would be measured with it.
        NodeDied: if a node could not be started.
    """
    specs, period_ns = _graph(overrides)
    domain_id, domain = hold_domain()
    with hold_run(), domain, tempfile.TemporaryDirectory(prefix="lam-bench-") as folder:
        os.environ["ROS_DOMAIN_ID"] = str(domain_id)
        with Supervisor(specs(Path(folder)), Path(folder), domain_id) as host, ros([]) as executor:
            probe = _Probe(host, executor)
            probe.start()
            alone = probe.listen(seconds * 2 / 3)
            with hog():
                beside = probe.listen(seconds / 3)
            probe.close()
    return _report(alone, beside, period_ns)


def _graph(overrides: Sequence[str]) -> tuple[Any, int]:
    """Return what makes the table of the nodes, given a folder, and the control period [ns]."""
    settings = load_run_settings(overrides)
    driver = driver_of(settings)
    settings = settings.for_instruction(PROMPT)

    def specs(folder: Path) -> list[NodeSpec]:
        parameters = graph_parameters(
            settings, driver, SEED, folder, video=False, single_process=False
        )
        return [spec for spec in sim_graph(parameters) if spec.name in NODES]

    return specs, settings.robot.control_period_ns


def _report(alone: Heard, beside: Heard, period_ns: int) -> BenchReport:
    jitter = percentiles_ms(jitter_ms(alone.stamps_ns, period_ns))
    latency = percentiles_ms(first_effects_ms(alone.stamps_ns, alone.obs_stamps_ns))
    return BenchReport(
        bench="loop",
        metrics={
            "camera_to_command_ms": latency,
            "command_jitter_ms": jitter,
            "command_arrival_jitter_ms": percentiles_ms(jitter_ms(alone.arrivals_ns, period_ns)),
            "command_jitter_beside_hog_ms": percentiles_ms(jitter_ms(beside.stamps_ns, period_ns)),
            "camera_to_command_beside_hog_ms": percentiles_ms(
                first_effects_ms(beside.stamps_ns, beside.obs_stamps_ns)
            ),
            "moving_share": round(alone.moving / max(1, len(alone.stamps_ns)), 4),
        },
        ratios={"jitter_p99_to_period": round(jitter.get("p99", 0.0) / (period_ns / 1e6), 4)},
        machine=machine(),
    )


class _Probe:
    """A node that has the policy drive, and hears the safety reports."""

    def __init__(self, host: Supervisor, executor: Any) -> None:
        self._host, self._executor = host, executor
        self._node = rclpy.create_node("bench")
        executor.add_node(self._node)
        self._heard = Heard()
        self._node.create_subscription(
            lam_msg.SafetyReport,
            topics.SAFETY_REPORT,
            lambda report: self._heard.note(report),
            qos.REPORT,
        )
        self._skill = ActionClient(self._node, RunSkill, topics.RUN_SKILL)

    def start(self) -> None:
        """Wait for the nodes and have the policy drive."""
        end = time.monotonic() + START_S
        goal = RunSkill.Goal(
            skill=Skill.PLACE_IN,
            object_id="red_cube_1",
            target_id="blue_bowl_1",
            prompt=PROMPT,
            timeout_s=3600.0,
        )
        sent = SentGoal(self._skill, goal)
        while time.monotonic() < end:
            if sent.accepted is False:  # it is not active yet
                self._spin(0.3)
                sent = SentGoal(self._skill, goal)
            sent.look(time.monotonic_ns())
            self._spin(0.05)
            if sent.accepted:
                return
        raise MachineError(f"the graph was not ready within {START_S:g} s: is the machine busy?")

    def listen(self, seconds: float) -> Heard:
        """Return what is heard in `seconds` [s], after settling."""
        self._spin(SETTLE_S)
        self._heard = heard = Heard()
        self._spin(seconds)
        return heard

    def close(self) -> None:
        """Go away; the supervisor ends the others."""
        self._executor.remove_node(self._node)
        self._skill.destroy()
        self._node.destroy_node()

    def _spin(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._executor.spin_once(timeout_sec=min(left, 0.1))
            self._host.check()


@contextmanager
def hog(nice: int = POLICY_NICE) -> Iterator[None]:
    """Have a process compute on every core while the block lasts."""
    launcher = [sys.executable, "-m", "lam_ros.process", "--parent", str(os.getpid())]
    process = subprocess.Popen(
        [*launcher, "--nice", str(nice), "lam_ros.benches.hog"],
        env=node_environment(threads=os.cpu_count() or 1),
    )
    try:
        yield
    finally:
        process.kill()
        process.wait()
