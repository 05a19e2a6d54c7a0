"""A picture of another arrangement becomes the goal: that arrangement, over what is there."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from lam_ros.config import build, load_group
from lam_ros.core.errors import DataError
from lam_ros.core.scene import Literal, Scene, SceneObject
from lam_ros.core.skills import TRAINED
from lam_ros.perception.calibration import Calibration
from lam_ros.perception.picture import read_picture, scene_in
from lam_ros.planning.config import PlannerConfig
from lam_ros.planning.outcome import Plan, Refuse, RefuseKind
from lam_ros.planning.picturing import means_picture
from lam_ros.planning.planner import Planner
from lam_ros.planning.verbs import OPEN_SKILLS

SEED = 1_000_302
TEXT = "make it look like this"


def planner() -> Planner:
    return Planner(TRAINED, build(PlannerConfig, load_group("planner", "default"), "planner"))


def moved_onto(stage, item: str, target: str) -> None:
    """Put an object of the simulation into or onto another, and let it come to rest."""
    data = stage.sim.data
    truth = stage.sim.truth()
    joint = stage.sim._slots[item].body_id
    address = stage.sim.model.jnt_qposadr[stage.sim.model.body(joint).jntadr[0]]
    x, y, _ = truth[target].position_m
    data.qpos[address : address + 3] = (x, y, truth[target].bottom_m + 0.03)
    for _ in range(25):
        stage.sim.step(stage.sim.target_rad)


def test_the_goal_is_the_arrangement_that_the_picture_shows(stage, tmp_path: Path) -> None:
    stage.set(SEED)
    before = stage.sim.truth()
    cube, bowl = before.of_kind("cube")[0], before.of_kind("bowl")[0]
    present, _ = stage.look()
    moved_onto(stage, cube.id, bowl.id)
    image, camera = stage.look()
    assert stage.sim.truth().holds(Literal("in", (cube.id, bowl.id)))
    path = tmp_path / "wanted.png"
    cv2.imwrite(str(path), image[..., ::-1])

    wanted = scene_in(read_picture(path), Calibration(camera), stage.robot)
    plan = planner()
    plan.show(wanted)
    outcome = plan.plan(TEXT, before)
    assert isinstance(outcome, Plan), outcome
    assert outcome.goal == (Literal("in", (cube.id, bowl.id)),)
    assert [step.step.goal for step in outcome.steps] == list(outcome.goal)
    done = plan.plan(TEXT, stage.sim.truth())
    assert isinstance(done, Plan)
    assert done.is_done
    assert present.shape == image.shape


def test_a_picture_that_shows_nothing_is_refused(stage) -> None:
    stage.set(SEED)
    image, camera = stage.look()
    grey = np.full_like(image, 90)
    plan = planner()
    plan.show(scene_in(grey, Calibration(camera), stage.robot))
    outcome = plan.plan(TEXT, stage.sim.truth())
    assert isinstance(outcome, Refuse)
    assert outcome.kind is RefuseKind.NO_PICTURE
    with pytest.raises(DataError, match="uncut"):
        scene_in(image[:, : image.shape[1] // 2], Calibration(camera), stage.robot)


def test_a_file_that_is_no_picture_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "wanted.png"
    for content in (b"", b"hello"):
        path.write_bytes(content)
        with pytest.raises(DataError, match="PNG or JPEG"):
            read_picture(path)
    with pytest.raises(DataError, match="No such file"):
        read_picture(tmp_path / "none.png")


def test_lam_plan_reads_a_picture(stage, tmp_path: Path, capsys) -> None:
    from lam_ros.planning.cli_plan import main

    stage.set(SEED)
    truth = stage.sim.truth()
    cube, bowl = truth.of_kind("cube")[0], truth.of_kind("bowl")[0]
    rows = [
        {"id": i.id, "kind": i.kind, "color": i.color, "position": i.position_m, "size": i.size_m}
        for i in truth.objects
    ]
    (tmp_path / "scene.json").write_text(json.dumps({"objects": rows}))
    moved_onto(stage, cube.id, bowl.id)
    image, camera = stage.look()
    cv2.imwrite(str(tmp_path / "wanted.png"), image[..., ::-1])
    Calibration(camera).save(tmp_path / "front.yaml")
    blank = dict.fromkeys(("answer", "batch", "out", "llm", "llm_model"), "")
    names = {"scene": "scene.json", "goal_image": "wanted.png", "calibration": "front.yaml"}
    files = {name: str(tmp_path / file) for name, file in names.items()}
    arguments = argparse.Namespace(instruction=TEXT, json=True, **blank, **files)
    assert main(arguments) == 0
    row = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert ["in", cube.id, bowl.id] in row["goal"]


# Scenes by hand


def thing(name: str, x_m: float, y_m: float = 0.0, **more: str) -> SceneObject:
    color, kind, _ = name.split("_")
    size = (0.09, 0.09, 0.03) if kind == "bowl" else (0.028, 0.028, 0.028)
    return SceneObject(name, kind, color, (x_m, y_m, size[2] / 2), size, **more)


NOW = Scene(
    (thing("red_cube_1", 0.15), thing("red_cube_2", 0.2, 0.1), thing("blue_cube_1", 0.25, -0.1),
     thing("blue_bowl_1", 0.28))
)  # fmt: skip


def like(*objects: SceneObject, able: Planner | None = None) -> Plan | Refuse:
    return (able or Planner(OPEN_SKILLS)).plan_like(TEXT, Scene(objects), NOW)


def test_of_things_alike_the_nearest_is_meant_whatever_their_names() -> None:
    cube = thing("red_cube_7", 0.2, 0.09, inside="blue_bowl_3")
    plan = like(cube, thing("blue_bowl_3", 0.28))
    assert isinstance(plan, Plan)
    assert plan.goal == (Literal("in", ("red_cube_2", "blue_bowl_1")),)


def test_a_tower_is_built_from_below() -> None:
    low = thing("blue_cube_1", 0.25, -0.1)
    middle = replace(
        thing("red_cube_1", 0.25, -0.1, on="blue_cube_1"), position_m=(0.25, -0.1, 0.042)
    )
    high = replace(thing("red_cube_2", 0.25, -0.1, on="red_cube_1"), position_m=(0.25, -0.1, 0.07))
    plan = like(high, middle, low)
    assert isinstance(plan, Plan)
    below = [step.step.target_id for step in plan.steps]
    assert below[0] == "blue_cube_1"
    assert len(plan.steps) == 2


def test_what_stands_side_by_side_shall_and_what_does_already_stays() -> None:
    plan = like(thing("red_cube_1", 0.15), thing("blue_cube_1", 0.15, 0.06))
    assert isinstance(plan, Plan)
    assert [goal.predicate for goal in plan.goal] == ["next_to"]
    assert set(plan.goal[0].args) == {"red_cube_1", "blue_cube_1"}
    same = like(*NOW.objects)
    assert isinstance(same, Plan)
    assert same.is_done


def test_what_the_picture_shows_and_is_not_there_is_told() -> None:
    plan = like(thing("red_cube_1", 0.15, inside="blue_bowl_1"), thing("blue_bowl_1", 0.28),
                thing("green_cube_1", 0.1))  # fmt: skip
    assert isinstance(plan, Plan)
    assert "green cube" in plan.remark
    nothing = like(thing("green_cube_1", 0.1))
    assert isinstance(nothing, Refuse)
    assert nothing.kind is RefuseKind.NO_PICTURE


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("make it look like this", True),
        ("Make it look like the picture.", True),
        ("arrange everything as in the photo", True),
        ("match the image", True),
        ("do it like that", True),
        ("put the red cube in the blue bowl", False),
        ("put the picture frame on the shelf", False),
        ("put the same cube in that bowl", False),
    ],
)
def test_which_words_mean_a_picture(text: str, means: bool) -> None:
    assert means_picture(text) is means


def test_without_a_picture_the_words_are_refused_with_the_remedy() -> None:
    outcome = Planner().plan(TEXT, NOW)
    assert isinstance(outcome, Refuse)
    assert outcome.kind is RefuseKind.NO_PICTURE
    assert "--goal-image" in outcome.reason
