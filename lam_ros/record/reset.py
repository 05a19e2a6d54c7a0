"""A new scene in simulation: the arm home, the table set anew, and seen so."""

from __future__ import annotations

from lam_ros.core.errors import LamError
from lam_ros.core.robot import RobotDescription
from lam_ros.record.client import RecordClient
from lam_ros.record.homing import WayHome


class SceneReset:
    """Brings the arm home and has the simulator set the table; made for one scene."""

    def __init__(self, client: RecordClient, robot: RobotDescription, seed: int) -> None:
        """Begin with the next `tick`; nobody else must drive meanwhile."""
        self._client, self._robot = client, robot
        self._question = client.new_scene(seed)
        self._way: WayHome | None = None
        self._is_home = False
        self._set_ns = 0

    def tick(self, now_ns: int) -> bool:
        """Go on with it; True when the new scene has been seen.

        Raises:
            LamError: if the simulator refuses.
        """
        if not self._is_home:
            self._is_home = self._go_home(now_ns)
            return False
        if not self._set_ns:
            answer = self._question.answer(now_ns)
            if answer is None:
                return False
            if not answer.success:
                raise LamError(f"the simulator has no new scene: {answer.message}")
            self._set_ns = now_ns
        scene = self._client.scene
        return scene is not None and scene.stamp_ns > self._set_ns

    def _go_home(self, now_ns: int) -> bool:
        joints = self._client.joints
        if joints is None:
            return False
        if self._way is None:
            self._way = WayHome(self._robot, joints.position_rad, now_ns)
        self._client.command(self._way)
        return self._way.is_over(joints.position_rad, now_ns)
