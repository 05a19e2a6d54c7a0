"""The planner asks when the choice matters, only then, and takes the answer."""

from __future__ import annotations

import pytest

from lam_ros.planning.outcome import Clarify
from lam_ros.planning.planner import Planner

ASKED = """
plain | put the cube in the bowl                    | ask red, green, blue
plain | put the cube on the tray                    | ask red, green, blue
plain | move a cube next to the cube                | ask red, green
plain | put the red cube                            | ask green, blue, blue_bowl, yellow_spot, tray
plain | move the red cube                           | ask green, blue, blue_bowl, yellow_spot, tray
plain | red cube                                    | ask green, blue, blue_bowl, yellow_spot, tray
plain | put the red cube next to the cube           | ask green, blue
plain | put the red cube on something blue          | refuse missing_object
plain | stack the red cube                          | ask green, blue, blue_bowl, yellow_spot, tray
twins | put the red cube in the blue bowl           | ask red, red2
twins | put the red cube in the bowl                | ask red, red2
twins | put the green cube in the bowl              | ask blue_bowl, red_bowl
twins | put the green cube on the spot              | ask red_spot, green_spot
twins | remove the blue cube from the bowl          | ask red, red2, green, blue_bowl, red_bowl, tray, red_spot, green_spot
twins | put the cubes in the bowl                   | ask blue_bowl, red_bowl
""".strip().splitlines()

NOT_ASKED = """
plain | put the cube on the left in the bowl        | red in blue_bowl
plain | put the blue one on the tray                | blue on tray
plain | put the blue in the bowl                    | blue in blue_bowl
plain | put the red cube on blue                    | red on blue
twins | put a red cube in the blue bowl             | red in blue_bowl
twins | put the left red cube in the blue bowl      | red in blue_bowl
twins | put the green cube on the left cube         | green on red
twins | put the cube in the blue bowl on the tray   | blue on tray
tower | put the cube on the yellow cube             | ask green, blue, red
pairs | put the cube that is closest to the red bowl in it | red in red_bowl
pairs | put the red cube on the cube                | red on green
pairs | put the green cube on the other cube        | green on red
""".strip().splitlines()

RED_OR_RED = "put the red cube in the blue bowl"
ANSWERS = """
red_cube_1                  | red in blue_bowl
RED_CUBE_1                  | red in blue_bowl
the left one                | red in blue_bowl
left                        | red in blue_bowl
the one on the left         | red in blue_bowl
leftmost, please            | red in blue_bowl
I mean the left one         | red in blue_bowl
no, the left one            | red in blue_bowl
the first one               | red in blue_bowl
first                       | red in blue_bowl
1                           | red in blue_bowl
number 1                    | ask red, red2
one                         | red in blue_bowl
red cube 1                  | red in blue_bowl
the one next to the red bowl | red in blue_bowl
the one closest to the tray | red in blue_bowl
not red_cube_2              | red in blue_bowl
not the right one           | red in blue_bowl
not that                    | ask red, red2
any                         | red in blue_bowl
whichever                   | red in blue_bowl
I don't care                | red in blue_bowl
you choose                  | red in blue_bowl
the right one               | green next_to red_spot; red2 in blue_bowl
red_cube_2                  | green next_to red_spot; red2 in blue_bowl
2                           | green next_to red_spot; red2 in blue_bowl
the one under the green cube | green next_to red_spot; red2 in blue_bowl
the last one                | green next_to red_spot; red2 in blue_bowl
both                        | red in blue_bowl; green next_to red_spot; red2 in blue_bowl
red                         | ask red, red2
the blue one                | ask red, red2
banana                      | ask red, red2
???                         | ask red, red2
the third one               | ask red, red2
put the green cube away     | ask red, red2
hit him                     | refuse unsafe
""".strip().splitlines()


def _split(case: str) -> list[str]:
    return [part.strip() for part in case.split("|")]


@pytest.mark.parametrize("case", ASKED, ids=[_split(case)[1] for case in ASKED])
def test_a_choice_that_matters_is_asked_for(said, case: str) -> None:
    scene, instruction, expected = _split(case)
    assert said(instruction, scene) == expected


@pytest.mark.parametrize("case", NOT_ASKED, ids=[_split(case)[1] for case in NOT_ASKED])
def test_what_is_clear_is_not_asked_for(said, case: str) -> None:
    scene, instruction, expected = _split(case)
    assert said(instruction, scene) == expected


@pytest.mark.parametrize("case", ANSWERS, ids=[_split(case)[0] for case in ANSWERS])
def test_an_answer_settles_the_question_or_it_is_asked_again(said, case: str) -> None:
    answer, expected = _split(case)
    assert said(RED_OR_RED, "twins", answer) == expected


@pytest.mark.parametrize(
    ("instruction", "answer", "expected"),
    [
        ("put the red cube in the bowl", "left; blue", "red in blue_bowl"),
        ("put the red cube in the bowl", "left", "ask blue_bowl, red_bowl"),
        ("put the green cube in the bowl", "the red one", "green in red_bowl"),
        ("put the green cube in the bowl", "red_bowl_1", "green in red_bowl"),
        ("put the green cube in the bowl", "the empty one", "green in red_bowl"),
        ("put the green cube", "in the red bowl", "green in red_bowl"),
        ("put the green cube", "the red bowl", "green in red_bowl"),
        ("put the green cube", "on the tray", "green on tray"),
        ("put the green cube", "tray", "green on tray"),
        ("put the green cube", "next to the left cube", "green next_to red"),
        ("stack the green cube", "red_cube_1", "green on red"),
        ("remove the blue cube from the bowl", "on the tray", "blue on tray"),
        ("put the green cube", "on his head", "refuse unsafe"),
    ],
)
def test_answers_say_which_and_where(said, instruction: str, answer: str, expected: str) -> None:
    assert said(instruction, "twins", answer) == expected


def test_a_question_tells_the_candidates_apart_by_where_they_are(scenes) -> None:
    outcome = Planner().plan(RED_OR_RED, scenes["twins"])
    assert outcome == Clarify(
        "Which red cube do you mean: red_cube_1 (20 cm ahead, 10 cm left) "
        "or red_cube_2 (20 cm ahead, 5 cm right)?",
        ("red_cube_1", "red_cube_2"),
    )


def test_an_answer_that_settles_nothing_is_named(scenes) -> None:
    outcome = Planner().plan(RED_OR_RED, scenes["twins"], "banana")
    assert isinstance(outcome, Clarify)
    assert outcome.question.startswith("'banana' does not settle it. Which red cube")
