"""The closed loop over a table in thought: what it measures is what happened."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lam_ros.benches.execute import LIKE_THE_RUN, VARIANTS, carry_out, task
from lam_ros.benches.table_top import FAILURES, TableTop

TASKS = [(seed, problem) for seed in range(20) if (problem := task(seed)) is not None][:10]


def test_tasks_end_right_though_steps_fail_and_fewer_do_without_a_second_try() -> None:
    ends = {
        name: [carry_out(problem, seed, config) for seed, problem in TASKS]
        for name, config in VARIANTS.items()
    }
    right = {name: sum(end.right for end in rows) for name, rows in ends.items()}
    assert right["recovering"] == len(TASKS)
    assert right["no_second_try"] < right["recovering"]
    assert all(end.right for rows in ends.values() for end in rows if end.claimed)
    assert any(end.tried > end.planned for end in ends["recovering"])


def test_the_same_seed_ends_the_same() -> None:
    seed, problem = TASKS[0]
    assert carry_out(problem, seed, LIKE_THE_RUN) == carry_out(problem, seed, LIKE_THE_RUN)


def test_an_arm_that_always_fails_ends_no_task_right() -> None:
    seed, problem = TASKS[0]
    config = replace(LIKE_THE_RUN, max_attempts=1, other_grasps=0, max_replans=1)
    table = TableTop(problem.scene, np.random.default_rng(seed), failing=1.0)
    assert not carry_out(problem, seed, config, table=table).claimed
    assert set(table.drawn) <= set(FAILURES)
