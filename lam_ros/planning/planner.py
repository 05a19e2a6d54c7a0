"""The planner: from words and a scene to a plan, a question or a refusal.

    text -> screened -> tokens -> clauses -> placements -> goal -> ordered steps

Everything is offline, deterministic, and never raises for any text.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from lam_ros.core.scene import Literal, Scene
from lam_ros.core.skills import EFFECT, TRAINED, Skill, Step
from lam_ros.planning.choosing import Chooser, listed, missing
from lam_ros.planning.command_parser import parse_commands
from lam_ros.planning.config import PlannerConfig
from lam_ros.planning.discourse import Resolver
from lam_ros.planning.domain import Place, World, effect_of, step_for
from lam_ros.planning.grounding import Matcher
from lam_ros.planning.hazards import check_heat
from lam_ros.planning.interpretation import Interpreter, Placement
from lam_ros.planning.names import words_of
from lam_ros.planning.outcome import Clarify, Outcome, Plan, PlannedStep, Refuse, RefuseKind
from lam_ros.planning.picturing import arrangement, means_picture
from lam_ros.planning.placing import predicate_for, refuse_skill
from lam_ros.planning.screen import check_language, check_safety, check_task, check_text
from lam_ros.planning.search import TABLE_ID, Abilities
from lam_ros.planning.seeing import is_known
from lam_ros.planning.sequence import goals_of, order
from lam_ros.planning.text import Lexer, clean, split

ANSWER_SEPARATOR = ";"
"""Between the answers to several questions about one instruction, in their order."""


@dataclass(frozen=True)
class Request:
    """An instruction, and what its words may refer to.

    Attributes:
        instruction: what to do, in English.
        scene: what is on the table now.
        answer: the answer to the question that an earlier call asked; several, in the order
            of the questions, with `;` between them.
        history: what was said before, oldest first, for `then the green one too`.
        remembered: where objects were before they were moved, for `put it back`.
    """

    instruction: str
    scene: Scene
    answer: str = ""
    history: tuple[str, ...] = ()
    remembered: Mapping[str, Place] = field(default_factory=dict)


class Planning(ABC):
    """The seam: whatever turns words, or a goal that is left, into a plan."""

    def plan(
        self,
        instruction: str,
        scene: Scene,
        answer: str = "",
        history: Sequence[str] = (),
        remembered: Mapping[str, Place] | None = None,
    ) -> Outcome:
        """Answer an instruction; the arguments are those of `Request`."""
        request = Request(instruction, scene, answer, tuple(history), remembered or {})
        return self.answered(request)

    @abstractmethod
    def answered(self, request: Request) -> Outcome:
        """Return a plan, a question or a refusal; never raises, whatever the text."""

    @abstractmethod
    def replan(self, plan: Plan, remaining: Sequence[Step], scene: Scene) -> Plan | Refuse:
        """Plan anew, from what is seen now, for what is left of a plan."""


class Planner(Planning):
    """Plans for a policy that has certain skills."""

    def __init__(
        self,
        skills: Iterable[Skill] = TRAINED,
        config: PlannerConfig | None = None,
        costs: Callable[[], Mapping[tuple[str, str], float]] = dict,
    ) -> None:
        """Plan for a policy.

        Args:
            skills: what the policy was trained for.
            config: settings; the defaults if None.
            costs: returns what each skill costs for a kind of object, from experience.
        """
        self._costs = costs
        self._skills = frozenset(skills)
        self._config = config or PlannerConfig()
        self._picture: Scene | None = None

    @property
    def config(self) -> PlannerConfig:
        """The settings."""
        return self._config

    def answered(self, request: Request) -> Outcome:
        """Return a plan, a question or a refusal; never raises, whatever the text."""
        instruction, scene, answer = request.instruction, request.scene, request.answer
        problem = check_text(instruction, self._config.max_characters) or _check_scene(scene)
        if problem is None and answer:
            problem = check_text(answer, self._config.max_characters)
        if problem:
            return problem
        if means_picture(instruction):
            return self._plan_picture(instruction, scene)
        lexer = Lexer(scene)
        words = lexer.words(instruction)
        tokens = lexer.tokens(words)
        things = frozenset[str]().union(*map(words_of, scene.objects))
        problem = (
            check_language(split(clean(instruction)), lexer.vocabulary)
            or check_safety(split(clean(instruction)), things)  # before spelling is mended, too
            or check_safety(words, things)
            or check_safety(lexer.words(answer))
            or check_task(words, tokens)
        )
        commands = problem or parse_commands(tokens, self._skills)
        if isinstance(commands, Refuse):
            return commands
        answers = [item.strip() for item in answer.split(ANSWER_SEPARATOR) if item.strip()]
        matcher = Matcher(scene, self._config)
        chooser = Chooser(scene, matcher, lexer, answers)
        resolver = Resolver(scene, self._config, matcher, chooser)
        self._recall(request.history, lexer, resolver)
        interpreter = Interpreter(resolver, self._skills, request.remembered)
        placements = interpreter.interpret(commands)
        if isinstance(placements, Clarify | Refuse):
            return placements
        if not placements:
            note = f"nothing to do: {'; '.join(interpreter.unmet)[:200]}"
            return Plan(instruction, (), (), note)
        goals = goals_of(placements, scene)
        if isinstance(goals, Refuse):
            return goals
        return self._ordered(instruction, placements, goals, scene, resolver.spoken.protected)

    def _recall(self, history: Sequence[str], lexer: Lexer, resolver: Resolver) -> None:
        """Let pronouns and ellipsis refer to what was said before, where it is understood."""
        for said in history:
            if check_text(said, self._config.max_characters):
                continue
            commands = parse_commands(lexer.tokens(lexer.words(said)), self._skills)
            if not isinstance(commands, Refuse):
                chooser = resolver.chooser
                kept, chooser.answers = chooser.answers, ()
                Interpreter(resolver, self._skills).interpret(commands)
                chooser.answers = kept
                resolver.spoken = replace(resolver.spoken, protected=frozenset())

    def replan(self, plan: Plan, remaining: Sequence[Step], scene: Scene) -> Plan | Refuse:
        """Return a plan for what is left of a plan in the scene as it is now.

        Args:
            plan: the plan that is being carried out.
            remaining: its steps that were not done, in order.
            scene: what is seen now.
        """
        gone = [i for step in remaining for i in (step.object_id, step.target_id)
                if not is_known(i, scene)]  # fmt: skip
        gone += [i for goal in plan.goal for i in goal.args if not is_known(i, scene)]
        if gone:
            return missing(gone[0], scene)
        covered = {effect_of(step, scene) for step in remaining}
        undone = [
            step_for(goal)
            for goal in plan.goal
            if goal not in covered and not World(scene).holds(goal)
        ]
        placements = [Placement(step, k) for k, step in enumerate([*undone, *remaining])]
        return self._ordered(plan.instruction, placements, plan.goal, scene)

    def show(self, wanted: Scene) -> None:
        """Take in what a picture shows, for `make it look like this`."""
        self._picture = wanted

    def _plan_picture(self, instruction: str, scene: Scene) -> Plan | Refuse:
        if self._picture is None:
            return Refuse(
                RefuseKind.NO_PICTURE,
                "no picture was given; show one with --goal-image, or on lam/goal_image",
            )
        return self.plan_like(instruction, self._picture, scene)

    def plan_like(self, instruction: str, wanted: Scene, scene: Scene) -> Plan | Refuse:
        """Return a plan after which a scene looks like a wanted one.

        Args:
            instruction: what it answers, for people.
            wanted: what a picture shows.
            scene: what is on the table now.
        """
        problem = _check_scene(wanted) or _check_scene(scene)
        if problem:
            return problem
        frees = self._able(frozenset()).reaches_table
        found = arrangement(wanted, scene, self._config.can_move, frees=frees)
        if isinstance(found, Refuse):
            return found
        left = f"the picture also shows what is not there: {listed(found.absent)}"
        note = left if found.absent else ""
        if not found.goals:
            return Plan(
                instruction, (), (), note or "the table looks like the picture already", note
            )
        plan = self.plan_goals(instruction, found.goals, scene)
        return replace(plan, remark=note) if isinstance(plan, Plan) else plan

    @property
    def reachable_predicates(self) -> frozenset[str]:
        """What a literal may say so that some skill brings it about."""
        return frozenset(EFFECT[skill] for skill in self._skills if skill in EFFECT)

    def plan_goals(self, instruction: str, goals: Sequence[Literal], scene: Scene) -> Plan | Refuse:
        """Return a plan for goals that somebody proposes, verified as those of words are.

        Args:
            instruction: what they answer, for people.
            goals: what shall hold in the end.
            scene: what is on the table now.
        """
        problem = _check_scene(scene)
        if problem:
            return problem
        for name in (name for goal in goals for name in goal.args):
            if name not in scene and name != TABLE_ID:
                return missing(name, scene)
        placements = [Placement(step_for(_as_done(goal, scene))) for goal in goals]
        checked = goals_of(placements, scene)
        if isinstance(checked, Refuse):
            return checked
        return self._ordered(instruction, placements, checked, scene)

    def _able(self, protected: frozenset[str]) -> Abilities:
        return Abilities(self._skills, self._config.can_move, protected, self._costs())

    @property
    def reaches_table(self) -> bool:
        """True if things can be put on the bare table."""
        return self._able(frozenset()).reaches_table

    def _ordered(
        self,
        instruction: str,
        placements: Sequence[Placement],
        goals: tuple[Literal, ...],
        scene: Scene,
        protected: frozenset[str] = frozenset(),
    ) -> Plan | Refuse:
        if problem := check_heat(goals, scene):
            return problem
        steps = order(placements, goals, scene, self._config, self._able(protected))
        if isinstance(steps, Refuse):
            return steps
        lacking = next((step.skill for step in steps if step.skill not in self._skills), None)
        if lacking:
            names = listed(sorted(self._skills))
            return refuse_skill(f"the policy was not trained for '{lacking}'; its skills: {names}")
        planned = tuple(PlannedStep.of(step, scene) for step in steps)
        return Plan(instruction, goals, planned)


def _as_done(goal: Literal, scene: Scene) -> Literal:
    """Return a literal as skills bring it about: nothing is `in` a spot."""
    if goal.predicate not in ("in", "on") or goal.args[1] not in scene:
        return goal
    return Literal(predicate_for(goal.predicate, scene[goal.args[1]]), goal.args)


def _check_scene(scene: Scene) -> Refuse | None:
    """Refuse a scene with positions or sizes that are no numbers."""
    for item in scene.objects:
        if not all(map(math.isfinite, (*item.position_m, *item.size_m))):
            return Refuse(
                RefuseKind.BAD_SCENE, f"scene: the position or size of {item.id} is not finite"
            )
    return None
