"""What is said is what is planned: verbs, prepositions, names, sequences, politeness."""

from __future__ import annotations

import pytest

RED_IN_BOWL = "red in blue_bowl"

SAME_MEANING = """
put the red cube in the blue bowl
place the red cube in the blue bowl
move the red cube into the blue bowl
set the red cube inside the blue bowl
lay the red cube in the blue bowl
drop the red cube into the blue bowl
bring the red cube to the blue bowl
transfer the red cube to the blue bowl
carry the red cube over to the blue bowl
deposit the red cube within the blue bowl
insert the red cube into the blue bowl
add the red cube to the blue bowl
get the red cube into the blue bowl
take the red cube to the blue bowl
stick the red cube in the blue bowl
put down the red cube in the blue bowl
put the red cube down in the blue bowl
put the red cube in to the blue bowl
pick up the red cube and put it in the blue bowl
pick the red cube up and place it in the blue bowl
grab the red cube, then drop it into the blue bowl
grasp the red cube and set it down in the blue bowl
take the red cube. Put it in the blue bowl.
find the red cube and put it in the blue bowl
take the blue bowl and put the red cube in it
PUT THE RED CUBE IN THE BLUE BOWL
Put the red cube in the blue bowl.
put the red cube in the blue bowl!!!
put the red cube, in the blue bowl
  put   the red   cube in the blue bowl
put red cube in blue bowl
red cube in blue bowl
the red cube goes in the blue bowl
the red cube belongs in the blue bowl
the red cube should be in the blue bowl
the red cube needs to go into the blue bowl
make sure the red cube is in the blue bowl
I want the red cube in the blue bowl
I'd like the red cube to be in the blue bowl
I want you to put the red cube in the blue bowl
I'd like you to put the red cube in the blue bowl
please put the red cube in the blue bowl
put the red cube in the blue bowl, please
put the red cube in the blue bowl, thank you
could you please put the red cube in the blue bowl?
can you put the red cube in the blue bowl
would you mind putting the red cube in the blue bowl?
how about moving the red cube to the blue bowl
why don't you put the red cube in the blue bowl?
let's put the red cube in the blue bowl
ok robot, now just put the red cube carefully in the blue bowl
hey, go ahead and put the red cube in the blue bowl for me
your task is to put the red cube in the blue bowl
i think the red cube belongs in the blue bowl
put the red block in the blue bowl
put the red box in the blue dish
put the red brick in the blue container
put the red colored cube in the blue bowl
put the cube that is red in the blue bowl
put the crimson cube in the blue bowl
put the red one in the blue bowl
put the red thing in the bowl
put red in the bowl
put the red object into the bowl
put red_cube_1 in blue_bowl_1
put the red cube 1 in the blue bowl
in the blue bowl put the red cube
into the bowl, place the red cube
put in the blue bowl the red cube
put the red cube in the middle of the blue bowl
put the red cube on the blue bowl
put the red cube in the empty bowl
put the red cube in the blue bowl, not the green one
put the red cube in the blue bowl and not on the tray
put the red cube in the blue bowl without touching the green cube
put the red cube in the bowl but don't touch the blue one
put the red cube in the bowl and leave the others alone
don't throw the red cube, put it in the bowl gently
first put the red cube in the blue bowl
then put the red cube in the blue bowl
put the red cube → blue bowl
“put the red cube in the blue bowl”
put the red cube in the blue bowl 🙂
put the red-cube in the blue-bowl
put the red cube in the blue bowl as fast as possible
pick and place the red cube right inside the blue bowl
carry the red cube over and drop it in the blue bowl
the red cube: put it in the blue bowl
the blue bowl: put the red cube in it
go to the blue bowl and put the red cube in it
reach for the red cube and drop it into the blue bowl
close the gripper on the red cube and set it in the blue bowl
fetch the red cube and leave it in the blue bowl
in the blue bowl goes the red cube
let the red cube be in the blue bowl
I would like to have the red cube in the blue bowl
the red cube ought to end up in the blue bowl
place only the red cube into the blue bowl
all right, so: put the red cube in the blue bowl
""".strip().splitlines()

CASES = """
put the red cube on the tray                                        | red on tray
put the red cube onto the tray                                      | red on tray
put the red cube on to the tray                                     | red on tray
put the red cube on top of the tray                                 | red on tray
put the red cube upon the platter                                   | red on tray
put the red cube on the plate                                       | red on tray
move the red cube to the tray                                       | red on tray
put the red cube in the middle of the tray                          | red on tray
put the red cube in the tray                                        | red in tray
put the red cube on the yellow spot                                 | red on yellow_spot
put the red cube in the yellow circle                               | red on yellow_spot
put the red cube on the yellow disc                                 | red on yellow_spot
put the red cube on the yellow dot                                  | red on yellow_spot
put the red cube on the yellow marker                               | red on yellow_spot
put the red cube onto the yellow mat                                | red on yellow_spot
put the red cube in the yellow area                                 | red on yellow_spot
put the red cube at the center of the yellow spot                   | red on yellow_spot
move the red cube to the spot                                       | red on yellow_spot
put the red cube next to the green cube                             | red next_to green
put the red cube beside the green cube                              | red next_to green
put the red cube by the green cube                                  | red next_to green
put the red cube near the green cube                                | red next_to green
put the red cube close to the green cube                            | red next_to green
put the red cube right next to the green cube                       | red next_to green
put the red cube alongside the blue bowl                            | red next_to blue_bowl
put the red cube adjacent to the blue bowl                          | red next_to blue_bowl
move the red cube to the green cube                                 | red next_to green
put the red cube next to the green one                              | red next_to green
stack the red cube on the green cube                                | red on green
stack the red cube on top of the green cube                         | red on green
put the red cube on the green cube                                  | red on green
stack the red cube over the green cube                              | red on green
make a tower, red on green                                          | red on green
perch the red cube on the green cube                                | red on green
put the red cube atop the green cube                                | red on green
stack red on green                                                  | red on green
put red on blue                                                     | red on blue
place the red block on top of another block                         | red on blue
put the red and green cubes on the tray                             | red on tray; green on tray
put the red and the green cube on the tray                          | red on tray; green on tray
put the red cube and the green cube on the tray                     | red on tray; green on tray
put both the red and the green cube on the tray                     | red on tray; green on tray
put the red, green and blue cubes on the tray                       | red on tray; green on tray; blue on tray
put red, green, and blue on the tray                                | red on tray; green on tray; blue on tray
put the red cube as well as the green cube on the tray              | red on tray; green on tray
pick up the red cube and the green cube and put them on the tray    | red on tray; green on tray
take the red cube and the green cube. Put both on the tray.         | red on tray; green on tray
put the red cube or the green cube on the tray                      | green on tray
put the red or green cube on the tray                               | green on tray
put the red cube in the bowl and the green cube on the tray         | red in blue_bowl; green on tray
put the red cube in the bowl and the green one on the tray          | red in blue_bowl; green on tray
put the red cube in the bowl, the green one on the tray             | red in blue_bowl; green on tray
put the red in the bowl and the green on the tray                   | red in blue_bowl; green on tray
put the red cube in the bowl and put the green cube on the tray     | red in blue_bowl; green on tray
put the red cube in the bowl, then put the green cube on the tray   | red in blue_bowl; green on tray
put the red cube in the bowl then the green cube on the tray        | red in blue_bowl; green on tray
put the red cube in the bowl. Then put the green cube on the tray.  | red in blue_bowl; green on tray
put the red cube in the bowl; put the green cube on the tray        | red in blue_bowl; green on tray
put the red cube in the bowl, after that put the green one on the tray | red in blue_bowl; green on tray
put the red cube in the bowl followed by the green one on the tray  | red in blue_bowl; green on tray
first put the red cube in the bowl, second put the green cube on the tray | red in blue_bowl; green on tray
1. put the red cube in the bowl 2. put the green cube on the tray   | red in blue_bowl; green on tray
put the red cube in the bowl and finally put the green one on the tray | red in blue_bowl; green on tray
once you are done, put the red cube in the bowl                     | red in blue_bowl
put the red cube in the bowl but first put the green one on the tray | green on tray; red in blue_bowl
put the red cube in the bowl, the green one on the tray and the blue one on the spot | red in blue_bowl; green on tray; blue on yellow_spot
first the red cube in the bowl, then the green cube on the tray     | red in blue_bowl; green on tray
put the red cube in the bowl put the green cube on the tray         | red in blue_bowl; green on tray
put the red cube, then the green one in the bowl                    | red in blue_bowl; green in blue_bowl
put the red cube in the bowl, then the green one too                | red in blue_bowl; green in blue_bowl
put the red cube in the bowl and the green one                      | red in blue_bowl; green in blue_bowl
put the red cube in the bowl and the green cube as well             | red in blue_bowl; green in blue_bowl
put the red cube on the tray and the green one there too            | red on tray; green on tray
put the red cube in the bowl, then put the green cube there         | red in blue_bowl; green in blue_bowl
put the red cube in the bowl, and in the same place the green one   | red in blue_bowl; green in blue_bowl
put the red cube in the bowl then put it on the tray                | red in blue_bowl; red on tray
put the red cube in the bowl then on the tray                       | red in blue_bowl; red on tray
put the red cube in the bowl. Put the green cube next to it.        | red in blue_bowl; green next_to red
put the red cube on the tray and stack the green one on it          | red on tray; green on red
stack the red cube on the green one and the green one on the blue one | green on blue; red on green
stack red on green and green on blue                                | green on blue; red on green
in the bowl put the red cube and on the tray the green one          | red in blue_bowl; green on tray
put the red cube in it                                              | refuse not_understood
put the cube on the left in the bowl                                | red in blue_bowl
put the left cube in the bowl                                       | red in blue_bowl
put the leftmost cube in the bowl                                   | red in blue_bowl
put the left-most cube in the bowl                                  | red in blue_bowl
put the cube that is on the left in the bowl                        | red in blue_bowl
put the cube furthest to the left in the bowl                       | red in blue_bowl
put the first cube from the left in the bowl                        | red in blue_bowl
put the right cube in the bowl                                      | blue in blue_bowl
put the cube on the right side in the bowl                          | blue in blue_bowl
put the middle cube in the bowl                                     | green in blue_bowl
put the cube in the middle in the bowl                              | green in blue_bowl
put the second cube from the left in the bowl                       | green in blue_bowl
put the last cube from the left in the bowl                         | blue in blue_bowl
put the nearest cube in the bowl                                    | blue in blue_bowl
put the cube closest to the robot in the bowl                       | blue in blue_bowl
put the front cube in the bowl                                      | blue in blue_bowl
put the cube at the back in the bowl                                | green in blue_bowl
put the cube nearest the tray on the tray                           | red on tray
put the cube closest to the tray on the tray                        | red on tray
put the cube farthest from the bowl in the bowl                     | red in blue_bowl
put the two cubes on the left on the tray                           | red on tray; green on tray
put the cubes on the left on the tray                               | red on tray; green on tray
put the left cube on the right cube                                 | red on blue
put the green cube next to the left one                             | green next_to red
""".strip().splitlines()


@pytest.mark.parametrize("instruction", SAME_MEANING)
def test_many_wordings_mean_the_red_cube_in_the_blue_bowl(said, instruction: str) -> None:
    assert said(instruction) == RED_IN_BOWL


@pytest.mark.parametrize("case", CASES, ids=[case.split("|")[0].strip() for case in CASES])
def test_the_steps_are_those_that_were_said(said, case: str) -> None:
    instruction, expected = (part.strip() for part in case.split("|"))
    assert said(instruction) == expected
