"""From wishes that name no place to steps: tidy up, sort, swap, clear, unstack, put back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from lam_ros.core.scene import Scene, SceneObject
from lam_ros.core.skills import Skill, Step
from lam_ros.planning.choosing import Chosen, Limits, listed, missing
from lam_ros.planning.commands import Command
from lam_ros.planning.discourse import Resolver
from lam_ros.planning.domain import FREE, INVERSE, PLACING, Place, first_places
from lam_ros.planning.kinds import DEEP_KINDS, head, is_solid, is_table
from lam_ros.planning.lexicon import CLEAR, DISPOSE, REPLACE, RETURN, SORT, SWAP, TIDY, UNSTACK
from lam_ros.planning.names import words_of
from lam_ros.planning.outcome import Clarify, Refuse, RefuseKind
from lam_ros.planning.phrases import Phrase, Pronoun, Quantifier
from lam_ros.planning.placing import Asked, refuse_skill
from lam_ros.planning.readings import told_by
from lam_ros.planning.search import TABLE_ID

WISHES = frozenset({CLEAR, TIDY, SORT, SWAP, UNSTACK, RETURN, DISPOSE, REPLACE})
"""Verbs that are read here."""

_RECEPTACLES = DEEP_KINDS | {"tray", "plate", "spot", "container", "caddy"}
_IT = Phrase("it", pronoun=Pronoun.IT)
_EVERYTHING = Phrase("object", quantifier=Quantifier.ALL, generic=True, plural=True)


@dataclass(frozen=True)
class Wished:
    """Steps that are the goal, and steps that only serve to reach it."""

    asked: Asked
    means: tuple[Step, ...] = field(default=())


type Wish = Wished | Clarify | Refuse


class Wisher:
    """Turns abstract wishes into placements in the scene at hand."""

    def __init__(
        self, resolver: Resolver, reaches_table: bool, remembered: Mapping[str, Place]
    ) -> None:
        """Ground through `resolver`.

        Args:
            resolver: ties phrases to ids.
            reaches_table: True if things can be put on the bare table.
            remembered: where objects were before, for `put it back`.
        """
        self._resolver = resolver
        self._scene: Scene = resolver.scene
        self._reaches_table = reaches_table
        self._before = dict(remembered)
        self._places = first_places(resolver.scene)

    @property
    def _table(self) -> str:
        return next((item.id for item in self._scene.objects if is_table(item)), TABLE_ID)

    def wish(self, command: Command) -> Wish:
        """Return what a wish asks for in this scene."""
        readers: dict[str, Callable[[Command], Wish]] = {
            CLEAR: self._clear, TIDY: self._tidy, SORT: self._sort, SWAP: self._swap,
            UNSTACK: self._unstack, RETURN: self._return, DISPOSE: self._dispose,
            REPLACE: self._replace,
        }  # fmt: skip
        return readers[command.verb](command)

    def _ids(self, phrases: Sequence[Phrase]) -> Chosen:
        found: list[str] = []
        for phrase in phrases:
            ids = self._resolver.moved(phrase, Limits(mentioned=frozenset(found)))
            if not isinstance(ids, tuple):
                return ids
            found += [item for item in ids if item not in found]
        return tuple(found)

    def _loose(self) -> list[SceneObject]:
        """Return what can be moved and is not a place itself."""
        config = self._resolver.config
        return [item for item in self._scene.objects
                if config.can_move(item) and not config.is_fixed(item)]  # fmt: skip

    def _receptacles(self) -> list[SceneObject]:
        found = [item for item in self._scene.objects if head(item.kind) in _RECEPTACLES]
        loose = {item.id for item in self._loose()}
        return [item for item in found if item.id not in loose]

    # Clear and unstack

    def _clear(self, command: Command) -> Wish:
        phrases = command.objects or tuple(t for p in command.places for t in p.targets)
        if any({"table", "space", "room"}.intersection((*p.nouns, *p.unknown)) for p in phrases):
            return self._tidy(replace(command, objects=(), places=()))
        ids = self._ids(phrases or (_IT,))
        if not isinstance(ids, tuple):
            return ids
        resting = [item for item, place in self._places.items()
                   if place.other in ids and place.predicate in ("on", "in")]  # fmt: skip
        return self._to_table(resting, ids)

    def _unstack(self, command: Command) -> Wish:
        ids = self._ids(command.objects or (_EVERYTHING,))
        if not isinstance(ids, tuple):
            return ids
        stacked = [i for i in self._scene.ids if self._is_stacked(i)]
        named = [item for item in stacked if item in ids]
        return self._to_table(named or stacked, ids)

    def _is_stacked(self, item: str) -> bool:
        place = self._places[item]
        return place.predicate == "on" and is_solid(self._scene[place.other])

    def _to_table(self, items: Sequence[str], spoken: tuple[str, ...]) -> Wish:
        if items and not self._reaches_table:
            return refuse_skill(
                f"I cannot place on the bare table; say in, on or next to what {listed(items)} goes"
            )
        ordered = sorted(items, key=lambda item: -self._scene[item].position_m[2])
        steps = tuple(Step(Skill.PLACE_ON, item, self._table) for item in ordered)
        return Wished(Asked(steps, tuple(ordered) or spoken, spoken, "on"))

    # Tidy and sort

    def _dispose(self, command: Command) -> Wish:
        """Read `dispose of the rubbish`: it goes in the bin."""
        bins = [item for item in self._scene.objects if _BINS.intersection(words_of(item))]
        ids = self._ids(command.objects or (_IT,))
        if not isinstance(ids, tuple):
            return ids
        bins = [item for item in bins if item.id not in ids]
        if not bins:
            return missing("bin to throw things away in", self._scene)
        target = min(bins, key=self._resolver.config.distance_m)
        steps = tuple(Step(Skill.PLACE_IN, item, target.id) for item in ids)
        return Wished(Asked(steps, ids, (target.id,), "in"))

    def _tidy(self, command: Command) -> Wish:
        receptacles = self._receptacles()
        if any(_AREAS.intersection((*p.nouns, *p.unknown, p.text)) for p in command.objects):
            command = replace(command, objects=())
        ids = self._ids(command.objects) if command.objects else None
        if ids is not None and not isinstance(ids, tuple):
            return ids
        named = [self._scene[item] for item in ids] if command.verb == TIDY and ids else []
        loose = [item for item in named or self._loose()
                 if not self._is_stowed(item, receptacles)]  # fmt: skip
        if not receptacles and loose:
            return Refuse(
                RefuseKind.MISSING_OBJECT,
                f"I see no bowl, box or tray to put {listed([i.id for i in loose])} in",
            )
        deep = [item for item in receptacles if head(item.kind) in DEEP_KINDS] or receptacles
        steps = tuple(self._into(item, _best(item, receptacles, deep)) for item in loose)
        ids = tuple(step.object_id for step in steps)
        return Wished(Asked(steps, ids, tuple(step.target_id for step in steps), "in"))

    def _is_stowed(self, item: SceneObject, receptacles: Sequence[SceneObject]) -> bool:
        place = self._places[item.id]
        return place.predicate == "in" or place.other in {other.id for other in receptacles}

    def _into(self, item: SceneObject, target: SceneObject) -> Step:
        inside = head(target.kind) in DEEP_KINDS
        return Step(Skill.PLACE_IN if inside else Skill.PLACE_ON, item.id, target.id)

    def _sort(self, command: Command) -> Wish:
        """Read `sort the cubes by colour`, `sort by kind`: one place for each group."""
        if command.sources:
            return refuse_skill("moving things apart is not among my skills; say in, on or next to")
        keys = _SORT_KEYS
        named = tuple(p for p in command.objects if not keys.intersection((*p.unknown, *p.nouns)))
        ids = self._ids(named) if named else tuple(item.id for item in self._loose())
        if not isinstance(ids, tuple):
            return ids
        items = [self._scene[item] for item in ids]
        by_kind = {"kind", "type", "shape", "kinds", "types"}.intersection(command.text.split())
        groups: dict[str, list[SceneObject]] = {}
        for item in items:
            groups.setdefault(item.kind if by_kind else item.color, []).append(item)
        if named and all(len(group) == 1 for group in groups.values()):
            groups = {"": items}  # "group the stars": nothing tells them apart further
        steps = self._grouped(groups)
        return Wished(Asked(steps, ids, (), "in"))

    def _grouped(self, groups: Mapping[str, Sequence[SceneObject]]) -> tuple[Step, ...]:
        """Give each group a place of its own colour, else a free one, else side by side."""
        free = list(self._receptacles())
        places: dict[str, SceneObject] = {}
        for key in groups:
            same = [item for item in free if key and item.color == key]
            if same:
                places[key] = same[0]
                free.remove(same[0])
        if len(groups) - len(places) > len(free):
            free = []
        for key in groups:
            if key not in places and free:
                places[key] = free.pop(0)
        steps: list[Step] = []
        for key, items in groups.items():
            if key in places:
                steps += [self._into(item, places[key]) for item in items]
            else:
                steps += [Step(Skill.PLACE_NEXT_TO, b.id, a.id)
                          for a, b in pairwise(items)]  # fmt: skip
        return tuple(steps)

    # Swap and put back

    def _swap(self, command: Command) -> Wish:
        phrases = (*command.objects, *(t for p in command.places for t in p.targets))
        ids = self._ids(phrases or (_IT,))
        if not isinstance(ids, tuple):
            return ids
        if len(ids) != 2:
            return Refuse(
                RefuseKind.NOT_UNDERSTOOD, f"two things can be swapped; {len(ids)} are meant"
            )
        first, second = ids
        wanted = {first: self._places[second], second: self._places[first]}
        steps: tuple[Step, ...] = tuple(
            self._step_to(item, place, ids) for item, place in reversed(wanted.items())
        )
        aside: tuple[Step, ...] = (Step(Skill.PLACE_ON, first, self._table),)
        if steps[0].target_id == self._table:
            aside, steps = (*aside, steps[0]), steps[1:]
        return Wished(Asked(steps, ids, (), ""), aside)

    def _step_to(self, item: str, place: Place, pair: tuple[str, str]) -> Step:
        """Return the step to where the other one was; on the table, to its other side."""
        if place.other and place.other not in pair:
            return Step(PLACING[place.predicate], item, place.other)
        other = next(i for i in pair if i != item)
        if item == pair[1] or self._places[item] != FREE:
            return Step(Skill.PLACE_ON, item, self._table)
        relation = _relation(self._scene[item], self._scene[other])
        return Step(PLACING[INVERSE[relation]], item, other)

    def _replace(self, command: Command) -> Wish:
        """Read `replace the red cube with the blue one`: the blue one goes where the red one is."""
        withs = tuple(t for p in command.places if p.preposition == "with" for t in p.targets)
        objects = command.objects
        for place in command.places:
            if place.preposition != "with":
                objects = tuple(told_by(phrase, place) for phrase in objects)
        old = self._ids(objects)
        if not isinstance(old, tuple):
            return old
        new = self._ids(withs)
        if not isinstance(new, tuple):
            return new
        at = self._places[old[0]] if len(old) == len(new) == 1 else FREE
        if at == FREE:
            return refuse_skill(
                "I replace only what lies in or on something; say in, on or next to"
            )
        aside = Step(Skill.PLACE_ON, old[0], self._table)
        step = Step(PLACING[at.predicate], new[0], at.other)
        return Wished(Asked((aside, step), new, (at.other,), at.predicate))

    def _return(self, command: Command) -> Wish:
        ids = self._ids(command.objects or (_IT,))
        if not isinstance(ids, tuple):
            return ids
        steps: list[Step] = []
        for item in ids:
            place = self._before.get(item, self._places[item])
            target = place.other if place != FREE else self._table
            if place == FREE and not self._reaches_table:
                return refuse_skill(f"{item} was on the bare table; say in, on or next to what")
            steps.append(Step(PLACING.get(place.predicate, Skill.PLACE_ON), item, target))
        return Wished(Asked(tuple(steps), ids, (), ""))


_BINS = frozenset({"bin", "trash", "trashcan", "garbage", "dustbin", "wastebasket"})
_AREAS = frozenset(
    {"mess", "place", "room", "desk", "table", "workspace", "area", "kitchen", "here", "this",
     "tabletop", "counter", "surface"}
)  # fmt: skip
_SORT_KEYS = frozenset({"color", "colour", "kind", "type", "shape", "size"})


def _best(
    item: SceneObject, receptacles: Sequence[SceneObject], deep: Sequence[SceneObject]
) -> SceneObject:
    """Return where an object is tidied to: its own colour, else the nearest container."""
    same = [place for place in receptacles if item.color and place.color == item.color]
    return min(same or deep, key=item.distance_xy_m)


def _relation(item: SceneObject, other: SceneObject) -> str:
    """Return on which side of another an object stands, by the larger distance."""
    ahead = item.position_m[0] - other.position_m[0]
    left = item.position_m[1] - other.position_m[1]
    if abs(left) >= abs(ahead):
        return "left_of" if left >= 0 else "right_of"
    return "behind" if ahead >= 0 else "in_front_of"
