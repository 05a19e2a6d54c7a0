"""A report counts what happened, and a failure can be found again by its seed."""

from __future__ import annotations

import json
from pathlib import Path

from lam_ros.evaluation.report import EpisodeResult, Summary


def result(seed: int, *, failure: str = "", named_first: bool | None = True) -> EpisodeResult:
    return EpisodeResult(
        seed=seed,
        prompt="put the red cube in the blue bowl",
        task="in_bowl" if seed % 2 else "on_spot",
        success=not failure,
        failure=failure,
        named_first=named_first,
        seconds=4.0 if not failure else 20.0,
        chunks=25,
        unsafe_events=1,
        retries=0 if not failure else 3,
    )


SUMMARY = Summary(
    "pick_place",
    "lam-1234",
    "canonical",
    (
        result(1),
        result(2),
        result(3, failure="wrong_object", named_first=False),
        result(4, failure="never_grasped", named_first=None),
    ),
)


def test_the_json_holds_the_keys_that_scripts_rely_on() -> None:
    data = SUMMARY.to_dict()
    assert data["episodes"] == 4
    assert data["successes"] == 2
    assert data["success_rate"] == 0.5
    assert data["failures"] == {"wrong_object": 1, "never_grasped": 1}
    assert data["seeds"] == [1, 4]
    assert data["unsafe_events"] == 4
    assert data["wilson_95"][0] < 0.5 < data["wilson_95"][1]
    assert {"seconds_per_task", "steps_per_task", "suite", "policy"} <= set(data)


def test_an_episode_in_which_nothing_was_lifted_counts_against_the_named_object() -> None:
    assert SUMMARY.to_dict()["named_first_rate"] == 0.5


def test_seconds_are_those_of_successes() -> None:
    assert SUMMARY.to_dict()["seconds_per_task"] == 4.0


def test_new_beginnings_are_counted_over_all_episodes() -> None:
    assert SUMMARY.to_dict()["retries_per_task"] == 1.5
    assert "1.50 new beginnings an episode" in SUMMARY.to_markdown()


def test_each_kind_of_task_is_reported_by_itself() -> None:
    assert SUMMARY.to_dict()["by_task"]["in_bowl"]["success_rate"] == 0.5


def test_the_table_names_the_seeds_of_each_failure() -> None:
    assert "| wrong_object | 1 | 3 |" in SUMMARY.to_markdown()


def test_the_report_is_written_whole(tmp_path: Path) -> None:
    SUMMARY.write(tmp_path / "report")
    assert json.loads((tmp_path / "report" / "eval.json").read_text()) == SUMMARY.to_dict()
    rows = (tmp_path / "report" / "episodes.jsonl").read_text().splitlines()
    assert [json.loads(row)["seed"] for row in rows] == [1, 2, 3, 4]
