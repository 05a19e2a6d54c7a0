"""What `lam episodes show` finds in recordings."""

from __future__ import annotations

import argparse
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from lam_ros.core.robot import RobotDescription
from lam_ros.recording.quality.command import main
from lam_ros.recording.synthetic import Synthetic, write_episode


@pytest.fixture
def show(tmp_path, capsys):
    """Run `lam episodes show` on tmp_path/recordings and return what it says for machines."""

    def run(robot="", report=""):
        arguments = argparse.Namespace(
            folders=[str(tmp_path / "recordings")], robot=robot, report=report, json=True
        )
        assert main(arguments) == 0
        return json.loads(capsys.readouterr().out.splitlines()[-1])

    return run


@pytest.fixture
def our_robot(robot_data) -> RobotDescription:
    cameras = {
        name: {"width_px": 160, "height_px": 120, "rate_hz": 30.0, "stale_after_s": 0.2}
        for name in ("front", "wrist")
    }
    return RobotDescription.from_dict({**robot_data, "cameras": cameras})


def test_a_camera_that_is_80_ms_late_is_found_and_named(tmp_path, our_robot, show):
    for seed in range(3):
        episode = Synthetic(8.0, seed=seed, camera_delay_s={"wrist": 0.08})
        write_episode(tmp_path / f"recordings/episode_{seed:06d}", our_robot, episode)
    found = show()
    assert found["skew_ms"]["wrist"] == pytest.approx(80, abs=10)
    assert found["skew_ms"]["front"] == pytest.approx(0, abs=10)
    assert any("camera wrist" in note and "behind the joints" in note for note in found["notes"])


def test_a_sound_episode_has_no_flags(tmp_path, our_robot, show):
    write_episode(tmp_path / "recordings/episode_000000", our_robot, Synthetic(8.0, seed=1))
    [episode] = show()["episodes"]
    assert episode["flags"] == []
    assert episode["streams"]["front"]["rate_hz"] == pytest.approx(30, abs=0.1)
    assert episode["jerk_rad_s3"] > 0


def test_gaps_low_rates_faults_and_clamped_commands_are_flagged_with_figures(
    tmp_path, bag, make_stream, show, robot_yaml
):
    slow = make_stream(20.0, lag_s=0.012)
    silent = make_stream(30.0, lag_s=0.012, silent=[(2.0, 3.0)])
    replace(
        bag, seconds=5.0, camera_streams={"front": silent, "wrist": slow}, broken_pictures=(3,)
    ).write(tmp_path / "recordings/a")
    [episode] = show(robot=robot_yaml())["episodes"]
    text = "\n".join(episode["flags"])
    assert re.search(r"gaps: 1, the longest 0\.\d\d s: front", text)
    assert re.search(r"wrist: (19|20)\.\d Hz came, 30 Hz is meant", text)
    assert "1 x front: truncated picture" in text
    assert "safety changed 100% of the commands" in text


@pytest.mark.parametrize(
    ("what", "text"), [("black", "its picture is black"), ("frozen", "pictures are the same")]
)
def test_black_and_frozen_pictures_are_flagged(tmp_path, bag, show, robot_yaml, what, text):
    replace(bag, **{what: range(40, 70)}).write(tmp_path / "recordings/a")
    [episode] = show(robot=robot_yaml())["episodes"]
    assert any("camera 'front'" in flag and text in flag for flag in episode["flags"])


def test_an_episode_unlike_the_others_is_flagged_with_both_figures(tmp_path, our_robot, show):
    for k in range(6):
        episode = Synthetic(9.0 if k == 4 else 3.0 + 0.1 * k, seed=k)
        write_episode(tmp_path / f"recordings/episode_{k:06d}", our_robot, episode)
    flagged = [episode["flags"] for episode in show()["episodes"]]
    assert any("length 9.0 s, the others about 3." in flag for flag in flagged[4])
    assert not any("length" in flag for k in (0, 1, 2, 3, 5) for flag in flagged[k])


def test_what_cannot_be_read_is_said_and_the_others_are_shown(tmp_path, bag, show, robot_yaml):
    bag.write(tmp_path / "recordings/a")
    (tmp_path / "recordings/b").mkdir()
    (tmp_path / "recordings/b/b.mcap").touch()
    found = show(robot=robot_yaml())
    assert "seconds" in found["episodes"][0]
    assert found["episodes"][1]["flags"][0]


class Links(HTMLParser):
    """Collects what a page would fetch, and its tags that are open."""

    def __init__(self):
        super().__init__()
        self.fetched, self.open, self.counts = [], [], {}

    def handle_starttag(self, tag, attrs):
        self.counts[tag] = self.counts.get(tag, 0) + 1
        self.fetched += [value for name, value in attrs if name in ("src", "href", "srcset")]
        if tag not in ("meta", "img", "br", "rect", "line", "path"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag in self.open:
            assert self.open.pop() == tag


def test_the_page_is_one_file_that_fetches_nothing(tmp_path, our_robot, show):
    for seed in range(2):
        write_episode(tmp_path / f"recordings/{seed}", our_robot, Synthetic(4.0, seed=seed))
    report = tmp_path / "report/page.html"
    show(report=str(report))
    page = Links()
    page.feed(report.read_text())
    assert page.fetched
    assert all(link.startswith(("data:image/jpeg;base64,", "#")) for link in page.fetched)
    assert "@import" not in report.read_text()
    assert page.open == []
    assert page.counts["img"] == 2 * 2 * 8
    assert page.counts["svg"] == 2 * (6 + 3)


def test_texts_of_a_recording_are_shown_as_text(tmp_path, our_robot, show):
    evil = Synthetic(4.0, instruction="<script>alert(1)</script>")
    write_episode(tmp_path / "recordings/0", our_robot, evil)
    report = tmp_path / "page.html"
    show(report=str(report))
    assert "<script>" not in report.read_text()
