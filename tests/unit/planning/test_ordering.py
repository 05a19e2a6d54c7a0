"""The order of the steps works: towers from below, what lies in the way first, in reach."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lam_ros.core.scene import Literal, Scene
from lam_ros.core.skills import Skill, Step
from lam_ros.planning.config import PlannerConfig, Reach
from lam_ros.planning.outcome import ALREADY_DONE, Plan, Refuse, RefuseKind
from lam_ros.planning.planner import Planner

CASES = """
plain | stack the red cube on the blue cube and the blue cube on the green cube | blue on green; red on blue
plain | put the red cube on the blue cube, then the blue cube on the tray | blue on tray; red on blue
plain | put red on blue, then put red in the bowl, then put blue on the tray | red on blue; red in blue_bowl; blue on tray
plain | stack the cubes                             | green on blue; red on green
plain | stack all the cubes                         | green on blue; red on green
plain | stack the cubes on top of each other        | green on blue; red on green
plain | build a tower                               | green on blue; red on green
plain | pile up the cubes                           | green on blue; red on green
plain | make a tower out of the cubes               | green on blue; red on green
plain | build a tower of the red, the green and the blue cube | green on red; blue on green
plain | stack the red, green and blue cubes         | green on red; blue on green
plain | stack two cubes                             | green on blue
plain | stack the red and green cubes               | green on red
plain | stack the red and green cubes on the blue cube | red on blue; green on red
plain | stack the cubes on the tray                 | blue on tray; green on blue; red on green
plain | stack the cubes in the bowl                 | red in blue_bowl; green in blue_bowl; blue in blue_bowl
plain | put the red cube in the bowl, then stack the rest | red in blue_bowl; green on blue
plain | put the red cube next to the blue one and the blue one in the bowl | blue in blue_bowl; red next_to blue
tower | put the green cube in the bowl              | red next_to blue_bowl; blue next_to tray; green in blue_bowl
tower | put the blue cube in the bowl               | red next_to tray; blue in blue_bowl
tower | put the yellow cube on the blue cube        | red next_to blue_bowl; yellow on blue
tower | put the red cube in the bowl                | red in blue_bowl
tower | put the top cube on the tray                | red on tray
tower | put all the cubes on the tray               | red on tray; blue on tray; green on tray; yellow on tray
tower | put the green, blue and red cubes in the bowl | red in blue_bowl; blue in blue_bowl; green in blue_bowl
tower | put the blue cube in the bowl and the red one on the tray | red on tray; blue in blue_bowl
tower | put the red cube on the yellow cube and the blue one on the tray | red on yellow; blue on tray
tower | put the red cube on the blue cube           | done
tower | stack red on blue and blue on green         | done
tower | stack red on blue, blue on green and yellow on red | yellow on red
tower | stack the cubes                             | yellow on red
tower | stack red on green                          | red next_to tray; blue next_to blue_bowl; red on green
tower | stack the red cube on the green cube and the blue one on the tray | red next_to tray; blue on tray; red on green
""".strip().splitlines()

POLICY_REACH = PlannerConfig(reach=Reach((0.0388, 0.0), 0.10, 0.30, 0.09))


@pytest.mark.parametrize("case", CASES, ids=[case.split("|")[1].strip() for case in CASES])
def test_the_steps_come_in_an_order_that_works(said, case: str) -> None:
    scene, instruction, expected = (part.strip() for part in case.split("|"))
    assert said(instruction, scene) == expected


def test_the_goal_is_what_holds_in_the_end_in_the_order_that_was_said(scenes) -> None:
    plan = Planner().plan(
        "put red on green, and green on blue, then red in the bowl", scenes["plain"]
    )
    assert isinstance(plan, Plan)
    assert plan.goal == (
        Literal("in", ("red_cube_1", "blue_bowl_1")),
        Literal("on", ("green_cube_1", "blue_cube_1")),
    )


def test_what_holds_already_needs_no_step_and_is_said(scenes) -> None:
    plan = Planner().plan("put the blue cube in the blue bowl", scenes["twins"])
    assert isinstance(plan, Plan)
    assert plan.is_done
    assert plan.message == ALREADY_DONE
    assert plan.goal == (Literal("in", ("blue_cube_1", "blue_bowl_1")),)


def test_a_step_that_an_earlier_one_undoes_is_not_left_out(scenes) -> None:
    plan = Planner().plan("put red on the tray, then put it on the blue cube", scenes["tower"])
    assert isinstance(plan, Plan)
    assert [planned.step.target_id for planned in plan.steps] == ["grey_tray_1", "blue_cube_1"]


def test_what_blocks_is_named_where_it_must_not_be_touched(scenes) -> None:
    text = "put the green cube in the bowl and do not touch the blue one"
    assert Planner().plan(text, scenes["tower"]) == Refuse(
        RefuseKind.BLOCKED,
        "blue_cube_1 lies on green_cube_1; say first where blue_cube_1 should go",
    )


def test_the_prompt_is_the_wording_that_the_policy_knows(scenes) -> None:
    plan = Planner().plan("pls drop the crimson brick into the dish", scenes["plain"])
    assert isinstance(plan, Plan)
    assert [planned.prompt for planned in plan.steps] == ["put the red cube in the blue bowl"]


def test_an_object_out_of_reach_is_refused_with_the_distance(scenes) -> None:
    far = replace(scenes["plain"]["red_cube_1"], position_m=(0.45, 0.0, 0.014))
    scene = Scene((far, *scenes["plain"].objects[1:]))
    planner = Planner(config=POLICY_REACH)
    assert planner.plan("put the red cube in the bowl", scene) == Refuse(
        RefuseKind.UNREACHABLE,
        "red_cube_1 is 0.41 m from the arm's axis; it reaches from 0.10 to 0.30 m",
    )
    assert isinstance(planner.plan("put the green cube in the bowl", scene), Plan)


def test_a_tower_that_is_too_high_is_refused(scenes) -> None:
    planner = Planner(config=POLICY_REACH)
    assert isinstance(planner.plan("stack the cubes", scenes["plain"]), Plan)
    outcome = planner.plan("put the yellow cube on the red cube", scenes["tower"])
    assert isinstance(outcome, Refuse)
    assert outcome.kind is RefuseKind.UNREACHABLE


def test_where_any_will_do_one_within_reach_is_taken(scenes) -> None:
    near = replace(scenes["plain"]["blue_cube_1"], position_m=(0.06, 0.0, 0.014))
    objects = tuple(near if item.id == near.id else item for item in scenes["plain"].objects)
    plan = Planner(config=POLICY_REACH).plan("put a cube in the bowl", Scene(objects))
    assert isinstance(plan, Plan)
    assert plan.steps[0].step.object_id == "green_cube_1"


def test_the_same_words_and_scene_give_the_same_plan(scenes) -> None:
    text = "put a cube in the bowl, then stack the rest"
    first = Planner().plan(text, scenes["plain"])
    assert all(Planner().plan(text, scenes["plain"]) == first for _ in range(5))


def test_replanning_does_what_is_left_and_what_was_undone(scenes) -> None:
    planner = Planner()
    plan = planner.plan("put red in the bowl and green on the tray", scenes["plain"])
    assert isinstance(plan, Plan)
    left = [planned.step for planned in plan.steps[1:]]
    anew = planner.replan(plan, left, scenes["plain"])
    assert isinstance(anew, Plan)
    assert [planned.step.object_id for planned in anew.steps] == ["red_cube_1", "green_cube_1"]
    assert anew.goal == plan.goal


def test_replanning_with_an_object_gone_is_refused(scenes) -> None:
    planner = Planner()
    plan = planner.plan("put red in the bowl", scenes["plain"])
    assert isinstance(plan, Plan)
    gone = Scene(scenes["plain"].objects[1:])
    outcome = planner.replan(plan, [Step(Skill.PLACE_IN, "red_cube_1", "blue_bowl_1")], gone)
    assert isinstance(outcome, Refuse)
    assert outcome.kind is RefuseKind.MISSING_OBJECT
