"""Fast Downward as an oracle: the least number of steps for a planning problem.

The problem is written as PDDL and solved by Fast Downward's optimal search (A* with LM-cut)
through unified-planning.  Both are needed for tests and for `lam bench plan` alone; without
them `is_there` says so.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Sequence

from lam_ros.benches.planning_problems import Problem
from lam_ros.core.scene import Literal
from lam_ros.planning.domain import World

PACKAGES = ("unified_planning", "up_fast_downward")
_ENGINE = "fast-downward-opt"
_TABLE = "the_table"

_HEAD = """(define (domain table) (:requirements :strips :typing) (:types cube base)
 (:predicates (on ?c ?d - cube) (in ?c - cube ?b - base) (within ?c - cube ?b - base)
  (clear ?c - cube) (other ?c ?d - cube) (reached ?b - base) (closed ?b - base) (opened ?b - base))
 (:action open :parameters (?b - base) :precondition (closed ?b)
  :effect (and (opened ?b) (reached ?b) (not (closed ?b))))
 (:action close :parameters (?b - base) :precondition (opened ?b)
  :effect (and (closed ?b) (not (opened ?b)) (not (reached ?b))))
"""
"""A base is the table, a bowl or a drawer; what is stacked in a drawer is within it, and out of
reach while that is closed."""

_LEAVE = {
    "cube": ("?d - cube", "(on ?c ?d)", "(not (on ?c ?d)) (clear ?d)"),
    "base": ("", "(in ?c ?a)", "(not (in ?c ?a))"),
}
_REACH = {
    "cube": ("?t - cube", "(clear ?t) (within ?t ?b) (other ?c ?t)", "(on ?c ?t) (not (clear ?t))"),
    "base": ("", "", "(in ?c ?b)"),
}


def _domain() -> str:
    """Return the domain: a cube goes from a cube or a base onto a cube or into a base."""
    moves = []
    for start, (first, leaves, left) in _LEAVE.items():
        for end, (second, reaches, reached) in _REACH.items():
            moves.append(
                f" (:action from_{start}_to_{end} :parameters (?c - cube {first} {second} ?a ?b - base)\n"
                f"  :precondition (and (clear ?c) (within ?c ?a) (reached ?a) (reached ?b) {leaves} {reaches})\n"
                f"  :effect (and {left} (not (within ?c ?a)) (within ?c ?b) {reached}))\n"
            )
    return f"{_HEAD}{''.join(moves)})"


def is_there() -> bool:
    """Tell whether the oracle can be asked."""
    return all(importlib.util.find_spec(name) for name in PACKAGES)


def optimum(problem: Problem, timeout_s: float | None = None) -> int | None:
    """Return the least number of steps after which the goals hold; None if time runs out."""
    from unified_planning.io import PDDLReader
    from unified_planning.shortcuts import OneshotPlanner, get_environment

    get_environment().credits_stream = None
    stated = PDDLReader().parse_problem_string(_domain(), pddl(problem))
    with OneshotPlanner(name=_ENGINE) as planner:
        result = planner.solve(stated, timeout=timeout_s)
    return None if result.plan is None else len(result.plan.actions)


def pddl(problem: Problem) -> str:
    """Return a problem of cubes, bowls and drawers as PDDL."""
    cubes = [item.id for item in problem.scene.objects if item.kind == "cube"]
    bases = [i.id for i in problem.scene.objects if i.kind in ("bowl", "drawer")]
    return (
        f"(define (problem one) (:domain table)\n"
        f" (:objects {' '.join(cubes)} - cube {_TABLE} {' '.join(bases)} - base)\n"
        f" (:init (reached {_TABLE}) {' '.join(_init(problem, cubes))})\n"
        f" (:goal (and {' '.join(_goal(goal) for goal in problem.goals)})))"
    )


def _init(problem: Problem, cubes: Sequence[str]) -> Iterator[str]:
    world = World(problem.scene)
    for item in problem.scene.objects:
        if item.kind == "bowl":
            yield f"(reached {item.id})"
        if item.kind == "drawer":
            closed = world.is_closed(item.id)
            yield f"(closed {item.id})" if closed else f"(opened {item.id}) (reached {item.id})"
    for cube in cubes:
        yield from (f"(other {cube} {other})" for other in cubes if other != cube)
        place = world.places[cube]
        around = [name for name in world.enclosing(cube) if name not in cubes]
        yield f"(within {cube} {around[0] if around else _TABLE})"
        if place.other in cubes:
            yield f"(on {cube} {place.other})"
        else:
            yield f"(in {cube} {place.other or _TABLE})"
        if not world.above(cube):
            yield f"(clear {cube})"


def _goal(goal: Literal) -> str:
    predicate = {"open": "opened"}.get(goal.predicate, goal.predicate)
    return f"({predicate} {' '.join(goal.args)})"
