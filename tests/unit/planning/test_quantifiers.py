"""How many are meant: all, both, some, the rest, all but one, and what `it` refers to."""

from __future__ import annotations

import pytest

PLAIN = """
put all the cubes in the bowl                    | red in blue_bowl; green in blue_bowl; blue in blue_bowl
put all cubes in the bowl                        | red in blue_bowl; green in blue_bowl; blue in blue_bowl
put all of the cubes in the bowl                 | red in blue_bowl; green in blue_bowl; blue in blue_bowl
put the cubes in the bowl                        | red in blue_bowl; green in blue_bowl; blue in blue_bowl
put every cube in the bowl                       | red in blue_bowl; green in blue_bowl; blue in blue_bowl
put each of the cubes in the bowl                | red in blue_bowl; green in blue_bowl; blue in blue_bowl
put everything in the bowl                       | red in blue_bowl; green in blue_bowl; blue in blue_bowl
put the three cubes in the bowl                  | red in blue_bowl; green in blue_bowl; blue in blue_bowl
put all 3 cubes in the bowl                      | red in blue_bowl; green in blue_bowl; blue in blue_bowl
put every red one in the bowl                    | red in blue_bowl
put all the red cubes in the bowl                | red in blue_bowl
put all the cubes but the red one in the bowl    | green in blue_bowl; blue in blue_bowl
put all the cubes in the bowl but the red one    | green in blue_bowl; blue in blue_bowl
put all the cubes in the bowl but not the red one | green in blue_bowl; blue in blue_bowl
put all the cubes except the red one in the bowl | green in blue_bowl; blue in blue_bowl
put everything except the red cube on the tray   | green on tray; blue on tray
put every cube other than the red one on the tray | green on tray; blue on tray
everything goes on the tray except the blue cube | red on tray; green on tray
put all the cubes in the bowl, don't touch the red one | green in blue_bowl; blue in blue_bowl
put all the cubes in the bowl and leave the red one where it is | green in blue_bowl; blue in blue_bowl
put the red cube in the bowl and the rest on the tray | red in blue_bowl; green on tray; blue on tray
put the red cube in the bowl and the others on the tray | red in blue_bowl; green on tray; blue on tray
put the red cube in the bowl and the other cubes on the tray | red in blue_bowl; green on tray; blue on tray
put the red cube in the bowl and everything else on the tray | red in blue_bowl; green on tray; blue on tray
put the red and green cubes in the bowl and the other one on the tray | red in blue_bowl; green in blue_bowl; blue on tray
put the red cube in the bowl and the remaining cubes on the tray | red in blue_bowl; green on tray; blue on tray
put the red cube in the bowl, then stack the rest | red in blue_bowl; green on blue
put a cube in the bowl                           | blue in blue_bowl
put any cube in the bowl                         | blue in blue_bowl
put one cube in the bowl                         | blue in blue_bowl
put one of the cubes in the bowl                 | blue in blue_bowl
put two cubes in the bowl                        | blue in blue_bowl; green in blue_bowl
put any two cubes in the bowl                    | blue in blue_bowl; green in blue_bowl
put some cubes in the bowl                       | blue in blue_bowl; green in blue_bowl
put a cube in the bowl and another on the tray   | blue in blue_bowl; green on tray
put one cube in the bowl and one on the tray     | blue in blue_bowl; green on tray
put the two cubes in the bowl                    | ask red, green, blue
put both cubes in the bowl                       | ask red, green, blue
put four cubes in the bowl                       | refuse missing_object
put both red cubes in the bowl                   | refuse missing_object
put 2 cubes in the bowl and 1 on the tray        | blue in blue_bowl; green in blue_bowl; red on tray
put a cube in the bowl and a cube on the tray    | blue in blue_bowl; green on tray
put all the cubes that are not red in the bowl   | green in blue_bowl; blue in blue_bowl
put everything that isn't red in the bowl        | green in blue_bowl; blue in blue_bowl
put the other red cube in the bowl               | red in blue_bowl
put the red cube on the tray and the other red cube in the bowl | refuse missing_object
put the cubes next to each other                 | green next_to red; blue next_to green
put the red and green cubes next to each other   | green next_to red
""".strip().splitlines()

TWINS = """
put the red cubes on the tray                    | red on tray; green next_to red_spot; red2 on tray
put both red cubes and the green one on the tray | red on tray; green on tray; red2 on tray
put the cubes in the bowls                       | red in blue_bowl; green in blue_bowl; red2 in red_bowl; blue in red_bowl
put the cube that is in the bowl on the tray     | blue on tray
put the cube in the blue bowl on the tray        | blue on tray
put every cube that is in a bowl on the tray     | blue on tray
put all cubes that are not in a bowl in the red bowl | red in red_bowl; green in red_bowl; red2 in red_bowl
take the blue cube out of the bowl and put it on the tray | blue on tray
move the blue cube from the blue bowl to the tray | blue on tray
put the cube on top of the red cube on the tray  | green on tray
put the top cube on the tray                     | green on tray
put all the cubes that are on the table in the red bowl | red in red_bowl; green next_to red_spot; red2 in red_bowl
put the green cube on the matching spot          | green on green_spot
put the green cube on the spot of the same color | green on green_spot
put the green and red_cube_1 on the spots of the same colour | green on green_spot; red on red_spot
put the green cube on the blue one               | green on blue
put the green cube in a bowl                     | green in red_bowl
put the blue cube in a bowl                      | done
put a red cube in the blue bowl                  | red in blue_bowl
""".strip().splitlines()

PAIRS = """
put each cube in the bowl of the same colour     | red in red_bowl; green in green_bowl
put the cubes in the matching bowls              | red in red_bowl; green in green_bowl
put every cube in its matching bowl              | red in red_bowl; green in green_bowl
put the red cube in the green bowl and the green cube in the red one | red in green_bowl; green in red_bowl
put the cubes in the red bowl                    | red in red_bowl; green in red_bowl
put both in the red bowl                         | red in red_bowl; green in red_bowl
put the red one in the red one                   | red in red_bowl
""".strip().splitlines()

CASES = [(scene, case) for scene, table in
         (("plain", PLAIN), ("twins", TWINS), ("pairs", PAIRS)) for case in table]  # fmt: skip


@pytest.mark.parametrize(
    ("scene", "case"), CASES, ids=[case.split("|")[0].strip() for _, case in CASES]
)
def test_as_many_are_moved_as_were_meant(said, scene: str, case: str) -> None:
    instruction, expected = (part.strip() for part in case.split("|"))
    assert said(instruction, scene) == expected


def test_it_means_what_is_held_if_nothing_was_said_before(said) -> None:
    assert said("put it on the tray", "holding red") == "red on tray"


def test_it_without_anything_to_refer_to_is_asked_for(said) -> None:
    assert said("put it on the tray") == "ask red, green, blue"
