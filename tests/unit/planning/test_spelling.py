"""Small typing errors are mended; real words and colours are never confused."""

from __future__ import annotations

import pytest

from lam_ros.planning.names import COLOR_WORDS, KIND_WORDS
from lam_ros.planning.real_words import REAL_WORDS
from lam_ros.planning.text import Lexer

MENDED = """
gren green
greem green
rde red
bleu blue
blu blue
bule blue
yelow yellow
yelllow yellow
yellwo yellow
orang orange
ornage orange
purpel purple
pruple purple
whit white
brwon brown
cub cube
cubbe cube
kube cube
blok block
blcok block
bowll bowl
bolw bowl
sopt spot
trya tray
plcae place
putt put
moev move
stak stack
pikc pick
teh the
nxet next
botth both
everythng everything
thorw throw
""".strip().splitlines()

KEPT = [
    "glue",
    "bed",
    "read",
    "bread",
    "pot",
    "pots",
    "owl",
    "bow",
    "can",
    "pan",
    "glove",
    "great",
    "reed",
    "crow",
    "clown",
    "stacked",
    "grasped",
    "slider",
    "stripes",
    "banana",
    "tube",
    "ball",
    "bell",
    "bull",
    "boil",
    "toy",
    "try",
    "stay",
    "gray",
    "grey",
    "pink",
    "ink",
    "xyzzy",
]


@pytest.mark.parametrize("case", MENDED)
def test_a_slip_is_mended(scenes, case: str) -> None:
    typed, meant = case.split()
    assert Lexer(scenes["plain"]).words(typed) == [meant]


@pytest.mark.parametrize("word", KEPT)
def test_a_real_or_strange_word_is_left_as_it_is(scenes, word: str) -> None:
    assert Lexer(scenes["plain"]).words(word) == [word]


def _slips(word: str) -> set[str]:
    left_out = {word[:i] + word[i + 1 :] for i in range(1, len(word))}
    doubled = {word[:i] + word[i] + word[i:] for i in range(len(word))}
    swapped = {word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in range(len(word) - 1)}
    return {slip for slip in left_out | doubled | swapped if len(slip) > 2}


@pytest.mark.parametrize("color", sorted(COLOR_WORDS))
def test_no_slip_of_a_colour_becomes_another_colour(scenes, color: str) -> None:
    lexer = Lexer(scenes["plain"])
    for slip in _slips(color):
        (word,) = lexer.words(slip)
        same = set(COLOR_WORDS.get(word, ())) & set(COLOR_WORDS[color])
        assert word not in COLOR_WORDS or same, f"{slip} became {word}"


def test_most_slips_of_colours_and_kinds_are_mended(scenes) -> None:
    lexer = Lexer(scenes["plain"])
    names = [
        "red",
        "green",
        "blue",
        "yellow",
        "orange",
        "purple",
        "white",
        "cube",
        "block",
        "bowl",
        "spot",
        "circle",
        "tray",
    ]
    slips = [(slip, name) for name in names for slip in _slips(name) if slip not in REAL_WORDS]
    mended = sum(lexer.words(slip) == [name] for slip, name in slips)
    assert mended / len(slips) > 0.85


def test_every_word_that_is_understood_stays_itself(scenes) -> None:
    lexer = Lexer(scenes["plain"])
    words = [*COLOR_WORDS, *KIND_WORDS]
    assert [lexer.words(word) for word in words] == [[word] for word in words]


@pytest.mark.parametrize(
    ("instruction", "expected"),
    [
        ("put teh gren cub in the bleu bowl", "green in blue_bowl"),
        ("plase putt the rde cube in teh blue bowll", "red in blue_bowl"),
        ("pikc up the blcok on the left and plcae it on the trya", "red on tray"),
        ("put the yelow cube in the bowl", "refuse missing_object"),
        ("put the glue in the bowl", "refuse missing_object"),
    ],
)
def test_an_instruction_with_slips_is_understood(said, instruction: str, expected: str) -> None:
    assert said(instruction) == expected
