"""Literals as text, `predicate(a, b)`, as they travel in messages."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from lam_ros.core.scene import Literal, Scene, SceneError

_FORM = re.compile(r"^\s*(?P<predicate>\w+)\s*\((?P<args>[^()]*)\)\s*$")


def parse_literal(text: str) -> Literal:
    """Read a literal; the opposite of `str(literal)`.

    Raises:
        SceneError: if it is not of the form, or the predicate is unknown.
    """
    match = _FORM.match(text)
    if match is None:
        raise SceneError(f"literal '{text[:80]}': the form predicate(a, b) is needed")
    args = tuple(arg.strip() for arg in match["args"].split(",") if arg.strip())
    return Literal(match["predicate"], args)


@dataclass(frozen=True)
class Judgement:
    """Which of some literals hold, in order; `detail` says which could not be judged."""

    holds: tuple[bool, ...]
    detail: str


def judge(scene: Scene, texts: Sequence[str]) -> Judgement:
    """Judge literals given as text; one that cannot be judged is false."""
    holds, reasons = [], []
    for text in texts:
        try:
            holds.append(scene.holds(parse_literal(text)))
        except SceneError as error:
            holds.append(False)
            reasons.append(str(error))
    return Judgement(tuple(holds), "; ".join(reasons))
