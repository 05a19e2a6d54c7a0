"""The planner: from words and a scene to a plan, a question or a refusal.

    text -> screened -> tokens -> clauses -> placements -> goal -> ordered steps

Everything is offline, deterministic, and never raises for any text.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Protocol

from lam_ros.core.scene import Literal, Scene
from lam_ros.core.skills import Skill, Step
from lam_ros.planning.choosing import Chooser, listed, missing
from lam_ros.planning.command_parser import parse_commands
from lam_ros.planning.config import PlannerConfig
from lam_ros.planning.discourse import Resolver
from lam_ros.planning.grounding import Matcher
from lam_ros.planning.interpretation import Interpreter, Placement
from lam_ros.planning.outcome import Clarify, Outcome, Plan, PlannedStep, Refuse, RefuseKind
from lam_ros.planning.placing import SKILL_OF, refuse_skill
from lam_ros.planning.screen import check_language, check_safety, check_task, check_text
from lam_ros.planning.sequence import goals_of, order
from lam_ros.planning.text import Lexer, clean, split

ALL_SKILLS = frozenset(Skill)
ANSWER_SEPARATOR = ";"
"""Between the answers to several questions about one instruction, in their order."""


class Planning(Protocol):
    """The seam: whatever turns words, or a goal that is left, into a plan."""

    def plan(self, instruction: str, scene: Scene, answer: str = "") -> Outcome:
        """Answer an instruction."""
        ...

    def replan(self, plan: Plan, remaining: Sequence[Step], scene: Scene) -> Plan | Refuse:
        """Plan anew, from what is seen now, for what is left of a plan."""
        ...


class Planner:
    """Plans for a policy that has certain skills."""

    def __init__(
        self, skills: Iterable[Skill] = ALL_SKILLS, config: PlannerConfig | None = None
    ) -> None:
        """Plan for a policy.

        Args:
            skills: what the policy was trained for.
            config: settings; the defaults if None.
        """
        self._skills = frozenset(skills)
        self._config = config or PlannerConfig()

    @property
    def config(self) -> PlannerConfig:
        """The settings."""
        return self._config

    def plan(self, instruction: str, scene: Scene, answer: str = "") -> Outcome:
        """Return a plan, a question or a refusal; never raises, whatever the text.

        Args:
            instruction: what to do, in English.
            scene: what is on the table now.
            answer: the answer to the question that an earlier call asked; several, in the
                order of the questions, with `;` between them.
        """
        problem = check_text(instruction, self._config.max_characters) or _check_scene(scene)
        if problem is None and answer:
            problem = check_text(answer, self._config.max_characters)
        if problem:
            return problem
        lexer = Lexer(scene)
        words = lexer.words(instruction)
        tokens = lexer.tokens(words)
        problem = (
            check_language(split(clean(instruction)), lexer.vocabulary)
            or check_safety(words)
            or check_safety(lexer.words(answer))
            or check_task(words, tokens)
        )
        commands = problem or parse_commands(tokens)
        if isinstance(commands, Refuse):
            return commands
        answers = [item.strip() for item in answer.split(ANSWER_SEPARATOR) if item.strip()]
        matcher = Matcher(scene, self._config)
        chooser = Chooser(scene, matcher, lexer, answers)
        resolver = Resolver(scene, self._config, matcher, chooser)
        placements = Interpreter(resolver).interpret(commands)
        if isinstance(placements, Clarify | Refuse):
            return placements
        goals = goals_of(placements, scene)
        if isinstance(goals, Refuse):
            return goals
        return self._ordered(instruction, placements, goals, scene)

    def replan(self, plan: Plan, remaining: Sequence[Step], scene: Scene) -> Plan | Refuse:
        """Return a plan for what is left of a plan in the scene as it is now.

        Args:
            plan: the plan that is being carried out.
            remaining: its steps that were not done, in order.
            scene: what is seen now.
        """
        gone = [i for step in remaining for i in (step.object_id, step.target_id)
                if i not in scene]  # fmt: skip
        gone += [i for goal in plan.goal for i in goal.args if i not in scene]
        if gone:
            return missing(gone[0], scene)
        covered = {step.goal for step in remaining}
        undone = [
            Step(SKILL_OF[goal.predicate], *goal.args)
            for goal in plan.goal
            if goal not in covered and not scene.holds(goal)
        ]
        placements = [Placement(step, k) for k, step in enumerate([*undone, *remaining])]
        return self._ordered(plan.instruction, placements, plan.goal, scene)

    def _ordered(
        self,
        instruction: str,
        placements: Sequence[Placement],
        goals: tuple[Literal, ...],
        scene: Scene,
    ) -> Plan | Refuse:
        steps = order(placements, goals, scene, self._config)
        if isinstance(steps, Refuse):
            return steps
        lacking = next((step.skill for step in steps if step.skill not in self._skills), None)
        if lacking:
            names = listed(sorted(self._skills))
            return refuse_skill(f"the policy was not trained for '{lacking}'; its skills: {names}")
        planned = tuple(PlannedStep.of(step, scene) for step in steps)
        return Plan(instruction, goals, planned)


def _check_scene(scene: Scene) -> Refuse | None:
    """Refuse a scene with positions or sizes that are no numbers."""
    for item in scene.objects:
        if not all(map(math.isfinite, (*item.position_m, *item.size_m))):
            return Refuse(
                RefuseKind.BAD_SCENE, f"scene: the position or size of {item.id} is not finite"
            )
    return None
