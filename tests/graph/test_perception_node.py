"""Perception's node: pictures of the simulator's table in, the scene out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from sensor_msgs.msg import Image

from lam_interfaces.msg import Scene
from lam_interfaces.srv import PlanInstruction, ResetScene
from lam_ros.bridge import qos, topics
from lam_ros.bridge.images import ImageWriter
from lam_ros.bridge.scenes import scene_from
from lam_ros.config import load_group, load_robot
from lam_ros.core.errors import LamError
from lam_ros.nodes.perception import PerceptionNode
from lam_ros.perception.calibration import Calibration
from lam_sim.cameras import true_camera
from lam_sim.scenes import SceneConfig
from lam_sim.world import LockstepSim, SimConfig

SEEN = "lam/seen"
LIKE_THIS = "make it look like this"
SEED = 1_000_000


@pytest.fixture
def robot_file(tmp_path: Path) -> str:
    """The shipped robot with a larger and slower front camera."""
    group = load_group("robot", "so101")
    group["cameras"]["front"] |= {"width_px": 640, "height_px": 400, "rate_hz": 5.0}
    path = tmp_path / "robot.yaml"
    path.write_text(yaml.safe_dump(group), encoding="utf-8")
    return str(path)


def seen_and_true(world: Any, seen: list[Any], true: list[Any]) -> tuple[Any, Any]:
    world.graph.spin_until(
        lambda: true and seen and len(scene_from(seen[-1]).objects) >= len(true[-1].objects),
        "everything to be seen",
        30.0,
    )
    return scene_from(seen[-1]), scene_from(true[-1])


def assert_alike(seen: Any, truth: Any) -> None:
    """Assert that all true objects are seen by kind, colour and place."""
    for item in truth.objects:
        alike = [i for i in seen.objects if (i.kind, i.color) == (item.kind, item.color)]
        assert alike, item.id
        assert min(item.distance_xy_m(other) for other in alike) < 0.008, item.id


def test_what_is_seen_is_what_is_there_also_after_the_table_is_set_anew(
    world: Any, robot_file: str
) -> None:
    seen = world.graph.collect(Scene, SEEN, qos.SCENE)
    true = world.graph.collect(Scene, topics.SCENE, qos.SCENE)
    world.sim(robot=robot_file, seed=SEED, scene='{"placed_probability": 0.0}')
    world.bring_up(PerceptionNode, robot=robot_file, scene_topic=SEEN)
    assert_alike(*seen_and_true(world, seen, true))

    client = world.graph.node.create_client(ResetScene, topics.RESET_SCENE)
    assert world.graph.call(client, ResetScene.Request(seed=SEED + 3)).success
    count = len(seen)
    true.clear()
    world.graph.spin_until(lambda: len(seen) > count + 3, "new scenes", 30.0)
    assert_alike(*seen_and_true(world, seen, true))


def test_a_calibration_file_is_used_and_one_that_is_not_there_is_refused(
    world: Any, robot_file: str, tmp_path: Path
) -> None:
    with pytest.raises(LamError, match="lam calibrate table"):
        world.bring_up(PerceptionNode, robot=robot_file, calibration=str(tmp_path / "no.yaml"))
    sim = LockstepSim(load_robot(robot_file), SimConfig(SceneConfig(placed_probability=0.0), False))
    sim.reset(SEED)
    path = tmp_path / "front.yaml"
    Calibration(true_camera(sim.model, sim.data, "front", 640, 400)).save(path)
    sim.close()

    seen = world.graph.collect(Scene, SEEN, qos.SCENE)
    true = world.graph.collect(Scene, topics.SCENE, qos.SCENE)
    world.sim(robot=robot_file, seed=SEED, scene='{"placed_probability": 0.0}')
    world.bring_up(PerceptionNode, robot=robot_file, scene_topic=SEEN, calibration=str(path))
    found, truth = seen_and_true(world, seen, true)
    assert_alike(found, truth)


def test_a_picture_of_the_goal_is_seen_and_one_of_another_shape_shows_nothing(
    world: Any, robot_file: str
) -> None:
    sim = LockstepSim(load_robot(robot_file), SimConfig(SceneConfig(placed_probability=0.0)))
    picture = sim.reset(SEED).images["front"]
    truth = sim.truth()
    sim.close()
    goals = world.graph.collect(Scene, topics.GOAL_SCENE, qos.LATCHED)
    world.sim(robot=robot_file, seed=SEED, scene='{"placed_probability": 0.0}')
    world.bring_up(PerceptionNode, robot=robot_file, scene_topic=SEEN)
    pictures = world.graph.node.create_publisher(Image, topics.GOAL_IMAGE, qos.LATCHED)
    pictures.publish(ImageWriter("goal", 640, 400).fill(picture, 1))
    world.graph.spin_until(lambda: goals, "the goal's scene", 30.0)
    assert_alike(scene_from(goals[-1]), truth)

    half = picture[:, :320].copy()
    pictures.publish(ImageWriter("goal", 320, 400).fill(half, 2))
    world.graph.spin_until(lambda: len(goals) > 1, "an answer to the other picture", 30.0)
    assert not goals[-1].objects


def test_a_picture_of_the_goal_becomes_the_plan_for_what_is_seen(
    world: Any, robot_file: str
) -> None:
    scene = SceneConfig(placed_probability=0.0, include=("red cube", "blue bowl"))
    sim = LockstepSim(load_robot(robot_file), SimConfig(scene))
    sim.reset(SEED)
    drop(sim, "red_cube_1", "blue_bowl_1")
    picture = sim.observe().images["front"]
    sim.close()

    named = '{"placed_probability": 0.0, "include": ["red cube", "blue bowl"]}'
    world.sim(robot=robot_file, seed=SEED, scene=named, publishes_scene=False)
    seen = world.graph.collect(Scene, topics.SCENE, qos.SCENE)
    goals = world.graph.collect(Scene, topics.GOAL_SCENE, qos.LATCHED)
    world.bring_up(PerceptionNode, robot=robot_file)
    world.planner(robot=robot_file)
    pictures = world.graph.node.create_publisher(Image, topics.GOAL_IMAGE, qos.LATCHED)
    pictures.publish(ImageWriter("goal", 640, 400).fill(picture, 1))
    world.graph.spin_until(lambda: goals and seen and seen[-1].objects, "both scenes", 30.0)
    planning = world.graph.node.create_client(PlanInstruction, topics.PLAN_INSTRUCTION)

    def planned() -> list[str]:
        request = PlanInstruction.Request(instruction=LIKE_THIS)
        answer = world.graph.call(planning, request, "the plan")
        return list(answer.goal)

    wanted = ["in(red_cube_1, blue_bowl_1)"]
    for _ in range(100):
        if planned() == wanted:
            break
        world.graph.spin_for(0.1)
    assert planned() == wanted


def drop(sim: LockstepSim, item: str, target: str) -> None:
    """Let an object of the simulation fall onto another, and come to rest."""
    body = sim.model.body(sim._slots[item].body_id)
    address = sim.model.jnt_qposadr[body.jntadr[0]]
    x, y, _ = sim.truth()[target].position_m
    sim.data.qpos[address : address + 3] = (x, y, sim.truth()[target].bottom_m + 0.03)
    for _ in range(25):
        sim.step(sim.target_rad)
