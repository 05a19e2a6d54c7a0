"""What `lam record` can be told, and what it answers to nonsense."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from lam_ros.core.errors import ConfigError
from lam_ros.record.settings import load_record_settings, node_table, write_files

TASK = "task=put the red cube in the blue bowl, please: 'now'"


def test_the_task_is_taken_as_it_stands_and_the_scene_holds_what_it_names() -> None:
    settings = load_record_settings([TASK, "episodes=3"])
    assert settings.task == "put the red cube in the blue bowl, please: 'now'"
    assert settings.scene.include == ("red cube", "blue bowl")
    assert (settings.episodes, settings.is_scripted) == (3, True)


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("task=", "task: 0 characters came"),
        ("episodes=0", "episodes: 0 came"),
        ("session=../up", "session: '../up' came"),
        ("images=png", "images: 'png' came, allowed is jpeg, video, raw"),
        ("teleop=joystick", "unknown teleop 'joystick'"),
        ("sim=false", "sees a simulation only"),
        ("seed=-1", "seed: -1 came"),
        ("episode=3", "Did you mean 'episodes'"),
        ("rate_tolerance=2", "rate_tolerance: 2"),
    ],
)
def test_what_makes_no_session_is_refused_in_one_line(override: str, says: str) -> None:
    with pytest.raises(ConfigError, match=r"^[^\n]+$") as error:
        load_record_settings([TASK, override])
    assert says in str(error.value)


def test_a_session_gets_a_name_and_nobody_waits_without_a_person() -> None:
    settings = load_record_settings([TASK, "teleop=keyboard"])
    assert settings.session
    assert settings.loop(attended=True).countdown_s == 3.0
    assert settings.loop(attended=False).countdown_s == 0.0


def test_the_simulator_is_started_only_for_a_simulation(tmp_path: Path) -> None:
    names = {}
    for sim in ("true", "false"):
        settings = load_record_settings([TASK, "teleop=keyboard", f"sim={sim}", "images=raw"])
        specs = node_table(settings, write_files(settings, tmp_path / sim), tmp_path).specs
        names[sim] = [spec.name for spec in specs]
    assert names == {"true": ["sim", "recorder", "control"], "false": ["recorder", "control"]}
    assert specs[0].parameters["images"] == "raw"
    teleop = yaml.safe_load((tmp_path / "true" / "teleop.yaml").read_text())
    assert teleop["type"] == "keyboard"


def test_a_policy_drives_with_its_planner_and_the_recorder_listens(tmp_path: Path) -> None:
    settings = load_record_settings([TASK, "driver=expert"])
    table = node_table(settings, write_files(settings, tmp_path), tmp_path)
    assert [spec.name for spec in table.specs] == [
        "expert", "sim", "control", "planner", "recorder",
    ]  # fmt: skip
    assert "expert" in table.driver
    with pytest.raises(ConfigError, match="only in simulation"):
        load_record_settings([TASK, "teleop=keyboard", "driver=lam", "sim=false"])
    with pytest.raises(ConfigError, match="cannot be stepped in for: leave teleop out"):
        load_record_settings([TASK, "teleop=keyboard", "driver=expert"])
    unknown = load_record_settings([TASK, "driver=lamm"])
    with pytest.raises(ConfigError, match="unknown policy 'lamm'"):
        node_table(unknown, write_files(unknown, tmp_path), tmp_path)
