"""pi0 in small, with random weights: LeRobot's answers, real-time chunking, no network."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import small_pi0
import torch
from lerobot.configs import PreTrainedConfig
from lerobot.policies.factory import get_policy_class, make_pre_post_processors
from lerobot.utils.constants import OBS_STATE
from noise import noise_pictures

from lam_policies.lerobot_served import LerobotServed
from lam_policies.loader import load_policy
from lam_policies.precision import TOLERANCE_RAD
from lam_policies.processors import TOKENIZER
from lam_ros.config import load_robot
from lam_ros.core.errors import MachineError
from lam_ros.core.stitching import Stitch, Stitcher
from lam_ros.core.types import Observation

ROBOT = load_robot("so101")
PROMPT = "put the red cube in the blue bowl"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A checkpoint of pi0 in small; while it is used, pi0 is small."""
    with small_pi0.small_sizes():
        yield small_pi0.save_small_pi0(ROBOT, tmp_path_factory.mktemp("pi0") / "pi0")


@pytest.fixture(scope="module")
def policy(folder: Path) -> LerobotServed:
    loaded = load_policy(folder, ROBOT, device="cpu")
    assert isinstance(loaded, LerobotServed)
    return loaded


def _seen(stamp_ns: int, seed: int) -> Observation:
    rng = np.random.default_rng(seed)
    images = noise_pictures(ROBOT, rng)
    return Observation(stamp_ns, np.array(ROBOT.poses.home_rad), images)


def test_it_answers_as_through_lerobots_own_select_action(
    folder: Path, policy: LerobotServed
) -> None:
    config = PreTrainedConfig.from_pretrained(folder)
    own = get_policy_class("pi0").from_pretrained(folder, config=config)
    before, after = make_pre_post_processors(
        config,
        pretrained_path=str(folder),
        preprocessor_overrides={"tokenizer_processor": {"tokenizer_name": str(folder / TOKENIZER)}},
    )
    seen = _seen(0, 0)
    batch = {OBS_STATE: torch.from_numpy(np.array(seen.state_rad)).float(), "task": PROMPT}
    for camera, picture in seen.images.items():
        floats = torch.from_numpy(np.array(picture)).permute(2, 0, 1).float() / 255
        batch[ROBOT.image_feature(camera)] = floats
    torch.manual_seed(1)
    expected = after(own.select_action(before(batch)))[0].double().numpy()
    policy.reset()
    torch.manual_seed(1)
    chunk = policy.infer(seen, PROMPT)
    assert len(chunk.targets_rad) == small_pi0.HORIZON
    np.testing.assert_allclose(
        chunk.targets_rad[0],
        np.clip(expected, ROBOT.lower_rad, ROBOT.upper_rad),
        atol=TOLERANCE_RAD if policy.is_mixed else 1e-4,
    )


def test_what_is_said_reaches_it(policy: LerobotServed) -> None:
    answers = []
    for prompt in (PROMPT, PROMPT, "go home"):
        policy.reset()
        torch.manual_seed(1)
        answers.append(policy.infer(_seen(0, 0), prompt).targets_rad)
    np.testing.assert_array_equal(answers[0], answers[1])
    assert not np.array_equal(answers[0], answers[2])


def _apart_rad(policy: LerobotServed, stitch: Stitch, later: int, late: int) -> np.ndarray:
    """Return by row how far a chunk is from what is left of the one `later` steps before."""
    dt_ns = policy.info.dt_ns
    stitcher = Stitcher(policy, stitch)
    policy.reset()
    torch.manual_seed(0)
    first = stitcher.infer(_seen(0, 0), PROMPT)
    stitcher.sent(first, late * dt_ns)
    second = stitcher.infer(_seen(later * dt_ns, 1), PROMPT)
    rest = first.targets_rad[later:]
    return np.abs(second.targets_rad[: len(rest)] - rest).max(1)


def test_a_chunk_begins_as_the_rest_of_the_one_that_plays_and_is_free_after_it(
    policy: LerobotServed,
) -> None:
    assert policy.can_go_on
    alone = _apart_rad(policy, Stitch.BLEND, later=3, late=2)
    told = _apart_rad(policy, Stitch.AUTO, later=3, late=2)
    assert (told[:2] < 0.1 * alone[:2]).all()  # the rows that will have been played
    assert told[0] < told[-1]
    assert (told < 0.5 * alone).all()


def test_a_chunk_that_is_over_or_was_never_sent_is_not_gone_on_from(policy: LerobotServed) -> None:
    dt_ns = policy.info.dt_ns

    def second(sent: bool, later: int) -> np.ndarray:
        stitcher = Stitcher(policy)
        policy.reset()
        torch.manual_seed(0)
        first = stitcher.infer(_seen(0, 0), PROMPT)
        if sent:
            stitcher.sent(first, dt_ns)
        torch.manual_seed(5)
        rows: np.ndarray = stitcher.infer(_seen(later * dt_ns, 1), PROMPT).targets_rad
        return rows

    never = second(sent=False, later=3)
    np.testing.assert_array_equal(second(sent=True, later=small_pi0.HORIZON), never)
    assert not np.array_equal(second(sent=True, later=3), never)


def test_without_its_tokenizer_one_line_says_what_to_download(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    bare = tmp_path / "bare"
    bare.mkdir()
    for path in folder.iterdir():
        if path.is_file():
            (bare / path.name).symlink_to(path)
    assert "google/paligemma-3b-pt-224" in json.dumps(
        json.loads((bare / "policy_preprocessor.json").read_text())
    )
    with pytest.raises(MachineError, match="hf download google/paligemma-3b-pt-224") as caught:
        load_policy(bare, ROBOT, device="cpu")
    assert "\n" not in str(caught.value)
