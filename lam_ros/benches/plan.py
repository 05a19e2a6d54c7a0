"""`lam bench plan`: what the planner understands, how fast it plans, what it asks and repairs.

The public instruction sets are read from the folder that `LAM_INSTRUCTIONS` names (files as
LIBERO, CALVIN and CLIPort publish them); without it only what needs no files is measured.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lam_ros.benches import oracle
from lam_ros.benches.ambiguity import questions
from lam_ros.benches.instruction_sets import Case, load
from lam_ros.benches.planning_problems import Problem, abilities, random_problem
from lam_ros.benches.report import BenchReport, machine
from lam_ros.benches.times import percentiles_ms
from lam_ros.core.skills import Step
from lam_ros.planning.cli_plan import configured_planner
from lam_ros.planning.domain import World
from lam_ros.planning.outcome import Clarify
from lam_ros.planning.planner import Planner
from lam_ros.planning.repair import Proposed, Repaired, repair
from lam_ros.planning.search import Stuck, plan_for, valid

FOLDER_VARIABLE = "LAM_INSTRUCTIONS"
SIZES = ((8, 7), (16, 14), (24, 20))
"""Number of cubes, and of goals."""

_QUESTIONS = 360
_CORRUPTED = 200
_MOST_PROBLEMS = 400
SEED = 11
ORACLE_TIMEOUT_S = 12.0


def run(seconds: float) -> BenchReport:
    """Plan random problems for about `seconds` [s] and return all figures."""
    planner = configured_planner()
    metrics: dict[str, Any] = {}
    folder = os.environ.get(FOLDER_VARIABLE, "")
    if folder:
        metrics |= _understood(load(Path(folder)), planner)
    metrics |= _asked(planner)
    for cubes, goals in SIZES:
        metrics |= _planned(cubes, goals, seconds / len(SIZES))
    metrics |= _repaired()
    if oracle.is_there():
        metrics |= _against_the_optimum(seconds)
    times = metrics[f"ms_{SIZES[0][0]}_objects_{SIZES[0][1]}_goals"]
    ratios = {"p99_8_objects_to_100_ms": round(times["p99"] / 100.0, 4)}
    return BenchReport("plan", metrics, ratios, machine())


def _understood(cases: Sequence[Case], planner: Planner) -> dict[str, Any]:
    """Return how many of each set are right, the held-out third apart."""
    counts: dict[str, list[int]] = {}
    times_ms: list[float] = []
    for case in cases:
        started = time.perf_counter()
        outcome = planner.plan(case.instruction, case.scene)
        times_ms.append(1000 * (time.perf_counter() - started))
        name = f"{case.suite}_held_out" if case.is_held_out else case.suite
        right = counts.setdefault(name, [0, 0])
        right[0] += case.check(outcome)
        right[1] += 1
    figures: dict[str, Any] = {
        name: {"right": right, "of": total, "rate": round(right / total, 4)}
        for name, (right, total) in sorted(counts.items())
    }
    return figures | {"understanding_ms": percentiles_ms(times_ms)}


def _asked(planner: Planner) -> dict[str, Any]:
    """Return how often a needed question was not asked, and one was asked for nothing."""
    missed = needless = needed = 0
    cases = questions(SEED, _QUESTIONS)
    for case in cases:
        asks = isinstance(planner.plan(case.instruction, case.scene), Clarify)
        needed += case.must_ask
        missed += case.must_ask and not asks
        needless += asks and not case.must_ask
    clear = len(cases) - needed
    return {
        "ambiguity": {
            "cases": len(cases),
            "missed_rate": round(missed / needed, 4),
            "needless_rate": round(needless / clear, 4),
        }
    }


def _planned(cubes: int, goals: int, seconds: float) -> dict[str, Any]:
    """Return times and lengths of plans for problems of one size."""
    times_ms, lengths, unsolved = list[float](), list[int](), 0
    deadline = time.perf_counter() + seconds
    for problem in _problems(cubes, goals):
        started = time.perf_counter()
        found = plan_for(World(problem.scene), problem.goals, abilities())
        times_ms.append(1000 * (time.perf_counter() - started))
        if isinstance(found, Stuck) or not valid(World(problem.scene), problem.goals, found):
            unsolved += 1
        else:
            lengths.append(len(found))
        if time.perf_counter() > deadline:
            break
    name = f"{cubes}_objects_{goals}_goals"
    return {
        f"ms_{name}": percentiles_ms(times_ms),
        f"steps_{name}": {"mean": round(float(np.mean(lengths)), 2), "unsolved": unsolved},
    }


def _problems(cubes: int, goals: int, count: int = _MOST_PROBLEMS) -> Iterator[Problem]:
    for seed in range(count):
        yield random_problem(np.random.default_rng((SEED, seed)), cubes, goals)


def _against_the_optimum(seconds: float) -> dict[str, Any]:
    """Return how many steps more than Fast Downward's optimum plans for eight cubes take."""
    extra: list[int] = []
    late = 0
    deadline = time.perf_counter() + seconds
    for problem in _problems(*SIZES[0]):
        found = plan_for(World(problem.scene), problem.goals, abilities())
        least = oracle.optimum(problem, ORACLE_TIMEOUT_S)
        late += least is None
        if least is not None and not isinstance(found, Stuck):
            extra.append(len(found) - least)
        if time.perf_counter() > deadline:
            break
    shortest = sum(count == 0 for count in extra)
    return {
        "steps_over_optimum_8_objects_7_goals": {
            "problems": len(extra), "none": shortest, "most": max(extra, default=0),
            "optimum_not_found_in_time": late,
        }
    }  # fmt: skip


def _repaired() -> dict[str, Any]:
    """Return how many plans, broken as LLMs break them, are valid after repair."""
    right = total = 0
    for seed, problem in enumerate(_problems(8, 7, _CORRUPTED)):
        rng = np.random.default_rng((SEED, seed, 1))
        found = plan_for(World(problem.scene), problem.goals, abilities())
        if isinstance(found, Stuck):
            continue
        broken = corrupted(rng, found, problem)
        fixed = repair(problem.scene, problem.goals, broken, abilities())
        total += 1
        right += isinstance(fixed, Repaired) and valid(
            World(problem.scene), problem.goals, fixed.steps
        )
    return {"repair": {"valid": right, "of": total, "rate": round(right / max(1, total), 4)}}


def corrupted(rng: np.random.Generator, steps: Sequence[Step], problem: Problem) -> list[Proposed]:
    """Return a plan with one to three errors: a step dropped, two swapped, or one invented."""
    plan = [Proposed(str(step.skill), step.object_id, step.target_id) for step in steps]
    for _ in range(int(rng.integers(1, 4))):
        error = str(rng.choice(("drop", "swap", "invent")))
        at = int(rng.integers(len(plan) + 1))
        if error == "drop" and plan:
            plan.pop(at % len(plan))
        elif error == "swap" and len(plan) > 1:
            first, second = (int(k) for k in rng.choice(len(plan), 2, replace=False))
            plan[first], plan[second] = plan[second], plan[first]
        else:
            plan.insert(at, _invented(rng, problem))
    return plan


def _invented(rng: np.random.Generator, problem: Problem) -> Proposed:
    ids = [*problem.scene.ids, "banana_7"]
    skill = str(rng.choice(("place_on", "place_in", "open", "close", "vacuum", "pick")))
    return Proposed(skill, str(rng.choice(ids)), str(rng.choice(ids)))
