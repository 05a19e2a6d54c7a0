"""Literals as text, and the judge over them."""

from __future__ import annotations

import pytest

from lam_ros.core.literals import judge, parse_literal
from lam_ros.core.scene import Literal, Scene, SceneError, SceneObject

SCENE = Scene(
    (
        SceneObject("red_cube_1", "cube", "red", (0.2, 0.0, 0.02), (0.03, 0.03, 0.03)),
        SceneObject("blue_bowl_1", "bowl", "blue", (0.2, 0.0, 0.017), (0.09, 0.09, 0.034)),
    )
)


@pytest.mark.parametrize("literal", [Literal("in", ("a_1", "b_2")), Literal("holding", ("a_1",))])
def test_text_and_back(literal: Literal) -> None:
    assert parse_literal(str(literal)) == literal


@pytest.mark.parametrize("text", ["", "in", "in(a, b", "in a b", "in(a)", "eats(a, b)", "in(a(b))"])
def test_malformed_text_is_refused(text: str) -> None:
    with pytest.raises(SceneError):
        parse_literal(text)


def test_the_judge_answers_in_order_and_says_what_it_does_not_know() -> None:
    verdict = judge(
        SCENE, ["in(red_cube_1, blue_bowl_1)", "behind(red_cube_1, blue_bowl_1)", "in(x, y)"]
    )
    assert verdict.holds == (True, False, False)
    assert "unknown object 'x'" in verdict.detail
