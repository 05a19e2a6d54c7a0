"""Many runs: the instruction of a seed, and what is made of the reports."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lam_ros.run.many import Tally, draw_instruction
from lam_ros.run.report import RunReport, Termination
from lam_ros.run.settings import load_run_settings
from lam_sim.sampling import sample_scene

DONE = RunReport(
    success=True, instruction="x", termination=Termination.SUCCEEDED, message="", steps=(),
    replans=0, seconds=4.0, seed=1, run_dir="", policy="p", start_seconds=6.0, latency_ms=20.0,
)  # fmt: skip
FAILED = replace(DONE, success=False, termination=Termination.TIMEOUT, message="late", seconds=9.0)


def test_the_tally_counts_and_names_the_failures() -> None:
    data = Tally((DONE, DONE, FAILED)).to_dict()
    assert (data["runs"], data["successes"]) == (3, 2)
    assert data["success_rate"] == pytest.approx(2 / 3)
    assert data["seconds_per_task"] == 4.0
    assert data["failures"] == [{"seed": 1, "instruction": "x", "message": "late"}]


@pytest.mark.parametrize("seed", range(20))
def test_the_scene_of_a_seed_holds_what_its_instruction_names(seed: int) -> None:
    instruction = draw_instruction(seed)
    assert instruction == draw_instruction(seed)
    settings = load_run_settings([]).for_instruction(instruction)
    held = {f"{item.color} {item.kind}" for item in sample_scene(settings.scene, seed).objects}
    assert set(settings.scene.include) <= held
    assert len(settings.scene.include) == 2


def test_instructions_about_fixtures_take_turns_and_are_understood() -> None:
    said = [draw_instruction(seed, fixtures=True) for seed in range(1_000_000, 1_000_040)]
    assert {text.split()[0] for text in said} == {"open", "press", "push", "sweep"}
    assert len(set(said)) > 20
    for text in said[:8]:
        scene = load_run_settings([]).for_instruction(text).scene
        assert scene.is_furnished, text
