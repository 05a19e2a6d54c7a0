"""From what is said to what is done: plans, watches, and hears what is said meanwhile.

A `Conductor` owns the execution of one instruction at a time.  Its owner gives it scenes,
the time and how the skill stands, as `PlanExecution.tick` wants them, and what people say
in the middle of a run; it remembers what came of it and writes the decision log.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from lam_ros.core.scene import Literal, Scene
from lam_ros.planning.config import ExecutionConfig
from lam_ros.planning.correcting import for_the_other, named_again, without_step
from lam_ros.planning.decision_log import DecisionLog
from lam_ros.planning.decisions import Decision, Finished, SkillStatus, Termination
from lam_ros.planning.domain import STATES, Place, first_places
from lam_ros.planning.execution import PlanExecution
from lam_ros.planning.hearing import Word, word_of
from lam_ros.planning.memory import Episode, Memory
from lam_ros.planning.noting import Notes
from lam_ros.planning.outcome import Clarify, Outcome, Plan, Refuse, RefuseKind
from lam_ros.planning.permanence import Permanence
from lam_ros.planning.planner import ANSWER_SEPARATOR, Planning
from lam_ros.planning.progress import PlanProgress, StepStatus
from lam_ros.planning.undoing import way_back

MOST_HISTORY = 3
"""How many instructions back pronouns and ellipsis may reach."""


@dataclass(frozen=True)
class Reply:
    """What was made of something that was said in the middle of a run.

    Attributes:
        word: what it was taken for.
        text: one line for people; never empty.
    """

    word: Word
    text: str


@dataclass
class _Run:
    """One instruction that is being carried out."""

    instruction: str
    answer: str
    before: Scene
    execution: PlanExecution
    known: frozenset[str]
    gone: frozenset[str] = frozenset()
    undoes: bool = False


@dataclass(frozen=True)
class _Question:
    """An instruction that was said in the middle of a run and is not clear."""

    instruction: str
    answers: tuple[str, ...]
    text: str


class Conductor:
    """Carries out one instruction at a time, and remembers."""

    def __init__(
        self,
        planner: Planning,
        config: ExecutionConfig,
        *,
        reaches_table: bool = False,
        memory: Memory | None = None,
        log: DecisionLog | None = None,
    ) -> None:
        """Carry out nothing yet.

        Args:
            planner: makes plans.
            config: how they are carried out.
            reaches_table: whether things can be put back on the bare table.
            memory: remembers across runs; None for this conductor's life only.
            log: writes down each decision.
        """
        self._planner = planner
        self._config = config
        self._reaches_table = reaches_table
        self._memory = memory
        self._notes = Notes(log)
        self._permanence = Permanence()
        self._history: list[str] = []
        self._run: _Run | None = None
        self._last: _Run | None = None
        self._open: _Question | None = None
        self._scene: Scene | None = None
        self._now_ns = 0

    # -- one instruction -----------------------------------------------------------------

    @property
    def is_busy(self) -> bool:
        """True while an instruction is carried out."""
        return self._run is not None

    @property
    def question(self) -> str:
        """What is being asked while the arm rests; empty if nothing."""
        if self._open is not None:
            return self._open.text
        return self._run.execution.question if self._run else ""

    @property
    def goal(self) -> tuple[Literal, ...]:
        """What the plan that is carried out shall bring about."""
        return self._run.execution.plan.goal if self._run else ()

    def plan(self, instruction: str, scene: Scene, answer: str = "") -> Outcome:
        """Return what would be done, and do nothing.

        Beside what the planner understands: `do that again`, `undo`, `put it back where it
        was`, `no, the other one`.
        """
        return self._plan(instruction, self._permanence.completed(scene), answer)

    def begin(self, instruction: str, scene: Scene, answer: str, now_ns: int) -> Outcome:
        """Plan, and begin if there is a plan; else nothing is begun."""
        self._now_ns = now_ns
        self._scene = scene = self._permanence.completed(scene)
        self._notes.note(
            "instruction", f"told: “{instruction}”", {"text": instruction, "answer": answer}
        )
        self._notes.scene(scene)
        outcome = self._plan(instruction, scene, answer)
        self._notes.outcome(outcome, scene)
        if isinstance(outcome, Plan):
            execution = PlanExecution(outcome, self._planner, self._config, self._told)
            undoes = word_of(instruction) is Word.UNDO
            self._run = _Run(
                instruction, answer, scene, execution, frozenset(scene.ids), undoes=undoes
            )
        elif self._memory is not None:
            kind = "clarify" if isinstance(outcome, Clarify) else "refuse"
            text = outcome.question if isinstance(outcome, Clarify) else outcome.reason
            episode = Episode(instruction, answer, kind, message=text)
            self._memory.note(now_ns, episode, scene, scene)
        return outcome

    def tick(self, scene: Scene | None, now_ns: int, skill: SkillStatus) -> Decision | None:
        """Return what should be the case now; None if nothing is being carried out."""
        self._now_ns = now_ns
        if scene is not None:
            self._scene = scene = self._permanence.completed(scene)
        if self._run is None:
            return None
        if scene is not None:
            self._notice(self._run, scene)
        decision = self._run.execution.tick(scene, now_ns, skill)
        if isinstance(decision, Finished):
            self._finish(self._run, decision)
        return decision

    def cancel(self, reason: str = "cancelled") -> None:
        """End what is being carried out; the next ticks hold the arm, then say that it is over."""
        if self._run is not None:
            self._open = None
            self._run.execution.cancel(reason)

    def abandon(self, reason: str) -> None:
        """End it at once; whoever calls sees to it that the arm is still."""
        if self._run is not None:
            self._run.execution.cancel(reason)
            self._finish(self._run, Finished(Termination.CANCELLED, reason))

    def progress(self) -> PlanProgress | None:
        """Return how the plan stands; of the last one, when it has just ended."""
        run = self._run or self._last
        if run is None:
            return None
        progress = run.execution.progress()
        return replace(progress, state=self.question) if self.question else progress

    def _plan(self, instruction: str, scene: Scene, answer: str) -> Outcome:
        word = word_of(instruction)
        if word is Word.AGAIN:
            return self._again(scene)
        if word is Word.UNDO:
            return self._undo(scene)
        if word is Word.OTHER and (self._run or self._last):
            return self._other(scene, answer)
        remembered: Mapping[str, Place] = {}
        if self._memory is not None:
            remembered = self._memory.places_before(scene)
        if self._last is not None:
            remembered = {**remembered, **first_places(self._last.before)}
        history = self._history[-MOST_HISTORY:]
        return self._planner.plan(instruction, scene, answer, history, remembered)

    # -- what is said in the middle of a run ----------------------------------------------

    def hear(self, text: str) -> Reply:
        """Take up what a person says while an instruction is carried out; never raises."""
        word = word_of(text)
        self._notes.note(
            "heard", f"heard: “{text[:200]}”", {"text": text[:2000], "word": str(word)}
        )
        run, scene = self._run, self._scene
        if run is None or scene is None:
            reply = "nothing is being carried out"
        elif self._open is not None and word not in (Word.STOP, Word.WAIT):
            reply = self._answered(run, scene, self._open, text)
        elif word is Word.NEW:
            reply = self._instead(run, scene, text, "")
        else:
            reply = self._obey(run, scene, word)
        self._notes.note("reply", reply)
        return Reply(word, reply)

    def _obey(self, run: _Run, scene: Scene, word: Word) -> str:
        execution = run.execution
        if word is Word.STOP:
            self.cancel("stopped by a person")
            return "stopping"
        if word is Word.WAIT:
            execution.pause()
            return "waiting; say 'go on'"
        if word is Word.GO_ON:
            was_paused = execution.is_paused
            execution.go_on()
            return "going on" if was_paused else "going on, as before"
        if word is Word.SKIP:
            return self._skip(run, scene)
        if word is Word.RETRY:
            outcome = self._planner.replan(execution.plan, [], scene)
            return self._take(run, outcome, "told to try again")
        if word is Word.UNDO:
            run.undoes = True
            return self._take(run, self._undo(scene), "told to undo it")
        if word is Word.OTHER:
            return self._take(run, self._other(scene, ""), "the other one was meant")
        return "it is being done already"

    def _answered(self, run: _Run, scene: Scene, asked: _Question, text: str) -> str:
        answers = ANSWER_SEPARATOR.join((*asked.answers, text))
        self._open = None
        return self._instead(run, scene, asked.instruction, answers)

    def _instead(self, run: _Run, scene: Scene, text: str, answer: str) -> str:
        """Do something else from now on, or say why not and go on as before."""
        outcome = self._plan(text, scene, answer)
        self._notes.outcome(outcome, scene)
        if isinstance(outcome, Plan):
            self._history.append(run.instruction)
            run.instruction, run.answer = text, answer
        return self._take(run, outcome, "told something else", text, answer)

    def _take(self, run: _Run, outcome: Outcome, why: str, text: str = "", answer: str = "") -> str:
        if isinstance(outcome, Plan):
            run.execution.take(outcome, why)
            run.execution.go_on()
            return f"{why}: {outcome.message}"
        if isinstance(outcome, Clarify) and text:
            answers = tuple(item for item in answer.split(ANSWER_SEPARATOR) if item)
            run.execution.pause()
            self._open = _Question(text, answers, outcome.question)
            return outcome.question
        run.execution.go_on()
        reason = outcome.question if isinstance(outcome, Clarify) else outcome.reason
        return f"going on as before: {reason}"

    def _skip(self, run: _Run, scene: Scene) -> str:
        plan = run.execution.plan
        left = without_step(run.execution.progress(), plan)
        if left is None:
            self.cancel("the last step was skipped, as told")
            return "skipped; nothing else is left"
        outcome = self._planner.replan(left, [], scene)
        return self._take(run, outcome, "told to skip it")

    # -- again, back, the other one --------------------------------------------------------

    def _again(self, scene: Scene) -> Outcome:
        last = self._last
        text, answer = (last.instruction, last.answer) if last else ("", "")
        if not text and self._memory is not None and (episode := self._memory.last()):
            text, answer = episode.text, episode.answer
        if not text or word_of(text) is Word.AGAIN:
            return Refuse(
                RefuseKind.NOT_A_TASK, "there is nothing to do again: nothing was done yet"
            )
        return self._plan(text, scene, answer)

    def _undo(self, scene: Scene) -> Outcome:
        run = self._run or self._last
        if run is not None:
            done = run.execution.progress().steps
            rows = [step.planned for step in done if step.status is StepStatus.DONE]
            started = [s.planned for s in done if s.attempts and s.status is not StepStatus.DONE]
            ids = [step.step.object_id for step in rows]
            # What a step that was broken off has taken up or dropped goes back, too.
            before = run.before
            ids += [
                s.step.object_id for s in started if _has_moved(s.step.object_id, before, scene)
            ]
            states = [s.effect for s in rows if s.effect and s.effect.predicate in STATES]
            was = first_places(before).copy()
        else:
            remembered = self._memory.places_before(scene) if self._memory else {}
            ids, was, states, before = list(remembered), dict(remembered), [], None
            if self._memory is not None:
                before = self._memory.scene_before()
        goals = way_back(ids, was, states, before, scene, reaches_table=self._reaches_table)
        if isinstance(goals, Refuse):
            return goals
        return self._planner.replan(Plan("undo: put back what was moved", goals, ()), [], scene)

    def _other(self, scene: Scene, answer: str) -> Outcome:
        run = self._run or self._last
        assert run is not None
        goal = for_the_other(run.execution.progress(), run.execution.plan, scene, answer)
        if isinstance(goal, Clarify | Refuse):
            return goal
        wrong, goals = goal
        text = named_again(run.execution.plan.instruction)
        if _has_moved(wrong, run.before, scene):
            back = way_back(
                [wrong],
                first_places(run.before),
                [],
                run.before,
                scene,
                reaches_table=self._reaches_table,
                busy=frozenset(goal.args[0] for goal in goals),
            )
            if not isinstance(back, Refuse):
                both = self._planner.replan(Plan(text, (*back, *goals), ()), [], scene)
                if isinstance(both, Plan):
                    return both
        return self._planner.replan(Plan(text, goals, ()), [], scene)

    # -- noticing, remembering, writing down ------------------------------------------------

    def _notice(self, run: _Run, scene: Scene) -> None:
        """See what a person has brought or taken; what `all` now means beside is done, too."""
        ids = frozenset(scene.ids)
        new, gone = ids - run.known, run.known - ids - run.gone
        run.known |= ids
        run.gone = (run.gone | gone) - ids
        if gone:
            self._notes.note("noticed", f"not seen any more: {', '.join(sorted(gone))}")
        if not new:
            return
        self._notes.note(
            "noticed", f"new on the table: {', '.join(sorted(new))}", {"new": sorted(new)}
        )
        if run.undoes or word_of(run.instruction) is not Word.NEW:
            return
        plan = run.execution.plan
        outcome = self._planner.plan(run.instruction, scene, run.answer)
        if not isinstance(outcome, Plan):
            return
        extra = [g for g in outcome.goal if g not in plan.goal]
        if extra and set(plan.goal) <= set(outcome.goal) and all(new & set(g.args) for g in extra):
            more = self._planner.replan(Plan(plan.instruction, outcome.goal, ()), [], scene)
            if isinstance(more, Plan):
                run.execution.extend(more, f"{', '.join(sorted(new))} is meant, too")

    def _finish(self, run: _Run, over: Finished) -> None:
        self._run, self._last, self._open = None, run, None
        self._history.append(run.instruction)
        progress = run.execution.progress()
        facts = {"termination": over.termination.name.lower(), "replans": progress.replans,
                 "goal": [str(g) for g in run.execution.plan.goal]}  # fmt: skip
        self._notes.note("end", f"over: {over.message}", facts)
        if self._memory is None or self._scene is None:
            return
        plan = run.execution.plan
        episode = Episode(
            run.instruction, run.answer, "plan", tuple(map(str, plan.goal)),
            tuple(step.planned.to_dict() for step in progress.steps),
            over.termination.name.lower(), over.message,
        )  # fmt: skip
        self._memory.note(self._now_ns, episode, run.before, self._scene)
        self._memory.note_moved(run.before, self._scene)

    def _told(self, kind: str, text: str, facts: Mapping[str, Any]) -> None:
        """Hear what happens in the execution."""
        self._notes.note(kind, text, facts)
        step = facts.get("step")
        worked = kind == "step" and facts.get("status") == "done" and facts.get("attempts")
        if (
            self._memory is None
            or not isinstance(step, Mapping)
            or not (worked or kind == "failed")
        ):
            return
        scene, item = self._scene, str(step["object"])
        of_kind = scene[item].kind if scene is not None and item in scene else ""
        self._memory.note_try(self._now_ns, str(step["skill"]), of_kind, success=bool(worked))


def _has_moved(item: str, before: Scene, scene: Scene) -> bool:
    """Tell whether an object is held, or rests elsewhere than before."""
    if item not in before or item not in scene:
        return False
    if scene.held == item or first_places(before)[item] != first_places(scene)[item]:
        return True
    return scene[item].distance_xy_m(before[item]) > 0.03
