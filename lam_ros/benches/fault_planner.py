"""A planner in a process of its own, for `lam bench faults` to kill while it has a skill running."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml
from std_msgs.msg import String

from lam_interfaces import msg as lam_msg
from lam_ros.bridge import qos, topics
from lam_ros.bridge.clock import RosClock
from lam_ros.bridge.scenes import scene_to
from lam_ros.config import load_group
from lam_ros.core.scene import Scene, SceneObject
from lam_ros.supervisor import NodeSpec, Supervisor

SCENE_EVERY_S = 0.1
SAY_EVERY_S = 6.0
"""An instruction that moved nothing for so long is said again."""

TABLE = (
    SceneObject("red_cube_1", "cube", "red", (0.22, 0.0, 0.014), (0.028, 0.028, 0.028)),
    SceneObject("blue_bowl_1", "bowl", "blue", (0.22, 0.12, 0.02), (0.09, 0.09, 0.04)),
    SceneObject("green_bowl_1", "bowl", "green", (0.22, -0.12, 0.02), (0.09, 0.09, 0.04)),
)
INSTRUCTION = "put the red cube in the blue bowl"


class PlannerBeside:
    """Runs the planner's node, shows it a table, and tells it what to do."""

    def __init__(self, node: Any, domain_id: int) -> None:
        """Start it; it remembers nothing."""
        self._folder = tempfile.TemporaryDirectory(prefix="lam-planner-")
        folder = Path(self._folder.name)
        planner = load_group("planner", "default")
        planner["memory"] = planner["memory"] | {"enabled": False}
        (folder / "planner.yaml").write_text(yaml.safe_dump(planner), encoding="utf-8")
        spec = NodeSpec(
            "planner",
            "lam_ros.nodes.planner",
            "PlannerNode",
            {"planner": str(folder / "planner.yaml")},
        )
        self._host = Supervisor([spec], folder, domain_id)
        self._host.start()
        self._node, self._clock = node, RosClock(node)
        self._scenes = node.create_publisher(lam_msg.Scene, topics.SCENE, qos.SCENE)
        self._words = node.create_publisher(String, topics.INSTRUCTION, qos.REPORT)
        self._timer = node.create_timer(SCENE_EVERY_S, self._show)
        self._said_s = -SAY_EVERY_S

    def ask(self) -> None:
        """Say the instruction once it can be heard, and again where nothing came of it."""
        is_due = time.monotonic() - self._said_s > SAY_EVERY_S
        if is_due and self._words.get_subscription_count():
            self._said_s = time.monotonic()
            self._words.publish(String(data=INSTRUCTION))

    def kill(self) -> None:
        """End it as nothing can be caught."""
        os.kill(self._host.pids()["planner"], signal.SIGKILL)

    def close(self) -> None:
        """Take all of it away."""
        self._host.stop()
        self._node.destroy_timer(self._timer)
        self._node.destroy_publisher(self._scenes)
        self._node.destroy_publisher(self._words)
        self._folder.cleanup()

    def _show(self) -> None:
        self._scenes.publish(scene_to(Scene(TABLE, stamp_ns=self._clock.now_ns())))
