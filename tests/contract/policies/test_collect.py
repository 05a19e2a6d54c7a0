"""Collecting: resumable parts that training reads, the same for the same seeds."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from lam_policies.collect import CollectConfig, collect
from lam_policies.families import families, family_of
from lam_policies.practice import Practice, PracticeConfig
from lam_policies.served import PolicyInfo
from lam_policies.training.dataset import open_data
from lam_policies.training.frames import Frames
from lam_ros.config import load_robot
from lam_ros.core.errors import ConfigError, DataError
from lam_ros.core.types import ActionChunk, Observation
from lam_sim.catalog import kind_named
from lam_sim.ik import CartesianTeleop
from lam_sim.world import LockstepSim, SimConfig

ROBOT = load_robot("so101")
QUIET = Console(quiet=True)


def _read(folder: Path) -> list[Frames]:
    return open_data(folder, ROBOT, cache=None, stride=2, max_episodes=0)


def _ground(out: Path, **changes: object) -> CollectConfig:
    settings = {"scenes": 4, "first_seed": 900, "part": 2, "workers": 1, "pictures": 3, **changes}
    return CollectConfig("ground", str(out), **settings)  # type: ignore[arg-type]


def test_grounding_shows_where_things_are_and_no_action(tmp_path: Path) -> None:
    assert collect(_ground(tmp_path), QUIET) == 2
    parts = _read(tmp_path)
    assert [len(part) for part in parts] == [6, 6]
    for part in parts:
        assert np.isnan(part.action_rad).all()
        assert np.isfinite(part.places_m).all()
        assert part.pictures["front"].std() > 5
        assert part.pixels[:, 0, :, 2].mean() > 0.5  # the front camera sees most of the table
        assert part.made["how"] == "ground"
    assert [part.made["seeds"] for part in parts] == [[900, 902], [902, 904]]


def test_what_is_missing_is_made_again_and_the_same(tmp_path: Path) -> None:
    collect(_ground(tmp_path / "a"), QUIET)
    before = np.array(_read(tmp_path / "a")[1].pictures["wrist"])
    part = tmp_path / "a" / "ground_00000902_00000904"
    (part / "made.json").unlink()
    assert collect(_ground(tmp_path / "a"), QUIET) == 1
    assert np.array_equal(before, _read(tmp_path / "a")[1].pictures["wrist"])
    assert collect(_ground(tmp_path / "a"), QUIET) == 0


def test_demonstrations_give_poses_for_grounding(tmp_path: Path) -> None:
    shown = CollectConfig(
        "demonstrate", str(tmp_path / "shown"), scenes=1, first_seed=70, workers=1, window_rows=40
    )
    collect(shown, QUIET)
    frames = _read(tmp_path / "shown")[0]
    assert np.isfinite(frames.action_rad).all()
    assert len(frames.state_rad) == 40
    poses = str(shown.folder(shown.parts()[0]))
    collect(_ground(tmp_path / "seen", poses=poses, scenes=1), QUIET)
    assert np.ptp(_read(tmp_path / "seen")[0].state_rad, axis=0).max() > 0


def test_a_policy_drives_first_and_is_named(tmp_path: Path, checkpoint: Path) -> None:
    driven = CollectConfig(
        "dagger", str(tmp_path), scenes=1, first_seed=71, workers=1, policy=str(checkpoint),
        max_policy_s=0.5, window_rows=24,
    )  # fmt: skip
    collect(driven, QUIET)
    made = json.loads((driven.folder(range(71, 72)) / "made.json").read_text())
    assert made["policy"].startswith("checkpoint-")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"how": "dagger"}, "no policy"),
        ({"how": "ground", "scenes": 0}, "scenes is 0"),
        ({"how": "ground", "part": 0}, "part is 0"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        CollectConfig(**{"out": "unused", **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["drawer", "push", "sweep", "button", "home"])
def test_every_family_gives_rows_and_pictures_that_training_reads(
    tmp_path: Path, name: str
) -> None:
    shown = CollectConfig(
        "demonstrate", str(tmp_path / "shown"), scenes=1, first_seed=80, workers=1,
        window_rows=24, skills=(name,), mishap_share=1.0,
    )  # fmt: skip
    collect(shown, QUIET)
    collect(_ground(tmp_path / "seen", scenes=1, skills=(name,)), QUIET)
    frames, seen = _read(tmp_path / "shown")[0], _read(tmp_path / "seen")[0]
    assert np.isfinite(frames.action_rad).all()
    assert len(seen) == 3
    for part in (frames, seen):
        assert np.isfinite(part.places_m).all()
        assert part.made["skills"] == [name]
        assert {str(said.skill) for said in part.said} <= {
            "open", "close", "push", "sweep", "press", "home",
        }  # fmt: skip


def test_steps_of_a_chain_begin_where_the_one_before_left_the_arm_and_the_things(
    tmp_path: Path,
) -> None:
    shown = CollectConfig(
        "demonstrate", str(tmp_path), scenes=2, first_seed=84, workers=1, skills=("chains",)
    )
    collect(shown, QUIET)
    (part,) = _read(tmp_path)
    starts = np.concatenate([[0], np.unique(part.episode_end)[:-1]])
    assert len(starts) > 2
    assert len({said.skill for said in part.said}) > 1
    away_rad = np.abs(part.state_rad[starts] - np.array(ROBOT.poses.home_rad)).max(axis=1)
    assert away_rad.max() > 0.5, "no step began where a step passed over had left the arm"


def test_where_all_skills_are_collected_each_seed_has_its_family() -> None:
    among = families(["all"])
    drawn = [family_of(seed, among).name for seed in range(400)]
    for family in among:
        assert drawn.count(family.name) / 400 == pytest.approx(family.share, abs=0.07)
    assert sum(family.share for family in among) == pytest.approx(1.0)
    assert drawn == [family_of(seed, among).name for seed in range(400)]


def test_cameras_can_be_asked_to_stand_further_from_where_they_are_meant_to() -> None:
    near, far = (
        [
            dict(families(["sweep"], camera=strength)[0].episode(seed).scene.cameras)
            for seed in range(40)
        ]
        for strength in (1.0, 2.0)
    )
    for one, other in zip(near, far, strict=True):
        for name in ("front", "wrist"):
            assert other[name].offset_m == pytest.approx(
                [2 * value for value in one[name].offset_m]
            )


def test_distractors_can_have_the_colours_of_what_tasks_name() -> None:
    for alike in (False, True):
        (family,) = families(["placing"], alike_distractors=alike)
        seen = {
            item.color
            for seed in range(40)
            for item in family.episode(seed).scene.objects
            if kind_named(item.kind).is_distractor
        }
        assert bool(seen & {"red", "green", "blue"}) is alike


@pytest.mark.parametrize(
    "changes",
    [{"skills": ("drawers",)}, {"mishap_share": 1.5}, {"undone_share": -0.1}, {"camera": -1.0}],
)
def test_unknown_families_and_impossible_shares_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises((DataError, ConfigError), match=r"allowed|unknown|collect"):
        _ground(Path("nowhere"), **changes)


def test_what_looks_done_and_is_not_is_demonstrated_where_that_is_asked_for(tmp_path: Path) -> None:
    shown = CollectConfig(
        "demonstrate", str(tmp_path), scenes=3, first_seed=85, workers=1, skills=("chains",),
        undone_share=1.0, window_rows=24,
    )  # fmt: skip
    collect(shown, QUIET)
    (part,) = _read(tmp_path)
    assert part.n_episodes == 3, "one step each, and not five"
    assert part.made["undone_share"] == 1.0


def test_a_press_goes_on_downwards_and_ends_there_since_no_picture_tells_before_from_after(
    tmp_path: Path,
) -> None:
    shown = CollectConfig(
        "demonstrate", str(tmp_path), scenes=3, first_seed=80, workers=1, skills=("button",)
    )
    collect(shown, QUIET)
    teleop = CartesianTeleop(ROBOT)
    (part,) = _read(tmp_path)
    for end in np.unique(part.episode_end):
        shown_rows = part.episode_end == end
        low_m = [
            teleop.tool_pose(row).position_m[2]
            for row in part.state_rad[shown_rows][-8:].astype(float)
        ]
        aim_m = [
            teleop.tool_pose(row).position_m[2]
            for row in part.action_rad[shown_rows][-8:].astype(float)
        ]
        assert max(low_m) < min(low_m) + 0.003
        assert max(aim_m) < min(low_m), "it aims no deeper than where the button gives way to"


def test_where_only_failures_are_wanted_the_expert_shows_what_the_policy_failed_at(
    tmp_path: Path, checkpoint: Path
) -> None:
    wanted = CollectConfig(
        "dagger", str(tmp_path), scenes=2, first_seed=60, part=2, workers=1,
        policy=str(checkpoint), max_policy_s=0.5, only_failures=True,
    )  # fmt: skip
    collect(wanted, QUIET)
    (part,) = _read(tmp_path)
    assert part.n_episodes == 2, "an untrained policy fails at both"


def test_where_only_failures_are_wanted_what_the_policy_can_do_is_left_out() -> None:
    home, button = families(["home", "button"])
    sim = LockstepSim(ROBOT, SimConfig(scene=button.scene))
    wanted = PracticeConfig(max_policy_s=5.0, only_failures=True, window_rows=24)
    practice = Practice(sim, wanted, _GoesHome())
    assert list(practice.run(home.episode(60))) == []
    assert len(list(practice.run(button.episode(60)))) == 1


class _GoesHome:
    """A policy that knows one thing."""

    info = PolicyInfo("goes_home", ("home",), 4, ROBOT.cameras[0].period_ns, ROBOT)

    def reset(self) -> None:
        """Nothing is kept."""

    def infer(self, observation: Observation, prompt: str) -> ActionChunk:
        """Return a way home."""
        del prompt
        shares = np.linspace(0.1, 0.4, 4)[:, None]
        start_rad = observation.state_rad
        way_rad = start_rad + shares * (np.array(ROBOT.poses.home_rad) - start_rad)
        return self.info.chunk(observation, way_rad, 0)
