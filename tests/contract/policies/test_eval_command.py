"""`lam eval` with the shipped policy: a report that shows what failed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from lam_ros.evaluation.command import main


def test_failures_are_shown_in_pictures_in_the_order_of_their_seeds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        main(["episodes=3", "max_seconds=0.5", "workers=2"], as_json=True, out=str(tmp_path)) == 0
    )
    assert json.loads(capsys.readouterr().out)["successes"] == 0
    shown = re.findall(r'alt="seed (\d+)', (tmp_path / "eval.html").read_text())
    assert shown == ["1000000", "1000001", "1000002"]
