"""Meta-World's report has the papers' average, and a wrong request is refused at once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from lam_ros.core.errors import CheckpointError, ConfigError, LamError
from lam_ros.evaluation.metaworld.report import PUBLISHED, MetaworldSummary
from lam_ros.evaluation.metaworld.settings import find_driver, load_settings
from lam_ros.evaluation.report import EpisodeResult


def result(task: str, seed: int, success: bool) -> EpisodeResult:
    return EpisodeResult(
        seed=seed,
        prompt="Press a button",
        task=task,
        success=success,
        failure="" if success else "not done in time",
        named_first=None,
        seconds=1.0 if success else 6.25,
        chunks=10,
        unsafe_events=0,
    )


SUMMARY = MetaworldSummary(
    "lam-1234",
    "without shadows",
    (
        result("button-press-v3", 1, True),
        result("button-press-v3", 2, True),
        result("dial-turn-v3", 1, True),
        result("dial-turn-v3", 2, False),
        result("assembly-v3", 1, False),
        result("assembly-v3", 2, False),
    ),
)


def test_the_average_is_of_the_degrees_and_the_success_rate_of_all_episodes() -> None:
    data = SUMMARY.to_dict()
    assert data["by_difficulty"]["easy"]["success_rate"] == 0.75
    assert data["by_difficulty"]["hard"]["success_rate"] == 0.0
    assert set(data["by_difficulty"]) == {"easy", "hard"}
    assert data["average"] == 0.375
    assert data["success_rate"] == 0.5
    assert data["by_task"]["dial-turn-v3"]["episodes"] == 2
    assert data["by_task"]["dial-turn-v3"]["wilson_95"][0] < 0.5
    assert data["failures"] == {"not done in time": 3}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_averages_are_means_of_their_degrees_too(name: str) -> None:
    *degrees, average = PUBLISHED[name]
    assert sum(degrees) / len(degrees) == pytest.approx(average, abs=0.06)


def test_what_was_not_run_is_no_zero_in_the_table() -> None:
    assert "| lam-1234 | 75.0 | - | 0.0 | - | 37.5 |" in SUMMARY.to_markdown()


def test_the_report_shows_failures_in_pictures(tmp_path: Path) -> None:
    SUMMARY.write(tmp_path, {3: Image.new("RGB", (40, 40))})
    assert json.loads((tmp_path / "eval.json").read_text())["average"] == 0.375
    assert len((tmp_path / "episodes.jsonl").read_text().splitlines()) == 6
    html = (tmp_path / "eval.html").read_text()
    assert html.count("data:image/jpeg") == 1
    assert "seed 2: Press a button: not done in time" in html


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (["episodes=0"], "episodes: 0 came"),
        (["first_seed=-1"], "first_seed: -1 came"),
        (["tasks=[asembly]"], "Did you mean 'assembly-v3'"),
        (["wrkers=2"], "Did you mean 'workers'"),
        (["pictures=nice"], "'plain' or 'full'"),
    ],
)
def test_a_wrong_request_is_refused_in_one_line(overrides: list[str], said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load_settings(overrides)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("overrides", "kind", "said"),
    [
        ([], ConfigError, "lam train env=metaworld"),
        (["policy.checkpoint=lam_so101"], LamError, "made for robot 'so101'"),
        (["policy=act", "policy.path=/nowhere"], CheckpointError, "no such folder"),
    ],
)
def test_a_checkpoint_that_does_not_fit_is_refused(
    overrides: list[str], kind: type[LamError], said: str
) -> None:
    with pytest.raises(kind, match=said):
        find_driver(load_settings(overrides))
