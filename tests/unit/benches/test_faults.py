"""Trials of faults are kept as they are made, and counted when the bench is called again."""

from __future__ import annotations

from pathlib import Path

import pytest

from lam_ros.benches.command import main
from lam_ros.benches.faults import TRIALS, Trials
from lam_ros.core.errors import ConfigError, DataError


def test_what_was_measured_before_counts_with_what_is_measured_now(tmp_path: Path) -> None:
    path = tmp_path / "faults.jsonl"
    Trials(path).add("estop", 12.5)
    trials = Trials(path)
    trials.add("estop", 14.0)
    trials.add("policy_killed", 80.0)
    again = Trials(path)
    assert again.of("estop") == [12.5, 14.0]
    assert again.of("policy_killed") == [80.0]
    assert again.of("joints_nan") == []


def test_faults_with_too_few_trials_are_named_with_what_they_lack(tmp_path: Path) -> None:
    path = tmp_path / "faults.jsonl"
    trials = Trials(path)
    for _ in range(TRIALS):
        trials.add("estop", 12.5)
    trials.add("policy_killed", 80.0)
    missing = Trials(path).missing(["estop", "joints_nan", "policy_killed"])
    assert missing == {"joints_nan": TRIALS, "policy_killed": TRIALS - 1}


def test_another_file_is_refused_with_the_line(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text('{"fault": "estop", "ms": 1.0}\nhello\n')
    with pytest.raises(DataError, match="line 2: no trial"):
        Trials(path)


def test_only_the_bench_of_faults_keeps_trials() -> None:
    with pytest.raises(ConfigError, match="--into"):
        main("sim", seconds=1.0, as_json=False, into="x.jsonl")
