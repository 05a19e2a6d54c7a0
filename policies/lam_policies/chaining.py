"""Practice of steps one after the other in one scene, as a plan has them done.

Where a step begins is where the one before it left things, and the arm: above what was just put
down, before a drawer that stands open.  Some steps are only passed over: done without being
recorded, and left as soon as they have succeeded, so that the next begins there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from lam_policies.practice import Practice, Rows
from lam_sim.tasks import Episode, TaskType, next_link

_PASSED_OVER = 0.5
"""Share of the steps that are not recorded if they succeed; never the last."""


class Chaining:
    """Makes episodes that follow one another."""

    def __init__(self, practice: Practice, mix: Mapping[TaskType, float], length: int) -> None:
        """Practise `length` steps a scene, drawn by the shares of `mix` from what can be done."""
        self._practice = practice
        self._mix = mix
        self._length = length

    def run(self, episode: Episode) -> Iterator[Rows | None]:
        """Yield what each step gives that is recorded; None, and no more, for one that failed."""
        practice, sim = self._practice, self._practice.sim
        rng = np.random.default_rng([episode.scene.seed, 0xC4A])
        sim.reset(episode.scene)
        link: Episode | None = episode
        for number in range(1, self._length + 1):
            if link is None:
                return
            is_passed = number < self._length and rng.random() < _PASSED_OVER
            is_passed = is_passed or practice.only_failures
            if not (is_passed and practice.pass_over(link, rng)):
                practice.lead_in(link, rng)
                rows = practice.finish(link, rng)
                yield rows
                if rows is None:
                    return
            link = next_link(link, sim.truth(), self._mix, rng)
