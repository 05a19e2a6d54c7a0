"""Compiling for a GPU, as far as a CPU can tell: what is chosen, and what happens where it fails."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from noise import noise_pictures
from torch import Tensor

from lam_policies import lam_served, lerobot_served
from lam_policies.compiling import Compile, compile_for, compiled
from lam_policies.loader import load_policy
from lam_policies.served import LoadedPolicy
from lam_ros.config import load_robot
from lam_ros.core.types import Observation

ROBOT = load_robot("so101")
TRACED: Compile = torch.compile(backend="aot_eager")
"""Traces as for a GPU, and runs what was traced with PyTorch's own kernels."""


def _broken(ask: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def fail(*_: object, **__: object) -> Tensor:
        raise RuntimeError("no compiler is here")

    return fail


def _wrong(ask: Callable[..., Tensor]) -> Callable[..., Tensor]:
    return lambda *told, **named: ask(*told, **named) + 0.02


def test_a_gpu_compiles_and_a_cpu_does_not() -> None:
    assert compile_for(torch.device("cuda")) is not None
    assert compile_for(torch.device("cpu")) is None


@pytest.mark.parametrize("make", [_broken, _wrong, None])
def test_what_fails_or_answers_otherwise_is_asked_as_before(make: Compile | None) -> None:
    def ask(x: Tensor) -> Tensor:
        return x * 2

    assert compiled(ask, lambda asked: asked(torch.ones(3)), make) is ask


def _targets(policy: LoadedPolicy) -> np.ndarray:
    rng = np.random.default_rng(0)
    images = noise_pictures(ROBOT, rng)
    seen = Observation(0, np.array(ROBOT.poses.home_rad), images)
    return policy.infer(seen, "put the red cube in the blue bowl").targets_rad


@pytest.mark.parametrize("make", [TRACED, _broken])
def test_the_lam_policy_answers_the_same_compiled_and_where_compiling_fails(
    make: Compile, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = load_policy(checkpoint, ROBOT, device="cpu")
    monkeypatch.setattr(lam_served, "engine_for", lambda _policy: None)
    monkeypatch.setattr(lam_served, "compile_for", lambda _device: make)
    policy = load_policy(checkpoint, ROBOT, device="cpu")
    policy.warm_up()
    np.testing.assert_allclose(_targets(policy), _targets(plain), atol=1e-5)
    assert (policy._engine is None) == (make is _broken)  # type: ignore[attr-defined]


@pytest.mark.parametrize("make", [TRACED, _broken])
def test_so_does_one_of_lerobots(
    make: Compile,
    save_small: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = save_small("act", ROBOT, tmp_path / "act")
    plain = load_policy(folder, ROBOT, device="cpu")
    monkeypatch.setattr(lerobot_served, "compile_for", lambda _device: make)
    policy = load_policy(folder, ROBOT, device="cpu")
    np.testing.assert_allclose(_targets(policy), _targets(plain), atol=1e-4)
    assert (policy._ask == policy.policy.predict_action_chunk) == (make is _broken)  # type: ignore[attr-defined]
