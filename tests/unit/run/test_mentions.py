"""Which objects an instruction names."""

from __future__ import annotations

import pytest

from lam_ros.run.mentions import mentions
from lam_ros.run.settings import load_run_settings

KINDS = {"cube": 6, "bowl": 2, "spot": 2, "tray": 1}
COLORS = ("red", "green", "blue", "yellow", "orange", "purple", "white", "grey")


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("put the red cube in the blue bowl", ["red cube", "blue bowl"]),
        (
            "Move the RED block, then the violet one, to a gray tray",
            ["red cube", "purple cube", "grey tray"],
        ),
        (
            "stack the red and green cubes on the blue block",
            ["red cube", "green cube", "blue cube"],
        ),
        ("put red, green and blue cubes away", ["red cube", "green cube", "blue cube"]),
        ("put the cube in the bowl", []),
        (
            "put the red cube in the blue bowl, then the green one",
            ["red cube", "blue bowl", "green cube"],
        ),
        ("the red one", []),
        ("", []),
        ("red red red", []),
        ("put it in the red, then the bowl", []),
        ("a red bowl, a blue bowl and a green bowl", ["red bowl", "blue bowl"]),
        ("the pink cube", []),
    ],
)
def test_a_colour_with_a_kind_is_a_name(words: str, named: list[str]) -> None:
    assert list(mentions(words, KINDS, COLORS)) == named


def test_the_scene_of_a_run_holds_what_is_named_unless_its_objects_are_given() -> None:
    said = "put the red cube in the blue bowl"
    assert load_run_settings([]).for_instruction(said).scene.include == ("red cube", "blue bowl")
    given = load_run_settings(["scene.objects=[green cube,white bowl]"]).for_instruction(said)
    assert given.scene.include == ()
    assert given.scene.objects == ("green cube", "white bowl")


def test_where_a_fixture_is_named_less_of_all_else_is_there() -> None:
    said = "sweep the brown pieces into the green region"
    scene = load_run_settings([]).for_instruction(said).scene
    assert scene.include == ("brown piece", "green region")
    assert scene.piece_colors == ("brown",)
    assert scene.pieces[0] > 1
    assert scene.cubes[1] < load_run_settings([]).scene.cubes[1]
    chosen = load_run_settings(["scene.cubes=[4,4]"]).for_instruction(said).scene
    assert chosen.cubes == (4, 4)


@pytest.mark.parametrize(
    ("said", "overrides", "sees"),
    [
        ("put the red cube in the blue bowl", [], True),
        ("open the white drawer", [], True),
        ("put the red cube in the bowl", ["+scene.buttons=[1,1]"], True),
        ("open the white drawer", ["planner.scene=truth"], False),
        ("open the white drawer", ["policy=expert"], False),
    ],
)
def test_the_planner_plans_on_what_is_seen_unless_it_is_told_otherwise(
    said: str, overrides: list[str], sees: bool
) -> None:
    settings = load_run_settings(overrides).for_instruction(said)
    assert settings.plans_on_what_is_seen == sees
