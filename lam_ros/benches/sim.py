"""`lam bench sim`: the lockstep simulator against a bare loop of the same model.

The bare loop steps the same physics and draws the same two pictures with nothing
around it: no ramp of the command, no observation, no checks.  What is lost against it
is what our frame costs.  Both take turns in short blocks and the median block counts, so
that a change of the machine's load meets both alike.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

import mujoco
import numpy as np

from lam_ros.benches.report import BenchReport, machine
from lam_ros.config import load_robot
from lam_ros.core.types import FloatArray
from lam_sim.render import POLICY, Renderer
from lam_sim.world import LockstepSim

FRAMES_PER_BLOCK = 25
SEED = 7


def run(seconds: float) -> BenchReport:
    """Measure for about `seconds` [s] and return frames a second of both loops."""
    sim = LockstepSim(load_robot("so101"))
    sim.reset(SEED)
    loops: dict[str, Callable[[FloatArray], None]] = {
        "lockstep": lambda target: _lockstep_frame(sim, target),
        "bare": _bare_frame(sim),
    }
    blocks_s: dict[str, list[float]] = {name: [] for name in loops}
    deadline = time.perf_counter() + seconds
    while time.perf_counter() < deadline:
        for name, frame in loops.items():
            sim.reset(SEED)
            blocks_s[name].append(_time_block(frame, sim))
    sim.close()
    rates = {name: FRAMES_PER_BLOCK / median(taken) for name, taken in blocks_s.items()}
    steps_per_frame = _control_steps(sim) * _physics_steps(sim)
    return BenchReport(
        bench="sim",
        metrics={
            "lockstep_frames_per_s": round(rates["lockstep"], 1),
            "bare_frames_per_s": round(rates["bare"], 1),
            "physics_steps_per_frame": steps_per_frame,
            "cameras": {c.name: f"{c.width_px}x{c.height_px}" for c in sim.robot.cameras},
            "lockstep_times_realtime": round(rates["lockstep"] / sim.robot.cameras[0].rate_hz, 1),
            "frames": FRAMES_PER_BLOCK * len(blocks_s["bare"]),
        },
        ratios={"lockstep_to_bare": round(rates["lockstep"] / rates["bare"], 4)},
        machine=machine(),
    )


def _time_block(frame: Callable[[FloatArray], None], sim: LockstepSim) -> float:
    """Return the time of one block, in which the arm swings about its home pose."""
    home = np.array(sim.robot.poses.home_rad)
    swing = np.array([0.3, 0.1, 0.1, 0.1, 0.3, 0.2])
    started = time.perf_counter()
    for k in range(FRAMES_PER_BLOCK):
        frame(home + swing * np.sin(2 * np.pi * k / FRAMES_PER_BLOCK))
    return time.perf_counter() - started


def _control_steps(sim: LockstepSim) -> int:
    return round(sim.robot.control_rate_hz / sim.robot.cameras[0].rate_hz)


def _physics_steps(sim: LockstepSim) -> int:
    return round(1.0 / sim.robot.control_rate_hz / sim.model.opt.timestep)


def _lockstep_frame(sim: LockstepSim, target_rad: FloatArray) -> None:
    for _ in range(_control_steps(sim)):
        sim.step(target_rad)
    sim.observe()


def _bare_frame(sim: LockstepSim) -> Callable[[FloatArray], None]:
    """Return the bare loop: MuJoCo's own calls and nothing else, on the same model and state."""
    model, data = sim.model, sim.data
    sizes = {(camera.width_px, camera.height_px) for camera in sim.robot.cameras}
    contexts = {size: Renderer(model, *size, POLICY) for size in sizes}
    cameras = [(c.name, contexts[c.width_px, c.height_px]) for c in sim.robot.cameras]
    count = _control_steps(sim) * _physics_steps(sim)

    def frame(target_rad: FloatArray) -> None:
        data.ctrl[:] = target_rad
        mujoco.mj_step(model, data, count)
        for name, renderer in cameras:
            renderer.update(data, name)
            renderer.draw()

    return frame
