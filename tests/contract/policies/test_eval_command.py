"""`lam eval` with the shipped policy: a report that shows what failed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from lam_ros.evaluation.command import main


def seeds_shown(folder: Path) -> list[str]:
    """Return the seeds of the failures that the report's page has pictures of."""
    return re.findall(r'alt="seed (\d+)', (folder / "eval.html").read_text())


def test_failures_are_shown_in_pictures_in_the_order_of_their_seeds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        main(["episodes=3", "max_seconds=0.5", "workers=2"], as_json=True, out=str(tmp_path)) == 0
    )
    assert json.loads(capsys.readouterr().out)["successes"] == 0
    assert seeds_shown(tmp_path) == ["1000000", "1000001", "1000002"]


def test_no_more_failures_are_shown_than_were_asked_for(tmp_path: Path) -> None:
    asked = ["episodes=2", "max_seconds=0.5", "workers=2", "films=1"]
    assert main(asked, as_json=False, out=str(tmp_path)) == 0
    assert seeds_shown(tmp_path) == ["1000000"]
    assert main([*asked, "films=0"], as_json=False, out=str(tmp_path)) == 0
    assert seeds_shown(tmp_path) == []
