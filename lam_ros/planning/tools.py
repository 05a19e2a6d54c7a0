"""Tools: what can be done beside the policy's skills, with the same typed needs and effects.

A tool either brings a skill's effect about for some objects (`skill: turn_on`, `kinds:
[lamp]`), or is called by words of its own (`says: [ring the bell]`), or both.  What it needs
is planned for like any other goal, and looked for again before it is called.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from lam_ros.core.errors import ConfigError, unknown_name
from lam_ros.core.scene import PREDICATES, Literal, Scene, SceneObject
from lam_ros.core.skills import Skill, Step
from lam_ros.planning.domain import STATES, World
from lam_ros.planning.outcome import Outcome, Plan, PlannedStep, Refuse, RefuseKind
from lam_ros.planning.planner import Planning, Request
from lam_ros.planning.screen import check_text
from lam_ros.planning.search import Abilities, Stuck, plan_for

MOST_CHARACTERS = 2000
"""Of an instruction in which tools are looked for."""

OBJECT = "?object"
"""Stands in a need for the object that the tool is used on."""

_SEPARATOR = re.compile(r"\s*(?:;|,?\s*\b(?:and\s+)?then\b|,?\s+and\s+|,)\s*", re.IGNORECASE)
_SLOTS = {"{text}": "(.+)", "{number}": r"(\d{1,3}(?:\.\d{1,3})?)"}
_LITERAL = re.compile(r"(\w+)\(\s*([^()]*?)\s*\)")


@dataclass(frozen=True)
class Tool:
    """One tool.

    Attributes:
        name: unique.
        says: what a person says to have it used; `{text}` stands for any words, `{number}`
            for a number below 1000.
        skill: whose effect it brings about; one of an object's states, or empty.
        kinds: kinds of the objects for which it does so.
        needs: literals that must hold before, as `closed(?object)`.
        service, action: name on the graph that is called.
        type: of the service or the action, as `std_srvs/srv/Trigger`.
        request: its fields; `{text}` and `{object}` are filled in.
        call: a Python function of the words and the object, for tools of an entry point; it
            returns one line, or raises.
        builtin: one of `look_again`, `say`, `ask`, `home` and `wait`.
        timeout_s: after which it has failed.
    """

    name: str
    says: tuple[str, ...] = ()
    skill: str = ""
    kinds: frozenset[str] = frozenset()
    needs: tuple[str, ...] = ()
    service: str = ""
    action: str = ""
    type: str = ""
    request: Mapping[str, Any] = field(default_factory=dict)
    call: Callable[[str, str], str] | None = None
    builtin: str = ""
    timeout_s: float = 10.0

    def __post_init__(self) -> None:
        """Refuse a tool that nothing can use, or that is nothing."""
        ways = [self.service, self.action, self.call, self.builtin]
        if sum(bool(way) for way in ways) != 1:
            raise ConfigError(
                f"tool '{self.name}': one of service, action, builtin or a Python function is "
                "needed, and only one"
            )
        if (self.service or self.action) and self.type.count("/") != 2:
            raise ConfigError(
                f"tool '{self.name}': type '{self.type}' came; one like std_srvs/srv/Trigger is needed"
            )
        if not self.says and not self.skill:
            raise ConfigError(f"tool '{self.name}': says or skill is needed, or it is never used")
        if self.skill:
            allowed = [str(skill) for skill in STATES.values() if skill is not Skill.PICK]
            if self.skill not in allowed:
                raise ConfigError(
                    f"tool '{self.name}': {unknown_name('skill', self.skill, allowed)}"
                )
            if not self.kinds:
                raise ConfigError(f"tool '{self.name}': kinds are needed beside skill")
        if not self.timeout_s > 0:
            raise ConfigError(f"tool '{self.name}': timeout_s {self.timeout_s} is not positive")
        for need in self.needs:
            _read(need, self.name)

    def needed(self, object_id: str) -> tuple[Literal, ...]:
        """Return what must hold before it is used on an object."""
        read = [_read(need, self.name) for need in self.needs]
        return tuple(
            Literal(p, tuple(object_id if a == OBJECT else a for a in args)) for p, args in read
        )

    def heard_in(self, words: str) -> str | None:
        """Return what stands for `{text}` if the words ask for this tool, else None."""
        said = " ".join(words.lower().strip(" .!?").split())
        said = re.sub(r"^please | please$", "", said)
        for pattern in self.says:
            parts = re.split(r"(\{text\}|\{number\})", pattern.lower())
            found = re.fullmatch("".join(_SLOTS.get(p, re.escape(p)) for p in parts), said)
            if found:
                return found.group(1) if found.groups() else ""
        return None

    def does(self, step: Step, scene: Scene) -> bool:
        """Tell whether it brings a step's effect about."""
        known = step.object_id in scene
        return known and self.skill == step.skill and scene[step.object_id].kind in self.kinds


def _read(need: str, tool: str) -> tuple[str, tuple[str, ...]]:
    found = _LITERAL.fullmatch(need.strip())
    args = tuple(a.strip() for a in found.group(2).split(",")) if found else ()
    if found is None or PREDICATES.get(found.group(1)) != len(args) or not all(args):
        raise ConfigError(
            f"tool '{tool}': need '{need}' came; a literal like closed({OBJECT}) is needed"
        )
    return found.group(1), args


_GO = ("go", "return", "move", "drive", "go back", "move back", "come back")
_HOMES = ("home", "to home", "to your home", "to the home position", "to your home position",
          "to the home pose", "to your home pose")  # fmt: skip
_HOMEWARD = (
    *(f"{go} {home}" for go in _GO for home in _HOMES),
    "home", "home the arm", "bring the arm home", "move the arm home",
)  # fmt: skip

BUILTIN = (
    Tool("look_again", says=("look again", "look", "look once more"), builtin="look_again"),
    Tool("say", says=("say {text}", "tell me {text}"), builtin="say"),
    Tool("ask", says=("ask {text}", "ask me {text}", "ask me: {text}"), builtin="ask",
         timeout_s=120.0),
    Tool("home", says=_HOMEWARD, builtin="home", timeout_s=20.0),
    Tool("wait", says=("wait {number} seconds", "wait {number} second"), builtin="wait",
         timeout_s=3600.0),
)  # fmt: skip
"""Tools that are always there."""


class ToolPlanner(Planning):
    """Plans as another planner does, and with tools beside the policy's skills."""

    def __init__(
        self,
        planner: Planning,
        tools: Iterable[Tool],
        skills: Iterable[Skill],
        can_move: Callable[[SceneObject], bool],
        *,
        confirm: bool = False,
    ) -> None:
        """Plan with tools.

        Args:
            planner: plans with the skills of policy and tools alike.
            tools: what there is beside the policy.
            skills: what the policy itself can do.
            can_move: tells whether a thing can be picked up.
            confirm: whether a plan begins with asking a person.
        """
        self._confirm = confirm
        self._inner = planner
        self._tools = {tool.name: tool for tool in tools}
        self._skills = frozenset(skills)
        provided = {Skill(tool.skill) for tool in self._tools.values() if tool.skill}
        self._able = Abilities(self._skills | provided, can_move)

    def answered(self, request: Request) -> Outcome:
        """Return a plan, a question or a refusal; as `Planner.answered`."""
        outcome = self._planned(request)
        if not (self._confirm and isinstance(outcome, Plan) and outcome.steps):
            return outcome
        asked = self._used(self._tools["ask"], f"shall I {outcome.message}", "")
        return replace(outcome, steps=(asked, *outcome.steps))

    def _planned(self, request: Request) -> Outcome:
        instruction, scene = request.instruction, request.scene
        is_read = check_text(instruction, MOST_CHARACTERS) is None
        parts = [part for part in _SEPARATOR.split(instruction) if part.strip()] if is_read else []
        asked = [
            (k, tool, text) for k, part in enumerate(parts) for tool, text in self._heard(part)
        ]
        if not asked:
            return self._with_tools(self._inner.answered(request), scene)
        chosen = {k for k, _, _ in asked}
        rest = [part for k, part in enumerate(parts) if k not in chosen]
        whole: Outcome = Plan(instruction, (), ())
        if rest:
            whole = self._inner.answered(replace(request, instruction=", then ".join(rest)))
        if not isinstance(whole, Plan):
            return whole
        steps = list(whole.steps)
        for count, (k, tool, text) in enumerate(asked):
            before = [part for j, part in enumerate(parts[:k]) if j not in chosen]
            at = len(whole.steps)
            if len(before) < len(rest):
                earlier = replace(request, instruction=", then ".join(before))
                first = self._inner.answered(earlier) if before else None
                at = len(first.steps) if isinstance(first, Plan) else 0
            steps.insert(at + count, self._used(tool, text, parts[k]))
        return self._with_tools(Plan(instruction, whole.goal, tuple(steps)), scene)

    def replan(self, plan: Plan, remaining: Sequence[Step], scene: Scene) -> Plan | Refuse:
        """Return a plan for what is left; as `Planner.replan`."""
        left = [step for step in remaining if step.skill is not Skill.USE]
        found = self._inner.replan(plan, left, scene)
        if isinstance(found, Refuse):
            return found
        steps = list(found.steps)
        for k, step in enumerate(remaining):
            if step.skill is not Skill.USE:
                continue
            after = next((s for s in remaining[k:] if s.skill is not Skill.USE), None)
            at = next((j for j, s in enumerate(steps) if s.step == after), len(steps))
            steps.insert(at, self._used(self._tools[step.object_id], step.target_id, ""))
        done = self._with_tools(Plan(plan.instruction, plan.goal, tuple(steps)), scene)
        assert isinstance(done, Plan | Refuse)
        return done

    def _heard(self, part: str) -> list[tuple[Tool, str]]:
        found = ((tool, tool.heard_in(part)) for tool in self._tools.values())
        return [(tool, text) for tool, text in found if text is not None][:1]

    def _used(self, tool: Tool, text: str, said: str) -> PlannedStep:
        """Return the step that uses a tool which is called by words."""
        prompt = said or f"{tool.name} {text}".strip()
        step = Step(Skill.USE, tool.name, text)
        return PlannedStep(step, prompt, tool=tool.name, needs=tool.needed(""))

    def _with_tools(self, outcome: Outcome, scene: Scene) -> Outcome:
        """Give each step the tool that does it, and plan for what tools need."""
        if not isinstance(outcome, Plan):
            return outcome
        world, steps = World(scene), list[PlannedStep]()
        for planned in outcome.steps:
            tooled = self._tooled(planned, scene)
            if isinstance(tooled, Refuse):
                return tooled
            before = self._prepared(world, tooled, scene)
            if isinstance(before, Refuse):
                return before
            for each in (*before, tooled):
                steps.append(each)
                world = world.after(each.step)
        undone = [goal for goal in outcome.goal if not world.holds(goal)]
        if undone and len(steps) > len(outcome.steps):
            reason = f"{undone[0]} would be undone by what a tool needs"
            return Refuse(RefuseKind.CONTRADICTORY, reason)
        return Plan(outcome.instruction, outcome.goal, tuple(steps), outcome.note)

    def _tooled(self, planned: PlannedStep, scene: Scene) -> PlannedStep | Refuse:
        step = planned.step
        if planned.tool or step.skill in self._skills:
            return planned
        for tool in self._tools.values():
            if tool.does(step, scene):
                needs = tool.needed(step.object_id)
                return PlannedStep(step, planned.prompt, tool=tool.name, needs=needs)
        return Refuse(
            RefuseKind.UNSUPPORTED_SKILL,
            f"neither the policy nor a tool can do '{step.skill}' with {step.object_id}",
        )

    def _prepared(
        self, world: World, planned: PlannedStep, scene: Scene
    ) -> tuple[PlannedStep, ...] | Refuse:
        """Return the steps after which a tool can be used."""
        unknown = [a for need in planned.needs for a in need.args if a not in scene]
        if unknown:
            return Refuse(
                RefuseKind.MISSING_OBJECT, f"{planned.tool} needs {unknown[0]}, which is not seen"
            )
        lacking = [need for need in planned.needs if not world.holds(need)]
        if not lacking:
            return ()
        found = plan_for(world, lacking, self._able)
        if isinstance(found, Stuck):
            reason = f"{planned.tool} needs {lacking[0]}, which cannot be brought about"
            return Refuse(RefuseKind.BLOCKED, reason)
        made = [self._tooled(PlannedStep.of(step, scene), scene) for step in found]
        refused = next((item for item in made if isinstance(item, Refuse)), None)
        return refused or tuple(item for item in made if isinstance(item, PlannedStep))


def skills_of(tools: Iterable[Tool]) -> tuple[Skill, ...]:
    """Return the skills whose effects tools bring about."""
    return tuple(dict.fromkeys(Skill(tool.skill) for tool in tools if tool.skill))
