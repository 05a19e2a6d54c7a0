"""What is in a closed drawer is still there, though nobody sees it."""

from __future__ import annotations

from dataclasses import replace

from lam_ros.core.scene import Scene, SceneObject
from lam_ros.planning.domain import HELD, first_places


class Permanence:
    """Adds to each scene what was last seen in something that has been closed since."""

    def __init__(self) -> None:
        """Know of nothing hidden."""
        self._inside: dict[str, tuple[SceneObject, str]] = {}

    def completed(self, scene: Scene) -> Scene:
        """Return the scene with what is hidden in what is closed.

        An object counts as hidden from when it was last seen in a drawer, a box or a door that
        is now closed, until it is seen again, or what it is in is seen open without it.
        """
        places = first_places(scene)
        for item in scene.objects:
            self._inside.pop(item.id, None)
            place = places[item.id]
            if place != HELD and place.predicate == "in":
                self._inside[item.id] = (item, place.other)
        hidden = []
        for item, around in list(self._inside.values()):
            if item.id in scene:
                continue
            if around in scene and scene[around].is_open is False:
                hidden.append(replace(item, inside=around, on=""))
            elif around in scene:
                del self._inside[item.id]
        return replace(scene, objects=(*scene.objects, *hidden)) if hidden else scene
