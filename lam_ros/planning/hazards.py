"""What would be dangerous though each step of it is harmless: heat, and what must not be heated."""

from __future__ import annotations

from collections.abc import Iterable

from lam_ros.core.scene import Literal, Scene
from lam_ros.planning.domain import first_places
from lam_ros.planning.kinds import head
from lam_ros.planning.lexicon import words_in
from lam_ros.planning.names import words_of
from lam_ros.planning.outcome import Refuse, RefuseKind

_METAL = words_in(
    "fork knife spoon spatula ladle whisk tongs scissors foil metal steel can tin key"
)
_FLAMMABLE = words_in(
    """book newspaper paper magazine towel cloth sponge pillow cushion laptop phone cellphone
    smartphone remote battery plastic cardboard carton wooden curtain"""
)
_HEATED = {"microwave": _METAL | _FLAMMABLE}
_FLAMES = dict.fromkeys(words_in("stove burner hob cooktop cooker oven toaster"), _FLAMMABLE)


def check_heat(goals: Iterable[Literal], scene: Scene) -> Refuse | None:
    """Refuse to heat what burns, or metal in a microwave.

    Args:
        goals: what shall hold in the end.
        scene: what is there now.
    """
    wanted = tuple(goals)
    places = {item: place.other for item, place in first_places(scene).items()}
    places |= {goal.args[0]: goal.args[1] for goal in wanted if goal.predicate in ("in", "on")}
    hot = [goal.args[0] for goal in wanted if goal.predicate == "turned_on"]
    hot += [item.id for item in scene.objects if item.is_on is True
            and Literal("turned_off", (item.id,)) not in wanted]  # fmt: skip
    for source in hot:
        never = (_HEATED | _FLAMES).get(head(scene[source].kind), frozenset())
        for name, other in places.items():
            if other == source and name in scene and not never.isdisjoint(words_of(scene[name])):
                return Refuse(
                    RefuseKind.UNSAFE, f"{name} in or on {source} while that is on is dangerous"
                )
    return None
