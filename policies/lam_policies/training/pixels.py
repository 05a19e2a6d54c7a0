"""Where things are seen in simulated pictures, computed again from the scenes' seeds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from lam_policies.training.projection import Pinhole
from lam_ros.core.robot import RobotDescription

Floats = npt.NDArray[np.float32]


def find_pixels(
    robot: RobotDescription,
    seeds: Sequence[int],
    episode: npt.NDArray[np.int64],
    state_rad: Floats,
    places_m: Floats,
) -> Floats | None:
    """Return where places are seen, shape (N, cameras, 2, 3); see `Frames.pixels`.

    Args:
        robot: whose cameras look.
        seeds: of each episode's scene, in order.
        episode: for each picture a number that changes with the episode, shape (N,).
        state_rad: joints at each picture, shape (N, J).
        places_m: object and target at each picture, shape (N, 2, 3).

    Returns:
        None if the simulator is not installed.
    """
    try:
        import mujoco

        from lam_sim.scenes import SceneConfig
        from lam_sim.tasks import sample_episode
        from lam_sim.world import LockstepSim, SimConfig
    except ImportError:
        return None
    config = SceneConfig()
    sim = LockstepSim(robot, SimConfig(scene=config, render=False))
    joints = [int(sim.model.joint(name).qposadr[0]) for name in robot.joint_names]
    cameras = [int(sim.model.camera(camera.name).id) for camera in robot.cameras]
    found = np.zeros((len(episode), len(cameras), 2, 3), np.float32)
    order = np.unique(episode, return_inverse=True)[1]
    for i, number in enumerate(order):
        if i == 0 or number != order[i - 1]:
            sim.reset(sample_episode(config, seeds[number]).scene)
        sim.data.qpos[joints] = state_rad[i]
        mujoco.mj_kinematics(sim.model, sim.data)
        mujoco.mj_camlight(sim.model, sim.data)
        for k, camera in enumerate(cameras):
            pinhole = Pinhole(
                sim.data.cam_xpos[camera],
                sim.data.cam_xmat[camera].reshape(3, 3),
                float(sim.model.cam_fovy[camera]),
                robot.cameras[k].width_px / robot.cameras[k].height_px,
            )
            found[i, k] = pinhole.see(places_m[i])
    return found
