"""Fast Downward as an oracle: how long a plan has to be."""

from __future__ import annotations

import numpy as np
import pytest

from lam_ros.benches.oracle import PACKAGES, is_there, optimum
from lam_ros.benches.planning_problems import abilities, random_problem
from lam_ros.planning.domain import World
from lam_ros.planning.search import Stuck, plan_for

MOST_EXTRA_STEPS = 1

pytestmark = pytest.mark.skipif(
    not is_there(),
    reason=f"{' and '.join(PACKAGES)} are not installed: pip install -r requirements.txt",
)


@pytest.mark.filterwarnings("ignore")  # of unified-planning, about its own engines
@pytest.mark.parametrize("seed", range(3))
def test_plans_for_eight_cubes_and_seven_goals_are_as_long_as_fast_downwards_or_one_step_longer(
    seed: int,
) -> None:
    problem = random_problem(np.random.default_rng((5, seed)), objects=8, goals=7)
    found = plan_for(World(problem.scene), problem.goals, abilities())
    assert not isinstance(found, Stuck)
    least = optimum(problem)
    assert least is not None
    assert least <= len(found) <= least + MOST_EXTRA_STEPS
