"""Public instruction sets as scenes, instructions and what a plan for them must say.

LIBERO-90 (MIT), CALVIN's training annotations (MIT) and CLIPort's templates (Apache-2.0)
are read from a folder that the user gives; nothing of them is kept here.  A third of each
set, chosen by a hash of the text, is reported apart: it is never looked at in development.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lam_ros.core.errors import DataError
from lam_ros.core.scene import Scene, SceneObject
from lam_ros.planning.outcome import Outcome, Plan

type Goal = tuple[str, ...]
type Check = Callable[[Outcome], bool]


@dataclass(frozen=True)
class Case:
    """One instruction of a set.

    Attributes:
        suite: the set that it is of.
        instruction: the words.
        scene: a scene in which they make sense.
        check: tells whether an outcome is right.
        expected: what is right, for people.
    """

    suite: str
    instruction: str
    scene: Scene
    check: Check
    expected: str

    @property
    def is_held_out(self) -> bool:
        """True for the third of the set that development never looks at."""
        return hashlib.sha256(self.instruction.strip().lower().encode()).digest()[0] % 3 == 0


def load(folder: Path) -> list[Case]:
    """Return the cases of the sets that a folder holds.

    Raises:
        DataError: if it holds none, or a file cannot be read.
    """
    readers: dict[str, Callable[[Path], Iterator[Case]]] = {
        "libero_90.jsonl": _libero, "calvin_train.jsonl": _calvin,
        "cliport_expanded.txt": _cliport,
    }  # fmt: skip
    found: list[Case] = []
    for name, read in readers.items():
        if (folder / name).is_file():
            found += read(folder / name)
    if not found:
        raise DataError(f"instructions '{folder}': none of {', '.join(readers)} is there")
    return found


def _rows(path: Path) -> list[dict[str, Any]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines if line.strip()]
    except (OSError, ValueError) as error:
        raise DataError(f"instructions '{path}': {error}") from None


def goal_of(outcome: Outcome) -> frozenset[Goal]:
    """Return the goal literals of a plan; empty for anything else."""
    if not isinstance(outcome, Plan):
        return frozenset()
    return frozenset((goal.predicate, *goal.args) for goal in outcome.goal)


# LIBERO-90

_PARTS: dict[str, tuple[tuple[str, str], ...]] = {
    "cabinet": (("top_drawer", "drawer"), ("middle_drawer", "drawer"), ("bottom_drawer", "drawer")),
    "two_layer_shelf": (("top_shelf", "shelf"), ("bottom_shelf", "shelf")),
    "caddy": (("left_compartment", "compartment"), ("right_compartment", "compartment"),
              ("front_compartment", "compartment"), ("back_compartment", "compartment")),
}  # fmt: skip
_FLAGS = {"Open": ("is_open", True), "Close": ("is_open", False), "Turnon": ("is_on", True),
          "Turnoff": ("is_on", False)}  # fmt: skip
_PREDICATES = {"On": "on", "In": "in", "Open": "open", "Close": "closed", "Turnon": "turned_on",
               "Turnoff": "turned_off"}  # fmt: skip
_SIDES = {"right": "right_of", "left": "left_of", "front": "in_front_of", "back": "behind"}
_OFFSETS_M = {
    "left": (0.0, 0.15),
    "right": (0.0, -0.15),
    "front": (-0.12, 0.0),
    "back": (0.12, 0.0),
}


def _libero(path: Path) -> Iterator[Case]:
    for row in _rows(path):
        things = {**row["fixtures"], **row["objects"]}
        scene = _libero_scene(row, things)
        names = list(row["objects"])
        true_already = {_literal(literal, things, names) for literal in row["init"]}
        gold = {_literal(literal, things, names) for literal in row["goal"][1:]}
        needed = gold - true_already

        def check(outcome: Outcome, gold: set[Goal] = gold, needed: set[Goal] = needed) -> bool:
            said = goal_of(outcome)
            return bool(said) and needed <= said <= gold | {g for g in said if g in gold}

        yield Case("libero_90", row["instruction"], scene, check, str(sorted(gold)))


def _literal(literal: list[str], things: dict[str, str], objects: list[str]) -> Goal:
    """Return a literal of BDDL in our words: regions become parts, wholes or relations."""
    predicate = _PREDICATES[literal[0]]
    if len(literal) == 2:
        return (predicate, _place(literal[1], things))
    item, region = literal[1], literal[2]
    found = re.fullmatch(r"(?:kitchen|living_room|study)_table_(.+)_(\w+)_region", region)
    if found and found[2] in _SIDES:
        near = next((i for i in things if i.startswith(found[1])), found[1])
        return (_SIDES[found[2]], item, near)
    return (predicate, item, _place(region, things))


def _place(region: str, things: dict[str, str]) -> str:
    whole = max((i for i in things if region.startswith(i)), key=len, default=region)
    rest = region.removeprefix(whole).strip("_")
    for ending, parts in _PARTS.items():
        if whole in things and ending in things[whole]:
            word = rest.split("_")[0]
            named = next((part for part, _ in parts if part.startswith(word) and word), "")
            if named and not rest.endswith("side"):
                return f"{whole}_{named}"
    return whole


def _libero_scene(row: dict[str, Any], things: dict[str, str]) -> Scene:
    regions = {literal[1]: literal[2] for literal in row["init"] if len(literal) == 3}
    flags = {
        _place(literal[1], things): _FLAGS[literal[0]]
        for literal in row["init"]
        if literal[0] in _FLAGS
    }
    objects: list[SceneObject] = []
    for name, kind in things.items():
        x_m, y_m = 0.35, 0.0
        for side in _OFFSETS_M:
            if f"_{side}_" in regions.get(name, ""):
                x_m, y_m = x_m + _OFFSETS_M[side][0], y_m + _OFFSETS_M[side][1]
        objects.append(_thing(name, kind, (x_m, y_m, 0.02), flags))
        for ending, parts in _PARTS.items():
            if kind.endswith(ending):
                objects += [_thing(f"{name}_{p}", k, (x_m, y_m, 0.1), flags) for p, k in parts]
    return Scene(tuple(objects))


def _thing(
    name: str, kind: str, position_m: tuple[float, float, float], flags: dict[str, tuple[str, bool]]
) -> SceneObject:
    key, value = flags.get(name, ("", False))
    closes = kind in ("drawer", "microwave")
    is_open = value if key == "is_open" else (False if closes else None)
    is_on = value if key == "is_on" else (False if "stove" in kind else None)
    return SceneObject(name, kind, "", position_m, is_open=is_open, is_on=is_on)


# CALVIN

_BLOCKS = ("red", "blue", "pink")


def _calvin(path: Path) -> Iterator[Case]:
    for row in _rows(path):
        task = row["task"]

        def check(outcome: Outcome, task: str = task) -> bool:
            return task in _calvin_tasks(outcome)

        yield Case("calvin", row["instruction"], _calvin_scene(task), check, task)


def _calvin_scene(task: str) -> Scene:
    """Return the play table in a state in which a task makes sense."""
    places = dict.fromkeys(_BLOCKS, ("", ""))
    found = re.fullmatch(r"lift_(\w+)_block_(\w+)", task)
    if found and found[2] != "table":
        inside = "drawer_1" if found[2] == "drawer" else "sliding_cabinet_1"
        places[found[1]] = ("", inside)
    if task == "unstack_block":
        places["red"] = ("blue_block_1", "")
    held = "pink_block_1" if task in ("place_in_drawer", "place_in_slider", "stack_block") else ""
    if task == "push_into_drawer":
        held = ""
        places["red"] = places["blue"] = ("", "sliding_cabinet_1")
    blocks = [
        SceneObject(f"{color}_block_1", "block", color, (0.3, 0.12 * k - 0.12, 0.02),
                    on=places[color][0], inside=places[color][1])
        for k, color in enumerate(_BLOCKS)
    ]  # fmt: skip
    lit = task.startswith("turn_off")
    return Scene(
        (
            *blocks,
            SceneObject("drawer_1", "drawer", "", (0.3, 0.0, 0.0), is_open=task != "open_drawer"),
            SceneObject("sliding_cabinet_1", "sliding_cabinet", "", (0.5, 0.1, 0.1)),
            SceneObject("switch_1", "switch", "", (0.5, -0.2, 0.1)),
            SceneObject("button_1", "button", "green", (0.4, -0.25, 0.0)),
            SceneObject("lightbulb_1", "lightbulb", "yellow", (0.5, -0.2, 0.3), is_on=lit),
            SceneObject("led_1", "led", "green", (0.5, -0.1, 0.3), is_on=lit),
            SceneObject("table_1", "table", "", (0.3, 0.0, -0.01)),
        ),
        held=held,
    )


def _calvin_tasks(outcome: Outcome) -> frozenset[str]:
    """Return the task that a plan does, from what it is for rather than from its words."""
    if not isinstance(outcome, Plan) or not outcome.steps:
        return frozenset()
    last = outcome.steps[-1].step
    color = last.object_id.split("_")[0]
    by_object = {
        ("open", "drawer_1"): "open_drawer", ("close", "drawer_1"): "close_drawer",
        ("turn_on", "lightbulb_1"): "turn_on_lightbulb", ("turn_on", "led_1"): "turn_on_led",
        ("turn_off", "lightbulb_1"): "turn_off_lightbulb", ("turn_off", "led_1"): "turn_off_led",
        ("push", "sliding_cabinet_1"): f"move_slider_{last.target_id}",
    }  # fmt: skip
    found = {by_object.get((str(last.skill), last.object_id), "")}
    if last.object_id.endswith("_block_1"):
        by_skill = {
            ("push", "drawer_1"): "push_into_drawer", ("place_in", "drawer_1"): "place_in_drawer",
            ("place_in", "sliding_cabinet_1"): "place_in_slider",
            ("place_on", "table_1"): "unstack_block",
        }  # fmt: skip
        found |= {by_skill.get((str(last.skill), last.target_id), "")}
        if last.skill in ("push", "rotate") and last.target_id in ("left", "right"):
            found |= {f"{last.skill}_{color}_block_{last.target_id}"}
        if last.skill == "pick":
            found |= {f"lift_{color}_block_{place}" for place in ("table", "slider", "drawer")}
        if last.skill == "place_on" and last.target_id.endswith("_block_1"):
            found |= {"stack_block"}
    return frozenset(found) - {""}


# CLIPort

_COLORS = "red|green|blue|yellow|orange|purple|pink|cyan|brown|white|gray|grey"
type Template = tuple[str, Callable[[re.Match[str]], tuple[Scene, frozenset[Goal], str]]]


def _cliport(path: Path) -> Iterator[Case]:
    for line in path.read_text(encoding="utf-8").splitlines():
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        for pattern, build in _TEMPLATES:
            found = re.fullmatch(pattern, text)
            if found:
                scene, goal, act = build(found)

                def check(out: Outcome, goal: frozenset[Goal] = goal, act: str = act) -> bool:
                    return goal_of(out) == goal if goal else _acts(out) == act

                yield Case("cliport", text, scene, check, act or str(sorted(goal)))
                break


def _acts(outcome: Outcome) -> str:
    if not isinstance(outcome, Plan):
        return ""
    return "; ".join(f"{s.step.skill} {s.step.object_id} {s.step.target_id}" for s in outcome.steps)


def _blocks(*colors: str) -> list[SceneObject]:
    """Return two blocks of each colour, and one that must stay where it is."""
    other = next(c for c in ("black", "gold") if c not in colors)
    named = [(color, k) for color in dict.fromkeys(colors) for k in (1, 2)] + [(other, 1)]
    return [SceneObject(f"{c}_block_{k}", "block", c, (0.3, 0.05 * i, 0.02))
            for i, (c, k) in enumerate(named)]  # fmt: skip


def _all_into(colors: list[str], kind: str, color: str) -> tuple[Scene, frozenset[Goal], str]:
    place = SceneObject(f"{color}_{kind}_1", kind, color, (0.4, -0.2, 0.02))
    spare = SceneObject(f"silver_{kind}_1", kind, "silver", (0.4, -0.4, 0.02))
    others = [spare] if kind == "bowl" else []
    blocks = _blocks(*colors)
    goal = {("in", b.id, place.id) for b in blocks if b.color in colors}
    return Scene((*blocks, place, *others)), frozenset(goal), ""


def _packed(found: re.Match[str]) -> tuple[Scene, frozenset[Goal], str]:
    kind = found[1].replace(" ", "_")
    item = SceneObject(f"{kind}_1", kind, "", (0.3, 0.1, 0.02))
    other = SceneObject("wooden_train_1", "wooden_train", "", (0.3, -0.1, 0.02))
    box = SceneObject(f"{found[2]}_box_1", "box", found[2], (0.4, -0.2, 0.02))
    return Scene((item, other, box)), frozenset({("in", item.id, box.id)}), ""


def _ring_to(found: re.Match[str]) -> tuple[Scene, frozenset[Goal], str]:
    rings = [SceneObject(f"{c}_ring_1", "ring", c, (0.3, 0.0, 0.01 * k), on="stand_1")
             for k, c in enumerate(dict.fromkeys((found[1], "black", "gold")))]  # fmt: skip
    stand = SceneObject("stand_1", "stand", "brown", (0.3, 0.0, 0.0))
    scene = Scene((*rings[:1], stand))
    if found[2] == "middle of the stand":
        return scene, frozenset({("on", rings[0].id, "stand_1")}), ""
    return scene, frozenset(), f"push {rings[0].id} {found[2].split()[0]}"


def _shaded(found: re.Match[str]) -> tuple[Scene, frozenset[Goal], str]:
    shades = {"lightest": "light", "darkest": "dark"}
    tones = ["light", "medium", "dark"]
    blocks = [SceneObject(f"{t}_{found[3]}_block_1", f"{t}_{found[3]}_block", "",
                          (0.3, 0.1 * k, 0.02)) for k, t in enumerate(tones)]  # fmt: skip
    item = SceneObject(f"{found[1]}_block_1", "block", found[1], (0.3, -0.2, 0.02))
    target = f"{shades[found[2]]}_{found[3]}_block_1"
    return Scene((*blocks, item)), frozenset({("on", item.id, target)}), ""


_TEMPLATES: tuple[Template, ...] = (
    (rf"put the ({_COLORS}) blocks in a ({_COLORS}) bowl",
     lambda m: _all_into([m[1]], "bowl", m[2])),
    (rf"pack all the ({_COLORS}) and ({_COLORS}) blocks into the ({_COLORS}) box",
     lambda m: _all_into([m[1], m[2]], "box", m[3])),
    (rf"push the pile of ({_COLORS}) blocks into the ({_COLORS}) square",
     lambda m: _all_into([m[1]], "square", m[2])),
    (rf"move the ({_COLORS}) ring to the (left side|right side|middle of the stand)", _ring_to),
    (rf"put the ({_COLORS}) block on the (lightest|darkest) ({_COLORS}) block", _shaded),
    (rf"pack the (.+) in the ({_COLORS}) box", _packed),
)  # fmt: skip
