"""`lam bench execute`: are tasks done to the end by an executor that fails at one step in five?

Random tasks of several steps over stacks, bowls and drawers, with things in the way, are
carried out in lockstep: the planner, the behaviour tree and what it decides are the real
ones, the table and the arm are a `TableTop`.  The same tasks with the same chance are done
without new plans, and without any second try.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lam_ros.benches.planning_problems import Problem, random_problem
from lam_ros.benches.report import BenchReport, machine
from lam_ros.benches.table_top import TableTop
from lam_ros.benches.times import percentiles_ms
from lam_ros.core.skills import Skill
from lam_ros.evaluation.stats import wilson_95
from lam_ros.planning.config import ExecutionConfig, PlannerConfig
from lam_ros.planning.decisions import Termination
from lam_ros.planning.execution import PlanExecution
from lam_ros.planning.outcome import Plan
from lam_ros.planning.planner import Planner

FAILING = 0.2
"""Share of the tries at a step that fail."""

SEED = 29
MOST_TASKS = 500
LIKE_THE_RUN = ExecutionConfig(
    settle_s=0.5, step_timeout_s=2.0, look_timeout_s=1.0, max_attempts=2, other_grasps=1,
    max_replans=2,
)  # fmt: skip
"""Bounds as config/planner/default.yaml has them; shorter times."""

VARIANTS = {
    "recovering": LIKE_THE_RUN,
    "no_replanning": replace(LIKE_THE_RUN, max_replans=0),
    "no_second_try": replace(LIKE_THE_RUN, max_attempts=1, other_grasps=0, max_replans=0),
}


@dataclass(frozen=True)
class Ended:
    """How one task ended.

    Attributes:
        right: whether its goal holds on the table, and the execution says so.
        claimed: whether the execution says so.
        planned: steps of the first plan.
        tried: steps that were tried, with those that failed.
        replans: new plans.
    """

    right: bool
    claimed: bool
    planned: int
    tried: int
    replans: int


def run(seconds: float) -> BenchReport:
    """Carry out tasks for about `seconds` [s] and return all figures."""
    ended: dict[str, list[Ended]] = {name: [] for name in VARIANTS}
    ticks_ms: list[float] = []
    deadline = time.perf_counter() + seconds
    for seed in range(MOST_TASKS):
        problem = task(seed)
        if problem is None:
            continue
        for name, config in VARIANTS.items():
            ended[name].append(carry_out(problem, seed, config, ticks_ms))
        if time.perf_counter() > deadline:
            break
    metrics: dict[str, Any] = {name: _figures(rows) for name, rows in ended.items()}
    metrics |= {"failing": FAILING, "tick_ms": percentiles_ms(ticks_ms)}
    right = metrics["recovering"]["rate"]
    ratios = {"recovering_to_no_replanning": round(right / metrics["no_replanning"]["rate"], 3)}
    return BenchReport("execute", metrics, ratios, machine())


def planner() -> Planner:
    """Return a planner for an arm that has every skill and moves cubes only."""
    return Planner(tuple(Skill), PlannerConfig(movable_kinds=frozenset({"cube"})))


def task(seed: int) -> Problem | None:
    """Return a task of at least two steps; None where chance gives a shorter one."""
    rng = np.random.default_rng((SEED, seed))
    problem = random_problem(rng, int(rng.integers(4, 9)), int(rng.integers(2, 6)))
    plan = planner().replan(Plan("bench", problem.goals, ()), [], problem.scene)
    return problem if isinstance(plan, Plan) and len(plan.steps) >= 2 else None


def carry_out(
    problem: Problem,
    seed: int,
    config: ExecutionConfig,
    ticks_ms: list[float] | None = None,
    table: TableTop | None = None,
) -> Ended:
    """Carry out one task on a table whose arm fails at some steps.

    Args:
        problem: the task.
        seed: of the arm's chance.
        config: how failures are met.
        ticks_ms: takes how long each tick took.
        table: to do it on, instead of one of its own.
    """
    times = [] if ticks_ms is None else ticks_ms
    table = table or TableTop(problem.scene, np.random.default_rng((SEED, seed, 1)), FAILING)
    plan = planner().replan(Plan("bench", problem.goals, ()), [], table.observed())
    assert isinstance(plan, Plan)
    execution = PlanExecution(plan, planner(), config)

    def tick(*state: Any) -> Any:
        started = time.perf_counter()
        decision = execution.tick(*state)
        times.append(1000 * (time.perf_counter() - started))
        return decision

    over = table.run(tick)
    claimed = over is not None and over.termination is Termination.SUCCEEDED
    holds = table.scene.all_hold(problem.goals) and not table.scene.held
    replans = execution.progress().replans
    return Ended(claimed and holds, claimed, len(plan.steps), len(table.runs), replans)


def _figures(rows: list[Ended]) -> dict[str, Any]:
    right = sum(row.right for row in rows)
    low, high = wilson_95(right, len(rows))
    return {
        "right": right,
        "of": len(rows),
        "rate": round(right / max(1, len(rows)), 4),
        "wilson_95": [round(low, 4), round(high, 4)],
        "claimed_but_wrong": sum(row.claimed and not row.right for row in rows),
        "planned_steps": round(float(np.mean([row.planned for row in rows])), 2),
        "tried_steps": round(float(np.mean([row.tried for row in rows])), 2),
        "replans": round(float(np.mean([row.replans for row in rows])), 2),
    }
