"""What the arm remembers: instructions, scenes, plans, ends, and how often each skill works.

One SQLite file a robot, with the standard library's own module.  A file that is damaged,
locked or cannot be written never stops a run: one warning, and on without memory.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lam_ros.core.errors import DataError
from lam_ros.core.scene import Scene
from lam_ros.planning.domain import Place, first_places
from lam_ros.planning.scene_json import scene_from_dict, scene_to_dict

VERSION = 1
LOCKED_S = 0.5
"""How long a file that another process writes is waited for."""

_TABLES = """
CREATE TABLE IF NOT EXISTS instruction(
    id INTEGER PRIMARY KEY, stamp_ns INTEGER, text TEXT, answer TEXT, kind TEXT, goal TEXT,
    steps TEXT, ended TEXT, message TEXT, scene_before TEXT, scene_after TEXT);
CREATE TABLE IF NOT EXISTS attempt(
    id INTEGER PRIMARY KEY, stamp_ns INTEGER, skill TEXT, kind TEXT, success INTEGER);
CREATE INDEX IF NOT EXISTS attempt_of ON attempt(skill, kind);
CREATE TABLE IF NOT EXISTS place(
    object TEXT PRIMARY KEY, predicate TEXT, other TEXT,
    left_predicate TEXT, left_other TEXT);
"""


@dataclass(frozen=True)
class Prior:
    """What is believed of a skill before it was tried: a Beta distribution.

    Attributes:
        successes, failures: as if it had been tried so often.
    """

    successes: float = 8.0
    failures: float = 2.0

    def rate(self, successes: int, tries: int) -> float:
        """Return the mean of the distribution after so many tries."""
        total = self.successes + self.failures + tries
        return (self.successes + successes) / total


@dataclass(frozen=True)
class Episode:
    """One instruction and what came of it.

    Attributes:
        text, answer: what was said.
        kind: plan, clarify or refuse.
        goal: literals as text.
        steps: rows as `PlannedStep.to_dict` makes them.
        ended: how it ended.
        message: one line on it.
    """

    text: str
    answer: str = ""
    kind: str = "plan"
    goal: tuple[str, ...] = ()
    steps: tuple[Mapping[str, Any], ...] = ()
    ended: str = ""
    message: str = ""


class Memory:
    """Remembers in a file; after the first error it remembers nothing more, and says so once."""

    def __init__(self, path: Path, warn: Callable[[str], None], prior: Prior | None = None) -> None:
        """Open or make the file.

        Args:
            path: of the file; its folder is made.
            warn: hears the one warning.
            prior: what is believed of skills that were not tried yet.
        """
        self.prior = prior or Prior()
        self._path, self._warn = path, warn
        self._base: sqlite3.Connection | None = None
        self._costs: dict[tuple[str, str], float] | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            base = sqlite3.connect(path, timeout=LOCKED_S, check_same_thread=False)
            self._base = base
            base.executescript(_TABLES)
            version = base.execute("PRAGMA user_version").fetchone()[0]
            if version not in (0, VERSION):
                raise sqlite3.DatabaseError(f"its version is {version}, {VERSION} is known")
            base.execute(f"PRAGMA user_version = {VERSION}")
            base.commit()
        except (OSError, sqlite3.Error) as error:
            self._give_up(error)

    @property
    def works(self) -> bool:
        """True as long as nothing went wrong with the file."""
        return self._base is not None

    def close(self) -> None:
        """Close the file."""
        if self._base is not None:
            self._base.close()
            self._base = None

    # What is remembered

    def note(self, stamp_ns: int, episode: Episode, before: Scene, after: Scene) -> None:
        """Remember an instruction, what was seen before and after it, and how it ended."""
        row = (
            stamp_ns, episode.text, episode.answer, episode.kind, json.dumps(episode.goal),
            json.dumps([dict(step) for step in episode.steps]), episode.ended, episode.message,
            json.dumps(scene_to_dict(before)), json.dumps(scene_to_dict(after)),
        )  # fmt: skip
        self._write(
            "INSERT INTO instruction(stamp_ns, text, answer, kind, goal, steps, ended, message,"
            " scene_before, scene_after) VALUES (?,?,?,?,?,?,?,?,?,?)",
            [row],
        )

    def note_moved(self, before: Scene, after: Scene) -> None:
        """Remember where each object was that has been moved, and where it was left."""
        was, now = first_places(before).copy(), first_places(after).copy()
        rows = [
            (item, was[item].predicate, was[item].other, now[item].predicate, now[item].other)
            for item in was
            if item in now and was[item] != now[item]
        ]
        self._write("INSERT OR REPLACE INTO place VALUES (?,?,?,?,?)", rows)

    def note_try(self, stamp_ns: int, skill: str, kind: str, *, success: bool) -> None:
        """Remember whether a try at a skill worked."""
        self._costs = None
        self._write(
            "INSERT INTO attempt(stamp_ns, skill, kind, success) VALUES (?,?,?,?)",
            [(stamp_ns, skill, kind, int(success))],
        )

    # What is recalled

    def last(self) -> Episode | None:
        """Return the last instruction that was carried out to its end."""
        rows = self._read(
            "SELECT text, answer, kind, goal, steps, ended, message FROM instruction"
            " WHERE kind = 'plan' AND text != '' ORDER BY id DESC LIMIT 1"
        )
        if not rows:
            return None
        text, answer, kind, goal, steps, ended, message = rows[0]
        try:
            return Episode(
                text,
                answer,
                kind,
                tuple(json.loads(goal)),
                tuple(json.loads(steps)),
                ended,
                message,
            )
        except ValueError as error:
            self._give_up(error)
            return None

    def scene_before(self) -> Scene | None:
        """Return what was seen before the last instruction that was carried out."""
        rows = self._read(
            "SELECT scene_before FROM instruction WHERE kind = 'plan' ORDER BY id DESC LIMIT 1"
        )
        try:
            return scene_from_dict(json.loads(rows[0][0])) if rows else None
        except (ValueError, DataError) as error:
            self._give_up(error)
            return None

    def places_before(self, scene: Scene) -> dict[str, Place]:
        """Return where objects were before they were moved, if they are where they were left."""
        now = first_places(scene)
        rows = self._read("SELECT object, predicate, other, left_predicate, left_other FROM place")
        return {
            item: Place(predicate, other)
            for item, predicate, other, left, left_other in rows
            if now.get(item) == Place(left, left_other)
        }

    def tries(self) -> dict[tuple[str, str], tuple[int, int]]:
        """Return for each skill and kind of object the successes and the tries."""
        rows = self._read(
            "SELECT skill, kind, SUM(success), COUNT(*) FROM attempt GROUP BY skill, kind"
        )
        return {(skill, kind): (int(good), int(count)) for skill, kind, good, count in rows}

    def costs(self) -> Mapping[tuple[str, str], float]:
        """Return what a skill costs for a kind: the tries that it takes, over those of the best.

        A skill of which nothing is known succeeds as the prior says.
        """
        if self._costs is None:
            rates = {key: self.prior.rate(*counts) for key, counts in self.tries().items()}
            usual = self.prior.rate(0, 0)
            best = max([usual, *rates.values()])
            self._costs = {key: best / max(rate, 0.02) for key, rate in rates.items()}
            self._costs[("", "")] = best / usual
        return self._costs

    # The file

    def _read(self, query: str, values: Sequence[object] = ()) -> list[Any]:
        if self._base is None:
            return []
        try:
            return self._base.execute(query, values).fetchall()
        except sqlite3.Error as error:
            self._give_up(error)
            return []

    def _write(self, query: str, rows: Sequence[Sequence[object]]) -> None:
        if self._base is None or not rows:
            return
        try:
            with self._base:
                self._base.executemany(query, rows)
        except sqlite3.Error as error:
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        self.close()
        self._costs = None
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        self._warn(
            f"memory {self._path}: {why}; going on without memory "
            "(if the file is damaged, move it away and a new one is begun)"
        )
