"""The planner that a configuration asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from lam_ros.core.skills import Skill
from lam_ros.planning.config import PlannerConfig
from lam_ros.planning.planner import Planner


def make_planner(
    skills: Iterable[Skill],
    config: PlannerConfig,
    costs: Callable[[], Mapping[tuple[str, str], float]] = dict,
) -> Planner:
    """Return a planner, advised by a language model if the configuration names one.

    The arguments are those of `Planner`.
    """
    if not config.llm.base_url:
        return Planner(skills, config, costs)
    from lam_ros.planning.llm import LlmPlanner

    return LlmPlanner(skills, config, costs)
