"""The examples in docs/recording.md run as they stand there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lam_ros.paths import checkout_dir
from lam_ros.recording import jpeg
from lam_ros.recording.format import Outcome

FIRST_NS = 1_790_000_000_000_000_000


def examples() -> list[str]:
    checkout = checkout_dir()
    assert checkout is not None
    text = (checkout / "docs" / "recording.md").read_text(encoding="utf-8")
    return re.findall(r"```python\n(.+?)```", text, re.DOTALL)


@pytest.mark.parametrize("number", [0, 1])
def test_an_example_prints_what_was_recorded(
    kit: Any,
    tmp_path: Path,
    number: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    picture = jpeg.encode(np.zeros((48, 64, 3), np.uint8))
    with kit.open(tmp_path / "recordings" / "monday" / "episode_000000") as writer:
        writer.write(kit.JOINTS, kit.joints(FIRST_NS, 0.25), FIRST_NS, FIRST_NS)
        writer.write(kit.PICTURES, kit.picture(FIRST_NS, picture), FIRST_NS + 1, FIRST_NS)
        writer.close(Outcome.SUCCESS, "")
    monkeypatch.chdir(tmp_path)

    exec(examples()[number], {})

    printed = capsys.readouterr().out
    assert "[ 0.25 -0.25]" in printed
    assert str(FIRST_NS) in printed
    if number == 0:
        assert "put the red cube in the bowl success ('shoulder_pan'" in printed
        assert "(48, 64, 3)" in printed
