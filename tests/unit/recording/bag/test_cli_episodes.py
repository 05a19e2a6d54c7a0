"""`lam episodes list` and `recover` as a person and a script use them."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import pytest

from lam_ros.recording.cli_episodes import add_episodes


@pytest.fixture
def lam(capsys: pytest.CaptureFixture[str]) -> Any:
    """Return a function that runs `lam episodes ...`: exit code, standard output and error."""

    def run(*arguments: object) -> tuple[int, str, str]:
        parser = argparse.ArgumentParser()
        add_episodes(parser.add_subparsers())
        parsed = parser.parse_args(["episodes", *map(str, arguments)])
        code = parsed.handler(parsed)
        return (code, *capsys.readouterr())

    return run


def test_list_prints_a_row_an_episode_and_json_last(kit: Any, tmp_path: Path, lam: Any) -> None:
    kit.record(tmp_path / "monday" / "episode_000000")
    cut_off = kit.record(tmp_path / "monday" / "episode_000001")
    (cut_off / "metadata.yaml").unlink()

    code, out, err = lam("list", tmp_path, "--json")

    assert code == 0
    rows = json.loads(out.splitlines()[-1])["episodes"]
    assert [row["outcome"] for row in rows] == ["success", ""]
    assert rows[0]["messages"] == len(kit.stream)
    assert rows[0]["seconds"] == pytest.approx(1.981, abs=0.01)
    assert rows[1]["trouble"] == f"cut off; repair it: lam episodes recover {cut_off}"
    assert rows[1]["trouble"] in err


def test_list_of_nothing_says_how_to_record(tmp_path: Path, lam: Any) -> None:
    code, out, err = lam("list", tmp_path)

    assert (code, out) == (0, "")
    assert f"no episodes below {tmp_path}; record one: lam record" in err


def test_recover_mends_what_is_cut_off_and_says_what_was_lost(
    kit: Any, tmp_path: Path, lam: Any
) -> None:
    closed = kit.record(tmp_path / "episode_000000")
    before = kit.files(closed)
    cut_off = kit.record(tmp_path / "episode_000001")
    (cut_off / "metadata.yaml").unlink()
    with (cut_off / "episode_000001_0.mcap").open("r+b") as file:
        file.truncate(100_000)

    code, out, err = lam("recover", tmp_path, "--json")

    assert code == 0
    (row,) = json.loads(out.splitlines()[-1])["recovered"]
    assert row["folder"] == str(cut_off)
    assert row["changed"]
    assert f"{cut_off}: closed with {row['messages']} messages; lost: " in err
    assert kit.files(closed) == before
    assert "nothing is cut off" in lam("recover", tmp_path)[2]
    assert "complete" in lam("recover", cut_off)[2]


def test_recover_goes_on_after_one_that_cannot_be_mended(
    kit: Any, tmp_path: Path, lam: Any
) -> None:
    open_folder = tmp_path / "episode_000000"
    with kit.open(open_folder):
        cut_off = kit.record(tmp_path / "episode_000001")
        (cut_off / "metadata.yaml").unlink()

        code, out, _ = lam("recover", open_folder, cut_off, "--json")

    answer = json.loads(out.splitlines()[-1])
    assert code == 1
    assert "is being recorded" in answer["failed"][str(open_folder)]
    assert [row["folder"] for row in answer["recovered"]] == [str(cut_off)]
