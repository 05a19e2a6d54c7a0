"""One episode in lockstep: the walk of the ROS graph, with simulated time for a clock.

Pictures become an observation, the policy answers with a chunk, the chunk reaches the
controller a latency later, and what the safety room lets pass moves the arm: the same
`Controller` that the control node runs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from lam_ros.core.clock import seconds_to_ns
from lam_ros.core.controller import ControlConfig, Controller
from lam_ros.core.pacing import Every
from lam_ros.core.types import ActionChunk, Observation, Verdict
from lam_ros.evaluation.axes import Axis
from lam_ros.evaluation.surroundings import Surroundings
from lam_sim.guard import guard_for
from lam_sim.judge import Judge
from lam_sim.world import LockstepSim

Infer = Callable[[Observation, str], ActionChunk]
Observe = Callable[[Observation], None]
Sent = Callable[[ActionChunk, int], None]


@dataclass(frozen=True)
class Timing:
    """When a policy is asked and when its answer arrives.

    Attributes:
        max_seconds: simulated time that an episode may take.
        replan_every_s: time between two inferences.
        latency_s: time from the picture to its chunk being played.
    """

    max_seconds: float
    replan_every_s: float
    latency_s: float


@dataclass(frozen=True)
class Drive:
    """What it took: answers, times that safety stepped in, mishaps by name, and new beginnings."""

    chunks: int
    unsafe_events: int
    mishaps: dict[str, int] = field(default_factory=dict)
    retries: int = 0


def drive(
    sim: LockstepSim,
    infer: Infer,
    prompt: str,
    judge: Judge,
    control: ControlConfig,
    timing: Timing,
    observe: Observe | None = None,
    around: Surroundings | None = None,
    sent: Sent | None = None,
) -> Drive:
    """Let a policy drive from where the simulation stands until done or out of time.

    Args:
        sim: reset to the scene.
        infer: the policy; sees pictures and joints, never the ground truth.
        prompt: what it is told.
        judge: watches the ground truth at the cameras' rate, and ends the episode.
        control: configuration of the controller.
        timing: when to ask, and the latency to simulate.
        observe: hears of every picture, for a policy that looks back; costs their drawing.
        around: what disturbs the attempt, and what counts mishaps.
        sent: hears of every chunk that will be played, and how late it comes [ns].
    """
    around = around or Surroundings(Axis(), 0, "")
    controller = Controller(sim.robot, control, guard_for(sim.robot, control.safety.geometry))
    asking = Every(seconds_to_ns(timing.replan_every_s))
    looking = Every(sim.robot.cameras[0].period_ns)
    judging = Every(sim.robot.cameras[0].period_ns)
    waiting: list[tuple[int, ActionChunk]] = []
    chunks = unsafe = 0
    end_ns = sim.now_ns + seconds_to_ns(timing.max_seconds)
    while sim.now_ns < end_ns and not judge.succeeded:
        now_ns = sim.now_ns
        controller.on_joints(sim.joint_state(), now_ns)
        if asking.is_due(now_ns):
            arrival_ns = now_ns + seconds_to_ns(timing.latency_s) + around.delay_ns
            chunk = infer(around.seen(sim.observe()), prompt)
            if not around.loses_answer():
                waiting.append((arrival_ns, chunk))
                if sent is not None:
                    sent(chunk, arrival_ns - now_ns)
        if observe is not None and looking.is_due(now_ns):
            observe(around.seen(sim.observe()))
        while waiting and waiting[0][0] <= now_ns:
            controller.on_chunk(waiting.pop(0)[1], now_ns)
            chunks += 1
        report = controller.tick(now_ns)
        unsafe += chunks > 0 and report.verdict >= Verdict.HOLD
        sim.step(sim.target_rad if report.sent_rad is None else report.sent_rad)
        if judging.is_due(sim.now_ns):
            scene = sim.truth()
            judge.watch(scene)
            around.watch(sim, scene)
    return Drive(chunks, int(unsafe), around.mishaps)
