"""The twin: what it lets pass, what it refuses, and that a good grasp is neither hit nor push."""

from __future__ import annotations

import numpy as np
import pytest

from lam_ros.config import load_robot
from lam_ros.core.chunking import ChunkConfig, ChunkPlayer
from lam_ros.core.errors import ConfigError
from lam_ros.core.geometry import Box, GeometryConfig
from lam_ros.core.preview import Hazard, PreviewConfig, Situation, commanded
from lam_ros.core.scene import Scene, SceneObject
from lam_ros.core.types import ActionChunk, JointState
from lam_sim.guard import ArmGuard
from lam_sim.rollout import Demonstrator
from lam_sim.scenes import SceneConfig
from lam_sim.tasks import TaskType, sample_episode
from lam_sim.twin import ChunkTwin, twin_for
from lam_sim.world import LockstepSim, SimConfig

ROBOT = load_robot("so101")
HOME = np.array(ROBOT.poses.home_rad)
STEP_NS = 40_000_000
LOW = np.array([0.0, 0.0, 0.5, 1.0, 0.0, 0.3])


@pytest.fixture(scope="module")
def twin() -> ChunkTwin:
    return ChunkTwin(ROBOT, PreviewConfig(enabled=True), GeometryConfig())


def way(goal: np.ndarray, start: np.ndarray = HOME, rows: int = 25) -> np.ndarray:
    """Return the commands of a chunk from one pose straight to another."""
    targets = start + (goal - start) * np.linspace(1 / rows, 1, rows)[:, None]
    chunk = ActionChunk(0, STEP_NS, ROBOT.joint_names, targets)
    return commanded(ROBOT, chunk, start, 0, blend_s=0.1, horizon_s=1.0)


def at(pose: np.ndarray, *objects: SceneObject, wanted: str = "") -> Situation:
    return Situation(JointState(0, pose), pose, Scene(objects), wanted)


def cube(x: float, y: float, z: float = 0.014) -> SceneObject:
    return SceneObject("red_cube_1", "cube", "red", (x, y, z), (0.028, 0.028, 0.028))


def kind(hazard: Hazard | None) -> str:
    return hazard.kind if hazard else ""


def test_a_chunk_in_free_air_is_let_pass(twin: ChunkTwin) -> None:
    assert twin.preview(at(HOME), way(HOME + 0.1)) is None


def test_a_chunk_into_the_table_is_refused_with_when_and_how_hard(twin: ChunkTwin) -> None:
    hazard = twin.preview(at(HOME), way(np.array([0.0, 0.9, 0.3, 0.4, 0.0, 0.3])))
    assert hazard is not None
    assert hazard.kind == "table"
    assert 0.2 < hazard.after_s <= 1.0
    assert " N" in hazard.detail


def test_what_stands_in_the_way_is_hit_unless_it_is_what_is_to_be_taken(twin: ChunkTwin) -> None:
    x, y, _ = ArmGuard(ROBOT, GeometryConfig()).tool_m(LOW)
    beside = LOW + np.array([0.9, 0, 0, 0, 0, 0])
    objects = (cube(float(x) - 0.01, float(y) - 0.12),)
    swing = way(beside, LOW)
    assert kind(twin.preview(at(LOW, *objects), swing)) in {"object", "shift", "topple"}
    assert twin.preview(at(LOW, *objects, wanted="red_cube_1"), swing) is None
    far = (cube(float(x), float(y) + 0.15),)
    assert twin.preview(at(LOW, *far), swing) is None


def test_a_thing_of_unknown_kind_is_an_obstacle_of_its_size(twin: ChunkTwin) -> None:
    x, y, _ = ArmGuard(ROBOT, GeometryConfig()).tool_m(LOW)
    lamp = SceneObject("lamp", "lamp", "", (float(x), float(y) - 0.08, 0.1), (0.04, 0.04, 0.2))
    swing = way(LOW + np.array([0.9, 0, 0, 0, 0, 0]), LOW)
    hazard = twin.preview(at(LOW, lamp), swing)
    assert hazard is not None
    assert "lamp" in hazard.detail
    drawn = twin.shot().draw()
    assert drawn.shape == (480, 640, 3)
    assert drawn.std() > 10


def test_what_the_safety_room_forbids_by_shape_is_foreseen() -> None:
    x, y, z = ArmGuard(ROBOT, GeometryConfig()).tool_m(HOME)
    box = Box((x - 0.1, y + 0.10, 0.0), (x + 0.1, y + 0.2, z + 0.1), "shelf")
    twin = ChunkTwin(ROBOT, PreviewConfig(enabled=True), GeometryConfig(keep_out=(box,)))
    left = way(HOME + np.array([-0.9, 0, 0, 0, 0, 0]))
    assert kind(twin.preview(at(HOME), left)) == "keep_out"
    assert twin.shot().draw().shape == (480, 640, 3)
    room = GeometryConfig(workspace=Box((-1, -1, -1), (x + 0.02, 1, 1)))
    twin = ChunkTwin(ROBOT, PreviewConfig(enabled=True), room)
    out = way(HOME + np.array([0, 0.8, -0.6, 0, 0, 0]))
    assert kind(twin.preview(at(HOME), out)) == "workspace"


def test_only_a_share_of_each_limit_may_be_used_in_the_twin() -> None:
    down = way(np.array([0.0, 0.9, 0.3, 0.4, 0.0, 0.3]))
    forces = {}
    for share in (0.1, 1.0):
        config = PreviewConfig(enabled=True, max_table_n=40.0, share=share)
        hazard = ChunkTwin(ROBOT, config, GeometryConfig()).preview(at(HOME), down)
        forces[share] = hazard.after_s if hazard else float("inf")
    assert forces[0.1] < forces[1.0]


def test_a_ball_may_roll_but_not_far(twin: ChunkTwin) -> None:
    x, y, _ = ArmGuard(ROBOT, GeometryConfig()).tool_m(LOW)
    ball = SceneObject(
        "ball_1", "ball", "", (float(x) - 0.01, float(y) - 0.12, 0.016), (0.032,) * 3
    )
    swing = way(LOW + np.array([0.9, 0, 0, 0, 0, 0]), LOW)
    assert kind(twin.preview(at(LOW, ball), swing)) in {"object", "shift"}


def test_what_is_carried_past_something_is_foreseen_to_hit_it(twin: ChunkTwin) -> None:
    """The fingers pass clear of it; the cube between them does not."""
    grip = LOW.copy()
    grip[5] = 0.12
    tool = ArmGuard(ROBOT, GeometryConfig()).tool_m(grip)
    held = cube(*map(float, tool))
    post = SceneObject(
        "lamp", "lamp", "", (float(tool[0]), float(tool[1]) - 0.09, 0.1), (0.05, 0.05, 0.2)
    )
    swing = way(grip + np.array([0.5, 0, 0, 0, 0, 0]), grip)
    hazard = twin.preview(at(grip, held, post, wanted="red_cube_1"), swing)
    assert hazard is not None


@pytest.mark.parametrize("task", [TaskType.IN_BOWL, TaskType.STACK])
def test_no_chunk_of_a_good_grasp_is_refused(twin: ChunkTwin, task: TaskType) -> None:
    sim = LockstepSim(ROBOT, SimConfig(scene=SceneConfig(), render=False))
    demonstrator, seen = Demonstrator(sim), []
    execute = demonstrator._execute

    def watch(target: np.ndarray) -> None:
        seen.append((sim.joint_state(), sim.target_rad, sim.truth()))
        execute(target)

    demonstrator._execute = watch  # type: ignore[method-assign]
    episode = sample_episode(SceneConfig(), 3_000_021, {task: 1.0})
    shown = demonstrator.run(episode)
    assert shown.outcome.success
    step, refused = episode.step, []
    for index in range(0, len(seen) - 8, 5):
        joints, command, scene = seen[index]
        rows = shown.action_rad[index : index + 25].astype(float)
        chunk = ActionChunk(joints.stamp_ns, STEP_NS, ROBOT.joint_names, rows)
        path = commanded(ROBOT, chunk, command, joints.stamp_ns, blend_s=0.1, horizon_s=1.0)
        situation = Situation(joints, command, scene, step.object_id, step.target_id)
        refused += [found for found in [twin.preview(situation, path)] if found]
    sim.close()
    assert refused == []


def test_the_same_question_has_the_same_answer(twin: ChunkTwin) -> None:
    down = way(np.array([0.0, 0.9, 0.3, 0.4, 0.0, 0.3]))
    assert twin.preview(at(HOME), down) == twin.preview(at(HOME), down)


def test_it_can_be_switched_off_and_limits_that_are_none_are_refused() -> None:
    assert twin_for(ROBOT, PreviewConfig(enabled=False), GeometryConfig()) is None
    with pytest.raises(ConfigError, match="max_table_n -1"):
        PreviewConfig(max_table_n=-1)


# -- what a chunk comes to -----------------------------------------------------------------


def test_what_is_foreseen_of_a_chunk_is_what_the_player_then_plays() -> None:
    rows = HOME + 0.02 + 0.005 * np.arange(1, 26)[:, None]
    chunk = ActionChunk(0, STEP_NS, ROBOT.joint_names, rows)
    period_ns, now_ns = ROBOT.control_period_ns, 3 * STEP_NS
    for blend_s in (0.0, 0.16, 5.0):
        player = ChunkPlayer(ROBOT, ChunkConfig(blend_s=blend_s))
        player.accept(chunk, now_ns, HOME)
        path = commanded(ROBOT, chunk, HOME, now_ns, blend_s=blend_s, horizon_s=1.0)
        played = [player.target(now_ns + k * period_ns) for k in range(1, len(path) + 1)]
        step = ROBOT.velocity_rad_s * period_ns * 1e-9
        assert (np.abs(np.diff(path, axis=0)) < step - 1e-9).all()  # nothing else shapes it
        np.testing.assert_allclose(path[3:], [target.position_rad for target in played][3:])


def test_a_chunk_is_foreseen_as_it_is_played_rows_in_time_and_no_faster_than_allowed() -> None:
    rows = HOME + 0.01 * np.arange(1, 11)[:, None]
    chunk = ActionChunk(0, STEP_NS, ROBOT.joint_names, rows)
    path = commanded(ROBOT, chunk, HOME, 0, blend_s=0.0, horizon_s=1.0)
    np.testing.assert_allclose(path[1], rows[0])  # 40 ms are two control periods
    np.testing.assert_allclose(path[-1], rows[-1])
    assert len(path) == 20
    late = commanded(ROBOT, chunk, HOME, 200_000_000, blend_s=0.0, horizon_s=1.0)
    assert len(late) == 10
    short = commanded(ROBOT, chunk, HOME, 0, blend_s=0.0, horizon_s=0.1)
    assert len(short) == 5
    jump = ActionChunk(0, STEP_NS, ROBOT.joint_names, np.tile(HOME - 1.5, (10, 1)))
    steps = np.diff(commanded(ROBOT, jump, HOME, 0, blend_s=0.1, horizon_s=1.0), axis=0)
    assert (np.abs(steps) <= ROBOT.velocity_rad_s * 0.02 + 1e-12).all()
