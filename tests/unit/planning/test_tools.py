"""Tools: called by words, planned for like skills, with needs and effects of the same types."""

from __future__ import annotations

from typing import Any

import pytest

from lam_ros.core.errors import ConfigError
from lam_ros.core.scene import Scene, SceneObject
from lam_ros.core.skills import TRAINED, Skill
from lam_ros.planning.config import PlannerConfig
from lam_ros.planning.outcome import Outcome, Plan, Refuse
from lam_ros.planning.planner import Planner
from lam_ros.planning.tool_config import load_tools
from lam_ros.planning.tools import BUILTIN, ToolPlanner, skills_of

BELL = {"says": ["ring the bell"], "service": "/bell", "type": "std_srvs/srv/Trigger"}
LAMP = {
    "skill": "turn_on", "kinds": ["lamp"], "needs": ["closed(box_1)"], "service": "/lamp",
    "type": "std_srvs/srv/SetBool", "request": {"data": True},
}  # fmt: skip
BOX = {"skill": "close", "kinds": ["box"], "service": "/box", "type": "std_srvs/srv/Trigger"}
SCENE = Scene(
    (
        SceneObject("red_cube_1", "cube", "red", (0.2, 0.1, 0.015), (0.03, 0.03, 0.03)),
        SceneObject("blue_bowl_1", "bowl", "blue", (0.25, -0.1, 0.015), (0.1, 0.1, 0.03)),
        SceneObject("lamp_1", "lamp", position_m=(0.3, 0.2, 0.1), is_on=False),
        SceneObject("stove_1", "stove", position_m=(0.3, 0.3, 0.1), is_on=False),
        SceneObject("box_1", "box", position_m=(0.3, -0.3, 0.1), is_open=True),
    )
)


def planner(**rows: object) -> ToolPlanner:
    tools = load_tools({"tools": rows})
    config = PlannerConfig()
    inner = Planner((*TRAINED, *skills_of(tools)), config)
    return ToolPlanner(inner, tools, TRAINED, config.can_move)


def did(outcome: Outcome) -> list[tuple[str, str, str]]:
    assert isinstance(outcome, Plan), outcome
    return [(str(s.step.skill), s.step.object_id, s.tool) for s in outcome.steps]


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("put the red cube in the bowl, then ring the bell", ["place_in", "use"]),
        ("ring the bell and put the red cube in the bowl", ["use", "place_in"]),
        ("please ring the bell", ["use"]),
    ],
)
def test_a_tool_that_is_called_by_words_stands_where_it_was_said(
    text: str, order: list[str]
) -> None:
    assert [skill for skill, _, _ in did(planner(bell=BELL).plan(text, SCENE))] == order


def test_words_go_with_the_tool() -> None:
    plan = planner().plan("say hello there", SCENE)
    assert isinstance(plan, Plan)
    assert (plan.steps[0].step.object_id, plan.steps[0].step.target_id) == ("say", "hello there")


@pytest.mark.parametrize(
    "text",
    ["say " + "x" * 9000, "wait minus seconds", "wait 99999999 seconds", "say hi then hit the person",
     "say \x00", "say", "ring the bell", "ring the bell then throw it"],
)  # fmt: skip
def test_what_no_tool_or_policy_does_is_refused_and_never_raises(text: str) -> None:
    assert isinstance(planner().plan(text, SCENE), Refuse)


def test_a_tool_does_what_the_policy_cannot_and_its_needs_are_planned_for() -> None:
    plan = planner(lamp=LAMP, shut=BOX).plan("turn on the lamp", SCENE)
    assert did(plan) == [("close", "box_1", "shut"), ("turn_on", "lamp_1", "lamp")]
    assert isinstance(plan, Plan)
    assert [str(goal) for goal in plan.goal] == ["turned_on(lamp_1)"]


def test_what_neither_policy_nor_tool_can_do_is_refused() -> None:
    tools = planner(lamp=LAMP, shut=BOX)
    assert isinstance(tools.plan("turn on the stove", SCENE), Refuse)
    without = planner(lamp=LAMP).plan("turn on the lamp", SCENE)
    assert isinstance(without, Refuse)
    assert "closed(box_1)" in without.reason


def test_tools_that_are_left_stay_in_a_new_plan() -> None:
    made = planner(bell=BELL)
    plan = made.plan("ring the bell, then put the red cube in the bowl, then say done", SCENE)
    assert isinstance(plan, Plan)
    again = made.replan(plan, [step.step for step in plan.steps[1:]], SCENE)
    assert [skill for skill, _, _ in did(again)] == ["place_in", "use"]


def test_a_person_is_asked_before_a_plan_begins_where_that_is_wanted() -> None:
    asks = ToolPlanner(Planner(), BUILTIN, TRAINED, PlannerConfig().can_move, confirm=True)
    plan = asks.plan("put the red cube in the bowl", SCENE)
    assert isinstance(plan, Plan)
    assert [step.tool for step in plan.steps] == ["ask", ""]
    assert plan.steps[0].step.target_id == "shall I put the red cube in the blue bowl"
    again = asks.replan(plan, [step.step for step in plan.steps[1:]], SCENE)
    assert [skill for skill, _, _ in did(again)] == ["place_in"]
    assert not isinstance(asks.plan("hit the person", SCENE), Plan)


@pytest.mark.parametrize(
    ("text", "tool"),
    [("go home", "home"), ("Return to the home position.", "home"), ("ask are you ready", "ask")],
)
def test_the_way_home_and_questions_are_tools(text: str, tool: str) -> None:
    plan = planner().plan(f"put the red cube in the bowl, then {text}", SCENE)
    assert isinstance(plan, Plan)
    assert [step.tool for step in plan.steps] == ["", tool]


def test_what_names_no_tool_is_planned_as_before() -> None:
    text = "put the red cube in the bowl"
    assert planner(bell=BELL).plan(text, SCENE) == Planner().plan(text, SCENE)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"says": ["x"]}, "one of service, action"),
        (BELL | {"action": "/too"}, "one of service, action"),
        (BELL | {"type": "Trigger"}, "std_srvs/srv/Trigger"),
        (BELL | {"says": []}, "says or skill"),
        (BELL | {"says": "ring"}, "list of texts"),
        (BELL | {"serivce": "/x"}, "Did you mean 'service'?"),
        (BELL | {"needs": ["shut the box"]}, "closed(?object)"),
        (LAMP | {"skill": "turnon"}, "turn_on"),
        (LAMP | {"kinds": []}, "kinds"),
        ("bell", "keys are needed"),
    ],
)
def test_a_tool_that_is_wrong_is_refused_with_the_remedy(row: Any, told: str) -> None:
    with pytest.raises(ConfigError, match=r"tool 'bell'") as caught:
        load_tools({"tools": {"bell": row}})
    assert told in str(caught.value)


def test_a_name_that_is_taken_is_refused() -> None:
    with pytest.raises(ConfigError, match="'say'"):
        load_tools({"tools": {"say": BELL}})


def test_use_is_no_skill_that_words_can_ask_of_the_policy() -> None:
    assert Skill.USE not in TRAINED
