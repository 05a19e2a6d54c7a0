"""In which order things are stacked when the instruction leaves that open."""

from __future__ import annotations

from lam_ros.core.scene import SceneObject
from lam_ros.planning.grounding import Items, Matcher


def tower_order(items: Items, matcher: Matcher, base: SceneObject | None = None) -> tuple[str, ...]:
    """Return ids from the bottom up so that little has to be moved.

    A stack that stands already is kept and built on; whatever lies on something else
    comes before what it lies on; otherwise the nearest comes first.

    Args:
        items: what is to be stacked, at least one.
        matcher: knows what lies on what.
        base: what they are stacked on, or None if one of them is the base.
    """
    nearest = matcher.by_distance(items)
    upward = {below.id: item.id for below in nearest for item in nearest
              if matcher.is_at(item, below)}  # fmt: skip
    if base is not None:
        bottoms = [item.id for item in nearest if matcher.is_at(item, base)]
    else:
        grounded = [item.id for item in nearest if not matcher.supports(item)]
        bottoms = [item for item in grounded if item in upward] or grounded
    chain = _chain(bottoms[0], upward) if bottoms else []
    rest = [item for item in nearest if item.id not in chain]
    rest.sort(key=lambda item: -item.position_m[2])
    return (*chain, *(item.id for item in rest))


def _chain(bottom: str, upward: dict[str, str]) -> list[str]:
    found = [bottom]
    while (above := upward.get(found[-1])) and above not in found:
        found.append(above)
    return found
