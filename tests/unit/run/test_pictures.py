"""The film and the sheet: what they say, and that they can be read."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from lam_ros.config import load_robot
from lam_ros.core.clock import NS_PER_S
from lam_ros.core.errors import DataError
from lam_ros.core.skills import Skill, Step
from lam_ros.planning.outcome import PlannedStep
from lam_ros.planning.progress import PlanProgress, StepProgress, StepStatus
from lam_ros.run.canvas import column, text_line
from lam_ros.run.film import SIZE_PX, Stage, Words, shoot
from lam_ros.run.recording import Moment, StateLog, load_moments
from lam_ros.run.sheet import make_sheet
from lam_ros.run.timeline import Safety, Timeline, Track
from lam_sim.sampling import sample_scene
from lam_sim.scenes import SceneConfig
from lam_sim.world import LockstepSim, SimConfig

PROMPT = "put the red cube in the blue bowl"
PLANNED = PlannedStep(Step(Skill.PLACE_IN, "red_cube_1", "blue_bowl_1"), PROMPT)


def plan(status: StepStatus, current: int = 0) -> PlanProgress:
    """Return a plan of one step."""
    return PlanProgress(PROMPT, (StepProgress(PLANNED, status),), current, 0, "")


def timeline() -> Timeline:
    """Return four seconds in which a cube is taken, dropped and done with."""
    made = Timeline(start_ns=NS_PER_S, end_ns=5 * NS_PER_S)
    made.plans.add(NS_PER_S, plan(StepStatus.RUNNING))
    made.plans.add(5 * NS_PER_S - 1, plan(StepStatus.DONE, 1))
    made.safety.add(NS_PER_S, Safety("PASS", "ok"))
    made.held.add(NS_PER_S, "")
    made.held.add(2 * NS_PER_S, "red_cube_1")
    made.held.add(3 * NS_PER_S, "")
    made.latency_ms.add(2 * NS_PER_S, 40.0)
    made.latency_ms.add(3 * NS_PER_S, 50.0)
    return made


def test_a_track_answers_with_what_was_in_force() -> None:
    track: Track[str] = Track()
    for stamp, value in ((10, "a"), (20, "a"), (30, "b")):
        track.add(stamp, value)
    assert [track.at(time) for time in (9, 10, 29, 30, 99)] == [None, "a", "a", "b", "b"]
    assert track.values == ["a", "b"]


def test_the_captions_follow_the_time() -> None:
    made = timeline()
    assert made.step_line(0) == "planning"
    assert made.step_line(2 * NS_PER_S) == f"step 1 of 1: {PROMPT}"
    assert "1.0 s" in made.status_line(2 * NS_PER_S)
    assert "40 ms" in made.status_line(2 * NS_PER_S)
    assert made.mean_latency_ms == 45.0


def test_key_moments_are_in_order_and_end_with_the_verdict() -> None:
    keys = timeline().key_moments("done")
    captions = [key.caption for key in keys]
    assert captions[0] == "the instruction is given"
    assert captions[-1] == "done"
    assert {"takes red_cube_1", "lets go of red_cube_1", f"done: {PROMPT}"} <= set(captions)
    assert [key.stamp_ns for key in keys] == sorted(key.stamp_ns for key in keys)
    assert len(keys) <= 12


def test_text_too_long_is_cut_and_anything_can_be_written() -> None:
    for text in ("x" * 5000, "", "grün ✓ 蓝", "a\nb"):
        assert text_line(text, 200, 30).shape == (30, 200, 3)


@pytest.mark.parametrize(
    "sizes",
    [[(128, 80), (96, 96)], [(640, 480)] * 3, [(96, 96)] * 9, [(20, 200), (200, 20)], [(1, 1)], []],
)
def test_pictures_of_any_sizes_stand_in_a_column_undistorted(sizes: list[tuple[int, int]]) -> None:
    images = [np.zeros((height, width, 3), np.uint8) for width, height in sizes]
    boxes = column(images, 240, 480, 4)
    below = 0
    for (width, height), box in zip(sizes, boxes, strict=True):
        assert box.top_px >= below
        below = box.top_px + box.height_px
        assert box.width_px <= 240
        assert box.height_px == pytest.approx(
            box.width_px * height / width, abs=max(1, height / width)
        )
    assert below <= 480
    if sizes:
        assert below > 450 or max(box.width_px for box in boxes) == 240


def test_a_recording_is_read_back_or_refused(tmp_path: Path) -> None:
    log = StateLog(max_moments=2)
    for stamp in (1, 2, 3):
        log.add(Moment(stamp, np.arange(3.0), {"front": np.full((2, 2, 3), stamp, np.uint8)}))
    path = tmp_path / "recording.npz"
    log.save(path)
    moments = load_moments(path)
    assert [moment.stamp_ns for moment in moments] == [1, 2]
    assert moments[1].images["front"].max() == 2
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(DataError, match=r"recording\.npz"):
        load_moments(path)
    with pytest.raises(DataError):
        load_moments(tmp_path / "none.npz")


@pytest.mark.parametrize(
    "family",
    [
        SceneConfig(include=("red cube", "blue bowl")),
        SceneConfig(include=("white drawer",), cubes=(1, 1), bowls=(0, 0), spots=(0, 0)),
    ],
    ids=["cubes and bowls", "a drawer"],
)
def test_film_and_sheet_are_written_from_a_recording(tmp_path: Path, family: SceneConfig) -> None:
    robot = load_robot("so101")
    sim = LockstepSim(robot, SimConfig(scene=family))
    images = dict(sim.reset(sample_scene(family, 3)).images)
    moments = []
    for index in range(6):
        for _ in range(5):
            sim.step(np.array(robot.poses.rest_rad))
        stamp = NS_PER_S + index * NS_PER_S
        moments.append(Moment(stamp, sim.data.qpos.copy(), images))
    sim.close()
    words = Words(PROMPT, "done: it holds", True, "lam_so101")
    stage = Stage(robot, family, 3)
    shoot(tmp_path / "video.mp4", moments, stage, timeline(), words)
    make_sheet(tmp_path / "sheet.png", moments, stage, timeline(), words)
    stage.close()

    with av.open(str(tmp_path / "video.mp4")) as film:
        assert film.streams.video[0].codec_context.name == "h264"
        frames = list(film.decode(video=0))
    assert (frames[0].width, frames[0].height) == SIZE_PX
    assert float(frames[5].time) == pytest.approx(5.0, abs=0.01)
    last = frames[-1].to_ndarray(format="rgb24")
    assert float(frames[-1].time) == pytest.approx(7.0, abs=0.05)
    green = last[50, 700].astype(int)  # the verdict's band
    assert green[1] > green[0] + 40
    assert np.abs(frames[0].to_ndarray(format="rgb24").astype(int) - last).mean() > 2
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size[0] > 1200
