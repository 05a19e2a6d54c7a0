"""Scenes that hold what they are told to hold."""

from __future__ import annotations

import pytest

from lam_ros.core.errors import LamError
from lam_sim.sampling import sample_scene
from lam_sim.scenes import SceneConfig, SceneSpec


def held(spec: SceneSpec) -> list[str]:
    """Return `color kind` of every object."""
    return sorted(f"{item.color} {item.kind}" for item in spec.objects)


@pytest.mark.parametrize("seed", range(25))
def test_included_objects_are_there_and_the_numbers_stay(seed: int) -> None:
    names = ("red cube", "blue_bowl", "green cube")
    drawn = sample_scene(SceneConfig(), seed)
    spec = sample_scene(SceneConfig(include=names), seed)
    assert {"red cube", "blue bowl", "green cube"} <= set(held(spec))
    assert len(set(held(spec))) == len(held(spec)) or len(held(spec)) == len(held(drawn))
    assert sorted(i.kind for i in spec.objects) == sorted(i.kind for i in drawn.objects)


def test_an_included_kind_that_was_not_drawn_is_added() -> None:
    spec = sample_scene(SceneConfig(trays=(0, 0), include=("grey tray",)), 1)
    assert "grey tray" in held(spec)


def test_named_objects_are_exactly_those() -> None:
    spec = sample_scene(SceneConfig(objects=("red cube", "white bowl", "blue cube")), 4)
    assert held(spec) == ["blue cube", "red cube", "white bowl"]


def test_without_names_the_draw_is_what_it_was() -> None:
    assert sample_scene(SceneConfig(), 3) == sample_scene(SceneConfig(include=()), 3)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("red",), "a colour and a kind"),
        (("red spoon",), "unknown kind of object 'spoon'"),
        (("crimson cube",), "unknown color 'crimson'"),
        (("red cube", "red_cube"), "2 times"),
        (("red bowl", "blue bowl", "green bowl"), "2 are allowed"),
    ],
)
def test_names_that_cannot_be_had_are_refused(names: tuple[str, ...], said: str) -> None:
    with pytest.raises(LamError, match=said):
        SceneConfig(objects=names)
