"""Looking ahead on the running graph: what would hit is withheld, and everybody is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image
from rclpy.action import ActionClient
from sensor_msgs.msg import JointState

from lam_interfaces.action import ExecuteInstruction
from lam_interfaces.msg import ActionChunk
from lam_ros.bridge import qos, topics
from lam_ros.config import load_group, load_robot
from lam_ros.core.types import Observation

ROBOT = load_robot("so101")
HOME = np.array(ROBOT.poses.home_rad)
SCENE = json.dumps(
    {
        "include": ["red cube", "blue bowl"],
        "placed_probability": 0.0,
        "randomization": {"arm_pose": 0.0},
    }
)
INTO_THE_TABLE = np.array([0.0, 0.375, 0.3, 0.4, 0.0, 0.3])


@pytest.fixture
def safety(tmp_path: Path) -> str:
    """Return a file in which the preview is on, and gives up after two refusals."""
    data = load_group("safety", "default")
    data["preview"] |= {"enabled": True, "rejections": 2}
    path = tmp_path / "safety.yaml"
    path.write_text(yaml.safe_dump(data), encoding="utf-8")
    return str(path)


def _planner(folder: Path) -> str:
    """Return a file of a planner that tries a step once."""
    group = load_group("planner", "default")
    group["execution"] |= {
        "ask_timeout_s": 0.0, "max_attempts": 1, "other_grasps": 0, "max_replans": 0,
        "settle_s": 0.1,
    }  # fmt: skip
    path = folder / "planner.yaml"
    path.write_text(yaml.safe_dump(group), encoding="utf-8")
    return str(path)


def dive(seen: Observation) -> np.ndarray:
    return seen.state_rad + (INTO_THE_TABLE - seen.state_rad) * np.linspace(0.04, 1, 25)[:, None]


def test_a_chunk_that_would_hit_is_withheld_asked_for_again_and_the_planner_is_told(
    graph: Any, world: Any, safety: str, tmp_path: Path
) -> None:
    chunks = graph.collect(ActionChunk, topics.ACTION_CHUNK, qos.COMMAND)
    joints = graph.collect(JointState, "joint_states", qos.SENSOR)
    world.sim(scene=SCENE)
    world.control()
    policy = world.policy(safety=safety, preview_dir=str(tmp_path / "rejected"))
    policy.answer = dive
    world.planner(planner=_planner(tmp_path))
    client = ActionClient(graph.node, ExecuteInstruction, topics.EXECUTE_INSTRUCTION)
    graph.spin_until(client.server_is_ready, "the planner")
    graph.spin_until(lambda: joints, "joint states")
    goal = ExecuteInstruction.Goal(instruction="put the red cube in the blue bowl")
    handle = graph.send_goal(client, goal)
    result = graph.result(handle.get_result_async(), "the end", 60.0).result

    assert result.termination == ExecuteInstruction.Result.STEP_FAILED
    assert "refused" in result.message
    assert "the arm hits the table with" in result.message
    assert len(policy.prompts) == 2  # asked again, once
    assert not chunks
    went = np.array([message.position for message in joints])
    assert np.abs(went - went[0]).max() < 0.1
    graph.spin_until(lambda: sorted((tmp_path / "rejected").glob("*.png")), "a picture")
    pictures = sorted((tmp_path / "rejected").glob("*_table.png"))
    assert pictures
    assert np.asarray(Image.open(pictures[0])).std() > 10


def test_a_chunk_in_free_air_is_played_with_the_preview_on(
    graph: Any, world: Any, safety: str, tmp_path: Path
) -> None:
    from lam_interfaces.action import RunSkill

    joints = graph.collect(JointState, "joint_states", qos.SENSOR)
    world.sim(scene=SCENE)
    world.control()
    world.policy(safety=safety, preview_dir=str(tmp_path / "rejected"))
    client = ActionClient(graph.node, RunSkill, topics.RUN_SKILL)
    graph.spin_until(client.server_is_ready, "the policy")
    goal = RunSkill.Goal(prompt="turn", timeout_s=20.0)
    handle = graph.send_goal(client, goal)
    graph.spin_until(lambda: joints[-1].position[0] > joints[0].position[0] + 0.1, "it to move")
    graph.result(handle.cancel_goal_async())
    graph.result(handle.get_result_async(), "the end")
    client.destroy()
    assert not (tmp_path / "rejected").exists()
