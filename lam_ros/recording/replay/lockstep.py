"""A recording in the simulator again, in lockstep, through the controller and its safety room."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lam_ros.core.clock import NS_PER_S
from lam_ros.core.controller import ControlConfig, Controller
from lam_ros.core.robot import RobotDescription
from lam_ros.core.scene import Scene
from lam_ros.core.types import FloatArray, Source, Target
from lam_ros.recording.replay.tape import Tape
from lam_sim import catalog
from lam_sim.guard import guard_for
from lam_sim.sampling import sample_scene
from lam_sim.scenes import ObjectSpec, SceneConfig, SceneSpec
from lam_sim.world import LockstepSim

SETTLE_NS = NS_PER_S
"""How long the simulator runs on after the last command."""

SAME_JOINT_RAD = 0.05
SAME_PLACE_M = 0.03


@dataclass(frozen=True)
class ObjectEnd:
    """Where an object ended: how far it was moved in the recording, and how far off it is now."""

    moved_m: float
    off_m: float


@dataclass(frozen=True)
class Replayed:
    """What came of it, against the recording.

    Attributes:
        joint_rms_rad, joint_max_rad: difference of the joints on the way.
        final_joint_rad: largest difference at the end.
        objects: by id; empty where no scene was recorded.
        verdicts: how often safety decided what.
    """

    seconds: float
    joint_rms_rad: float
    joint_max_rad: float
    final_joint_rad: float
    objects: Mapping[str, ObjectEnd]
    verdicts: Mapping[str, int]

    @property
    def same_end(self) -> bool:
        """Whether the arm and everything on the table ended where they did."""
        return self.final_joint_rad <= SAME_JOINT_RAD and all(
            item.off_m <= SAME_PLACE_M for item in self.objects.values()
        )


def scene_of(tape: Tape, seed: int | None) -> SceneSpec:
    """Return the scene to begin with: that of a seed, the recorded one, or an empty table.

    Raises:
        ConfigError: if the simulator does not have what was on the table.
    """
    if seed is not None:
        return sample_scene(SceneConfig(), seed)
    start_rad = tape.position_at(0)
    offset = tuple(float(x) for x in start_rad - np.array(tape.robot.poses.home_rad))
    objects = [] if tape.first_scene is None else list(tape.first_scene.objects)
    specs = tuple(
        ObjectSpec(
            id=item.id,
            kind=catalog.kind_named(item.kind).name,
            color=item.color,
            rgba=(*catalog.rgb_of(item.color), 1.0),
            position_m=item.position_m,
            yaw_rad=item.yaw_rad,
        )
        for item in objects
    )
    return SceneSpec(seed=0, objects=specs, arm_offset_rad=offset)


def replay(
    sim: LockstepSim, tape: Tape, spec: SceneSpec, control: ControlConfig, speed: float = 1.0
) -> Replayed:
    """Send a recording's commands to the simulator.

    Args:
        sim: is reset to `spec`.
        control: of the controller, as the control node has it.
        speed: 1 is as it was recorded, less is slower.
    """
    sim.reset(spec)
    controller = Controller(sim.robot, control, guard_for(sim.robot, control.safety.geometry))
    differences: list[FloatArray] = []
    verdicts: Counter[str] = Counter()
    upcoming, end_ns = 0, round(tape.length_ns / speed)
    while sim.now_ns <= end_ns + SETTLE_NS:
        now_ns = sim.now_ns
        controller.on_joints(sim.joint_state(), now_ns)
        last = int(np.searchsorted(tape.command_ns, round(now_ns * speed), side="right"))
        if last > upcoming:
            upcoming = last
            controller.on_teleop(Target(tape.asked_rad[last - 1], now_ns, Source.TELEOP), now_ns)
        report = controller.tick(now_ns)
        verdicts[report.verdict.name.lower()] += 1
        sim.step(sim.target_rad if report.sent_rad is None else report.sent_rad)
        if now_ns <= end_ns:
            recorded = tape.position_at(round(sim.now_ns * speed))
            differences.append(np.abs(sim.joint_state().position_rad - recorded))
    apart = np.stack(differences)
    final = np.abs(sim.joint_state().position_rad - tape.position_rad[-1])
    return Replayed(
        seconds=end_ns / NS_PER_S,
        joint_rms_rad=float(np.sqrt((apart**2).mean())),
        joint_max_rad=float(apart.max()),
        final_joint_rad=float(_without_gripper(sim.robot, final).max()),
        objects=_objects(tape, sim.truth()),
        verdicts=dict(verdicts),
    )


def _without_gripper(robot: RobotDescription, values: FloatArray) -> FloatArray:
    """Return values of the arm's joints; where a grip ends depends on what is gripped."""
    result: FloatArray = np.delete(values, robot.gripper_index)
    return result


def _objects(tape: Tape, truth: Scene) -> dict[str, ObjectEnd]:
    if tape.first_scene is None or tape.last_scene is None:
        return {}
    first = {item.id: np.array(item.position_m) for item in tape.first_scene.objects}
    last = {item.id: np.array(item.position_m) for item in tape.last_scene.objects}
    now = {item.id: np.array(item.position_m) for item in truth.objects}
    return {
        name: ObjectEnd(
            float(np.linalg.norm(last[name] - first[name])),
            float(np.linalg.norm(now[name] - last[name])),
        )
        for name in last
        if name in first and name in now
    }
