"""The fifty tasks: their names, sentences and degrees of difficulty, as LeRobot's environment has them.

Read without importing Meta-World, so that a request can be checked where it is not installed.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lam_ros.core.errors import ConfigError, MachineError, unknown_name

DIFFICULTIES = ("easy", "medium", "hard", "very_hard")

TEN_OF: Mapping[str, int] = {"easy": 6, "medium": 2, "hard": 1, "very_hard": 1}
"""How many of each degree are in `ten`: about their shares of the fifty, and none left out."""

INSTALL = (
    'pip install "lam_ros[metaworld]", or in the repository: .venv/bin/pip install metaworld==3.0.0'
)


@dataclass(frozen=True)
class MetaTask:
    """One task; its sentence is all that a policy is told."""

    name: str
    sentence: str
    difficulty: str


@cache
def all_tasks() -> Mapping[str, MetaTask]:
    """Return every task by its name, the easy ones first, in alphabetical order."""
    found = importlib.util.find_spec("lerobot")
    assert found is not None
    assert found.submodule_search_locations
    folder = Path(next(iter(found.submodule_search_locations)))
    data = json.loads((folder / "envs" / "metaworld_config.json").read_text(encoding="utf-8"))
    sentences = data["TASK_DESCRIPTIONS"]
    return {
        name: MetaTask(name, sentences[name], difficulty)
        for difficulty in DIFFICULTIES
        for name in sorted(data["DIFFICULTY_TO_TASKS"][difficulty])
    }


def ten() -> tuple[MetaTask, ...]:
    """Return the first of each degree in alphabetical order: a choice that no result could sway."""
    chosen: list[MetaTask] = []
    for difficulty, count in TEN_OF.items():
        chosen += [task for task in all_tasks().values() if task.difficulty == difficulty][:count]
    return tuple(chosen)


def choose(names: Sequence[str]) -> tuple[MetaTask, ...]:
    """Return the tasks that are named: `ten`, `all`, a degree of difficulty, or tasks by name.

    Raises:
        ConfigError: if a name is unknown, or none is given.
    """
    known = all_tasks()
    groups = {"ten": [task.name for task in ten()], "all": list(known)}
    for difficulty in DIFFICULTIES:
        groups[difficulty] = [t.name for t in known.values() if t.difficulty == difficulty]
    wanted: set[str] = set()
    for name in names:
        full = name if name in known or name in groups else f"{name}-v3"
        if full not in known and full not in groups:
            raise ConfigError(unknown_name("task of Meta-World", name, [*groups, *known]))
        wanted.update(groups.get(full, [full]))
    if not wanted:
        raise ConfigError("tasks: none is named; give ten, all, a difficulty, or names with commas")
    return tuple(task for task in known.values() if task.name in wanted)


def require_metaworld() -> None:
    """Check that Meta-World is installed.

    Raises:
        MachineError: with the command that installs it.
    """
    if importlib.util.find_spec("metaworld") is None:
        raise MachineError(f"env=metaworld: Meta-World is not installed; {INSTALL}")
