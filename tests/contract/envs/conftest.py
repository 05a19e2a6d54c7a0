"""The environment, one to share: making a simulator takes longer than most tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from lerobot_env_lam import LamEnv, LamEnvConfig


@pytest.fixture(scope="session")
def make_env() -> Iterator[Callable[..., LamEnv]]:
    """Make an environment of a suite; settings as on LeRobot's command line."""
    made: list[LamEnv] = []

    def make(task: str = "pick_place", **settings: object) -> LamEnv:
        config = LamEnvConfig(task=task, **settings)  # type: ignore[arg-type]
        made.append(LamEnv(config.settings()[0], **config.gym_kwargs))
        return made[-1]

    yield make
    for env in made:
        env.close()


@pytest.fixture(scope="session")
def env(make_env: Callable[..., LamEnv]) -> LamEnv:
    """The environment that LeRobot's commands make by default."""
    return make_env()
