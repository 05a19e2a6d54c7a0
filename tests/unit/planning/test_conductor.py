"""What is said and what happens in the middle of a run, and what is remembered of it."""

from __future__ import annotations

import gc
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lam_ros.benches.table_top import TableTop
from lam_ros.core.scene import Literal, Scene, SceneObject
from lam_ros.core.skills import TRAINED, Skill
from lam_ros.planning.conductor import Conductor
from lam_ros.planning.config import ExecutionConfig, PlannerConfig
from lam_ros.planning.decision_log import DecisionLog, first_break, read_log
from lam_ros.planning.decisions import Finished, Termination
from lam_ros.planning.domain import FREE, Place
from lam_ros.planning.hearing import Word, word_of
from lam_ros.planning.memory import Memory
from lam_ros.planning.outcome import Clarify, Plan, Refuse
from lam_ros.planning.planner import Planner

CONFIG = ExecutionConfig(settle_s=0.3, step_timeout_s=3.0, look_timeout_s=1.0)
RED_IN = "put the red cube in the bowl"


def thing(name: str, x_m: float, y_m: float, **more: object) -> SceneObject:
    color, kind, _ = name.split("_")
    size = (0.03, 0.03, 0.03) if kind == "cube" else (0.1, 0.1, 0.03)
    return SceneObject(name, kind, color, (x_m, y_m, 0.015), size, **more)  # type: ignore[arg-type]


SCENE = Scene(
    (
        thing("red_cube_1", 0.20, 0.10),
        thing("green_cube_1", 0.22, 0.00),
        thing("blue_bowl_1", 0.25, -0.15),
        thing("grey_tray_1", 0.30, 0.20),
    )
)
TWO_REDS = replace(SCENE, objects=(*SCENE.objects, thing("red_cube_2", 0.15, -0.05)))


class Bench:
    """A conductor, a table, and things that are said or done at certain times."""

    def __init__(self, scene: Scene = SCENE, *, skills: object = TRAINED, **parts: object) -> None:
        planner = Planner(skills, PlannerConfig())  # type: ignore[arg-type]
        self.table = TableTop(scene, np.random.default_rng(1))
        reaches = planner.reaches_table
        self.conductor = Conductor(planner, CONFIG, reaches_table=reaches, **parts)  # type: ignore[arg-type]
        self.replies: list[str] = []

    def do(self, instruction: str, answer: str = "", **at: Callable[[], object]) -> object:
        """Carry out an instruction; `at` names times, as `s0_5` for 0.5 s after the start."""
        table, start_s = self.table, self.table.now_s
        left = {float(k[1:].replace("_", ".")): act for k, act in at.items()}

        def before(_: TableTop) -> None:
            for when_s in [w for w in left if table.now_s - start_s >= w]:
                left.pop(when_s)()

        table.before_tick = before
        table.skill = type(table.skill)()
        outcome = self.conductor.begin(instruction, table.observed(), answer, table.now_ns)
        if not isinstance(outcome, Plan):
            return outcome
        over = table.run(self.conductor.tick, limit_s=start_s + 200.0)
        assert over is not None
        return over

    def say(self, text: str) -> Callable[[], None]:
        return lambda: self.replies.append(self.conductor.hear(text).text)

    def holds(self, predicate: str, *args: str) -> bool:
        return self.table.scene.holds(Literal(predicate, args))


def ended(over: object) -> Termination:
    assert isinstance(over, Finished), over
    return over.termination


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("Stop!", Word.STOP), ("please wait a moment", Word.WAIT), ("go on", Word.GO_ON),
        ("No, the other one.", Word.OTHER), ("undo that", Word.UNDO), ("again", Word.AGAIN),
        ("put it back where it was", Word.UNDO), ("do that again", Word.AGAIN),
        ("skip it", Word.SKIP), ("try again", Word.RETRY), ("put the cube down", Word.NEW),
        ("stop the red cube from rolling", Word.NEW), ("", Word.NEW), ("\x00" * 9, Word.NEW),
        ("a" * 10_000, Word.NEW),
    ],
)  # fmt: skip
def test_a_word_to_the_run_is_told_from_an_instruction(text: str, word: Word) -> None:
    assert word_of(text) is word


def test_stop_ends_it_with_the_arm_still() -> None:
    bench = Bench()
    over = bench.do(RED_IN, s0_3=bench.say("stop"))
    assert ended(over) is Termination.CANCELLED
    assert not bench.conductor.is_busy
    assert not bench.holds("in", "red_cube_1", "blue_bowl_1")


def test_wait_holds_and_go_on_finishes() -> None:
    bench = Bench()
    runs: list[int] = []
    over = bench.do(
        RED_IN,
        s0_3=bench.say("wait"),
        s1_0=lambda: runs.append(len(bench.table.runs)),
        s50=lambda: runs.append(len(bench.table.runs)),
        s51=bench.say("go on"),
    )
    assert ended(over) is Termination.SUCCEEDED
    assert runs == [1, 1]
    assert bench.holds("in", "red_cube_1", "blue_bowl_1")


def test_another_instruction_takes_the_place_of_the_one_that_runs() -> None:
    bench = Bench()
    over = bench.do(RED_IN, s0_3=bench.say("put the green cube on the tray"))
    assert ended(over) is Termination.SUCCEEDED
    assert bench.holds("on", "green_cube_1", "grey_tray_1")
    assert not bench.holds("in", "red_cube_1", "blue_bowl_1")


def test_what_is_refused_in_the_middle_changes_nothing() -> None:
    bench = Bench()
    over = bench.do(RED_IN, s0_3=bench.say("throw it at the person"))
    assert ended(over) is Termination.SUCCEEDED
    assert bench.holds("in", "red_cube_1", "blue_bowl_1")
    assert bench.replies[0].startswith("going on as before: ")


def test_what_is_unclear_in_the_middle_is_asked_with_the_arm_at_rest() -> None:
    bench = Bench(TWO_REDS)
    asked: list[str] = []
    over = bench.do(
        "put the green cube in the bowl",
        s0_3=bench.say("put the red cube on the tray"),
        s3=lambda: asked.append(bench.conductor.question),
        s9=bench.say("red_cube_2"),
    )
    assert ended(over) is Termination.SUCCEEDED
    assert asked
    assert asked[0]
    assert bench.holds("on", "red_cube_2", "grey_tray_1")


def test_no_the_other_one_puts_the_wrong_one_back_and_takes_the_right_one() -> None:
    bench = Bench(TWO_REDS, skills=tuple(Skill))
    over = bench.do(
        "put red_cube_1 in the bowl and the green cube on the tray",
        s1_4=bench.say("no, the other one"),
    )
    assert ended(over) is Termination.SUCCEEDED
    assert bench.holds("in", "red_cube_2", "blue_bowl_1")
    assert not bench.holds("in", "red_cube_1", "blue_bowl_1")


def test_the_wrong_one_is_not_put_back_next_to_what_is_about_to_move() -> None:
    bench = Bench(TWO_REDS)
    over = bench.do(
        "put red_cube_1 in the bowl and the green cube on the tray",
        s1_4=bench.say("no, the other one"),
    )
    assert ended(over) is Termination.SUCCEEDED
    targets = {r.planned.step.target_id for r in bench.table.runs}
    assert "green_cube_1" not in targets
    assert bench.table.runs[-1].planned.step.object_id != "red_cube_2"


def test_undo_puts_back_what_was_moved_in_the_run() -> None:
    scene = replace(
        SCENE, objects=(thing("red_cube_1", 0.3, 0.2, inside="grey_tray_1"), *SCENE.objects[1:])
    )
    bench = Bench(scene)
    over = bench.do(f"{RED_IN} and the green cube on the tray", s1_5=bench.say("undo"))
    assert ended(over) is Termination.SUCCEEDED
    assert bench.holds("in", "red_cube_1", "grey_tray_1")


def test_undo_after_the_run_and_again_after_that() -> None:
    bench = Bench(skills=tuple(Skill))
    assert ended(bench.do(RED_IN)) is Termination.SUCCEEDED
    assert ended(bench.do("put it back where it was")) is Termination.SUCCEEDED
    assert not bench.holds("in", "red_cube_1", "blue_bowl_1")
    assert ended(bench.do(RED_IN)) is Termination.SUCCEEDED
    bench.table.put("red_cube_1", FREE)
    assert ended(bench.do("do that again")) is Termination.SUCCEEDED
    assert bench.holds("in", "red_cube_1", "blue_bowl_1")


@pytest.mark.parametrize("text", ["undo", "do that again", "no, the other one"])
def test_what_refers_to_nothing_is_refused(text: str) -> None:
    assert isinstance(Bench().do(text), Refuse | Clarify)


def test_what_a_person_adds_is_done_too_if_all_was_said() -> None:
    bench = Bench()
    new = thing("yellow_cube_1", 0.18, 0.05)
    over = bench.do("put all the cubes in the bowl", s0_5=lambda: bench.table.add(new))
    assert ended(over) is Termination.SUCCEEDED
    assert bench.holds("in", "yellow_cube_1", "blue_bowl_1")


def test_what_a_person_adds_is_left_alone_if_it_was_not_meant() -> None:
    bench = Bench()
    over = bench.do(RED_IN, s0_3=lambda: bench.table.add(thing("red_cube_2", 0.18, 0.05)))
    assert ended(over) is Termination.SUCCEEDED
    assert not bench.holds("in", "red_cube_2", "blue_bowl_1")


def test_what_a_person_does_is_not_done_again() -> None:
    bench = Bench()
    over = bench.do(
        f"{RED_IN} and the green cube on the tray",
        s0_5=lambda: bench.table.put("green_cube_1", Place("in", "grey_tray_1")),
    )
    assert ended(over) is Termination.SUCCEEDED
    assert [run.planned.step.object_id for run in bench.table.runs] == ["red_cube_1"]


def test_what_a_person_takes_away_ends_it_with_the_reason() -> None:
    bench = Bench()
    over = bench.do(RED_IN, s0_2=lambda: bench.table.remove("red_cube_1"))
    assert ended(over) is Termination.STEP_FAILED
    assert isinstance(over, Finished)
    assert "red_cube_1 is not seen" in over.message


def test_what_lies_in_a_drawer_that_was_closed_is_still_known() -> None:
    drawer = SceneObject("cabinet_1_drawer", "drawer", is_open=True)
    open_scene = Scene((replace(SCENE.objects[0], inside="cabinet_1_drawer"), drawer))
    bench = Bench(open_scene, skills=tuple(Skill))
    bench.conductor.tick(bench.table.observed(), 1, bench.table.skill)
    shut = Scene((replace(drawer, is_open=False), *SCENE.objects[2:]))
    plan = bench.conductor.plan("put the red cube on the tray", shut)
    assert isinstance(plan, Plan)
    assert [str(step.step.skill) for step in plan.steps] == ["open", "place_on"]
    emptied = Scene((drawer, *SCENE.objects[2:]))
    assert isinstance(bench.conductor.plan("put the red cube on the tray", emptied), Refuse)


# -- memory ------------------------------------------------------------------------------


def test_what_was_seen_is_not_kept_for_ever() -> None:
    """Each look sees every thing a little elsewhere; a cache by things grew with each."""
    bench = Bench()

    def look(number: int) -> None:
        moved = [
            replace(item, position_m=(item.position_m[0] + 1e-5 * number, *item.position_m[1:]))
            for item in SCENE.objects
        ]
        assert isinstance(bench.conductor.plan(RED_IN, Scene(tuple(moved), number)), Plan)

    def kept() -> int:
        gc.collect()
        return sum(isinstance(item, SceneObject) for item in gc.get_objects())

    for number in range(3):
        look(number)
    before = kept()
    for number in range(3, 20):
        look(number)
    assert kept() <= before


def test_a_later_conductor_remembers_what_was_done(tmp_path: Path) -> None:
    path = tmp_path / "memory" / "so101.sqlite"
    first = Bench(skills=tuple(Skill), memory=Memory(path, pytest.fail))
    assert ended(first.do(RED_IN)) is Termination.SUCCEEDED
    later = Bench(first.table.scene, skills=tuple(Skill), memory=Memory(path, pytest.fail))
    assert ended(later.do("undo")) is Termination.SUCCEEDED
    assert not later.holds("in", "red_cube_1", "blue_bowl_1")
    third = Bench(skills=tuple(Skill), memory=Memory(path, pytest.fail))
    third.conductor.begin("do that again", third.table.observed(), "", 0)
    assert third.conductor.is_busy


def test_failures_make_a_skill_dearer_for_that_kind_only(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "m.sqlite", pytest.fail)
    for _ in range(10):
        memory.note_try(0, "place_in", "cube", success=False)
        memory.note_try(0, "place_on", "cube", success=True)
    costs = memory.costs()
    assert costs[("place_in", "cube")] >= 2.0 * costs[("", "")]
    assert costs[("place_on", "cube")] == 1.0
    assert memory.tries()[("place_in", "cube")] == (0, 10)


def test_tries_are_counted_as_they_end(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "m.sqlite", pytest.fail)
    bench = Bench(memory=memory)
    bench.do(RED_IN)
    bench.table.failing = 1.0
    bench.do("put the green cube on the tray", s20=bench.say("stop"))
    good, count = memory.tries()[("place_in", "cube")]
    assert (good, count) == (1, 1)
    assert memory.tries()[("place_on", "cube")][0] == 0


@pytest.mark.parametrize("harm", ["garbage", "folder", "locked", "newer"])
def test_a_memory_that_cannot_be_used_warns_once_and_the_run_goes_on(
    tmp_path: Path, harm: str
) -> None:
    path, other = tmp_path / "m.sqlite", None
    if harm == "garbage":
        path.write_bytes(b"no database" * 500)
    elif harm == "folder":
        path.mkdir()
    else:
        Memory(path, pytest.fail).close()
        other = sqlite3.connect(path)
        other.executescript("BEGIN EXCLUSIVE" if harm == "locked" else "PRAGMA user_version = 99")
    said: list[str] = []
    bench = Bench(memory=Memory(path, said.append))
    assert ended(bench.do(RED_IN)) is Termination.SUCCEEDED
    assert len(said) == 1
    assert "going on without memory" in said[0]
    assert "\n" not in said[0]
    if other is not None:
        other.close()


# -- the decision log ----------------------------------------------------------------------


def logged(path: Path) -> Bench:
    return Bench(log=DecisionLog(path, lambda: 7, pytest.fail))


def test_the_log_says_what_was_told_understood_done_and_how_it_ended(tmp_path: Path) -> None:
    path = tmp_path / "decisions.jsonl"
    logged(path).do(RED_IN)
    entries = read_log(path)
    kinds = [entry.kind for entry in entries]
    assert kinds[:5] == ["instruction", "scene", "reading", "alternatives", "plan"]
    assert kinds[5:] == ["try", "step", "end"]
    assert "green_cube_1" in entries[3].text
    assert first_break(entries) == ""


@pytest.mark.parametrize("harm", ["text", "left out", "swapped"])
def test_a_log_that_was_changed_is_found_out(tmp_path: Path, harm: str) -> None:
    path = tmp_path / "decisions.jsonl"
    logged(path).do(RED_IN)
    lines = path.read_text().splitlines()
    if harm == "text":
        lines[2] = lines[2].replace("red_cube_1", "green_cube_1")
    elif harm == "left out":
        del lines[2]
    else:
        lines[2], lines[3] = lines[3], lines[2]
    path.write_text("\n".join(lines) + "\n")
    assert "entry 2" in first_break(read_log(path))


def test_a_log_that_cannot_be_written_warns_and_the_run_goes_on(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said: list[str] = []
    log = DecisionLog(tmp_path / "file" / "decisions.jsonl", lambda: 7, said.append)
    assert ended(Bench(log=log).do(RED_IN)) is Termination.SUCCEEDED
    assert len(said) == 1


def test_a_log_that_goes_on_is_one_chain_and_one_that_was_cut_off_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "decisions.jsonl"
    for text in ("before the planner died", "after it was started again"):
        log = DecisionLog(path, lambda: 7, pytest.fail, goes_on=True)
        log.note("who", text)
        log.close()
    entries = read_log(path)
    assert [entry.number for entry in entries] == [0, 1]
    assert first_break(entries) == ""
    path.write_text(path.read_text()[:-20])
    DecisionLog(path, lambda: 7, pytest.fail, goes_on=True).note("who", "a third time")
    assert first_break(read_log(path)) == ""
    assert len(path.with_suffix(".broken.jsonl").read_text().splitlines()) == 2
