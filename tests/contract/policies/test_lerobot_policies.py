"""Policies of LeRobot's kinds: the same answers as LeRobot's own, and refusals in one line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from lerobot.configs import PreTrainedConfig
from lerobot.policies.factory import get_policy_class, make_pre_post_processors
from lerobot.utils.constants import OBS_STATE
from noise import noise_pictures
from safetensors.torch import load_file, save_file

from lam_policies.checkpoint import WEIGHTS, checkpoint_for, find_policy
from lam_policies.lerobot_served import LerobotServed
from lam_policies.loader import load_policy
from lam_policies.precision import TOLERANCE_RAD
from lam_policies.processors import BEFORE
from lam_ros.config import load_robot
from lam_ros.core.errors import CheckpointError, FingerprintMismatch, LamError, MachineError
from lam_ros.core.types import Observation

ROBOT = load_robot("so101")
KINDS = ("act", "diffusion", "vqbet")
STEP_NS = ROBOT.cameras[0].period_ns


@pytest.fixture(scope="module")
def small(
    save_small: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Path]:
    """Return the folder of a small policy of a kind, which is made once."""
    root = tmp_path_factory.mktemp("lerobot")

    def folder(kind: str) -> Path:
        where = root / kind
        return where if where.exists() else save_small(kind, ROBOT, where)

    return folder


def _seen(stamp_ns: int, seed: int) -> Observation:
    rng = np.random.default_rng(seed)
    images = noise_pictures(ROBOT, rng)
    return Observation(stamp_ns, np.array(ROBOT.poses.home_rad) + rng.normal(0, 0.1, 6), images)


def _as_lerobot(observation: Observation) -> dict[str, object]:
    """Return an observation as LeRobot's own loop hands it to the processors."""
    batch: dict[str, object] = {
        OBS_STATE: torch.from_numpy(np.array(observation.state_rad)).float(),
        "task": "put the red cube in the blue bowl",
    }
    for camera, picture in observation.images.items():
        floats = torch.from_numpy(np.array(picture)).permute(2, 0, 1).float() / 255
        batch[ROBOT.image_feature(camera)] = floats
    return batch


def _lerobots_own(folder: Path, seen: list[Observation]) -> np.ndarray:
    """Return the targets that LeRobot's `select_action` gives after these observations."""
    config = PreTrainedConfig.from_pretrained(folder)
    policy = get_policy_class(config.type).from_pretrained(folder, config=config)
    before, after = make_pre_post_processors(config, pretrained_path=str(folder))
    torch.manual_seed(1)
    for observation in seen:
        batch = before(_as_lerobot(observation))
        # Its queue of actions is emptied, so that the last observation is the one answered.
        for queue in (
            getattr(policy, "_queues", {}).get("action"),
            policy.__dict__.get("_action_queue"),
        ):
            if queue is not None:
                queue.clear()
        torch.manual_seed(1)
        action = after(policy.select_action(batch))
    answer: np.ndarray = action[0].double().numpy()
    return np.clip(answer, ROBOT.lower_rad, ROBOT.upper_rad)


@pytest.mark.parametrize("kind", KINDS)
def test_a_policy_answers_as_through_lerobots_own_select_action(
    kind: str, small: Callable[[str], Path]
) -> None:
    policy = load_policy(small(kind), ROBOT, device="cpu")
    seen = [_seen(k * STEP_NS, k) for k in range(5)]
    own = _lerobots_own(small(kind), seen)
    policy.warm_up()
    for observation in seen[:-1]:
        policy.observe(observation)
    torch.manual_seed(1)
    chunk = policy.infer(seen[-1], "put the red cube in the blue bowl")
    assert chunk.obs_stamp_ns == seen[-1].stamp_ns
    assert isinstance(policy, LerobotServed)
    allowed_rad = TOLERANCE_RAD if policy.is_mixed else 1e-4
    np.testing.assert_allclose(chunk.targets_rad[0], own, rtol=0, atol=allowed_rad)


def test_a_diffusion_policy_that_does_not_look_back_answers_as_through_select_action(
    save_small: Callable[..., Path], tmp_path: Path
) -> None:
    folder = save_small("diffusion", ROBOT, tmp_path / "diffusion", n_obs_steps=1)
    policy, seen = load_policy(folder, ROBOT, device="cpu"), [_seen(0, 3)]
    own = _lerobots_own(folder, seen)
    policy.warm_up()
    torch.manual_seed(1)
    chunk = policy.infer(seen[-1], "put the red cube in the blue bowl")
    np.testing.assert_allclose(chunk.targets_rad[0], own, rtol=0, atol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_view_gives_the_same_answer_after_a_reset(
    kind: str, small: Callable[[str], Path]
) -> None:
    policy = load_policy(small(kind), ROBOT, device="cpu")
    answers = []
    for _ in range(2):
        policy.reset()
        torch.manual_seed(3)
        chunks = [policy.infer(_seen(k * 4 * STEP_NS, k), "go") for k in range(2)]
        answers.append(np.stack([chunk.targets_rad for chunk in chunks]))
        assert [chunk.sequence for chunk in chunks] == [0, 1]
    np.testing.assert_array_equal(*answers)


def test_scaling_processors_become_one_operation_and_norms_are_folded(
    small: Callable[[str], Path],
) -> None:
    policy = load_policy(small("act"), ROBOT, device="cpu")
    assert isinstance(policy, LerobotServed)
    assert policy.is_folded
    names = [type(module).__name__ for module in policy.policy.modules()]
    assert "FrozenBatchNorm2d" not in names


def test_what_a_checkpoint_does_not_tell_is_told(small: Callable[[str], Path]) -> None:
    checkpoint = checkpoint_for(small("act"), ROBOT)
    assert "limits of the joints" in checkpoint.unchecked
    assert checkpoint.info.dt_ns == STEP_NS


def _refusal(folder: Path, kind: type[LamError]) -> str:
    with pytest.raises(kind) as caught:
        load_policy(folder, ROBOT, device="cpu")
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 500
    return message


def test_a_processor_that_names_an_import_is_refused_and_nothing_is_imported(
    save_small: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = save_small("act", ROBOT, tmp_path / "act")
    (tmp_path / "hostile_step.py").write_text("raise SystemExit('it was imported')")
    monkeypatch.syspath_prepend(str(tmp_path))
    steps = json.loads((folder / BEFORE).read_text())
    steps["steps"].append({"class": "hostile_step.Step", "config": {}})
    (folder / BEFORE).write_text(json.dumps(steps))
    assert "names 'hostile_step.Step' to import" in _refusal(folder, CheckpointError)


def test_an_unregistered_step_is_refused(save_small: Callable[..., Path], tmp_path: Path) -> None:
    folder = save_small("act", ROBOT, tmp_path / "act")
    steps = json.loads((folder / BEFORE).read_text())
    steps["steps"][0]["registry_name"] = "no_such_step"
    (folder / BEFORE).write_text(json.dumps(steps))
    assert "step 'no_such_step' is not known here" in _refusal(folder, CheckpointError)


def _edit(folder: Path, edit: Callable[[dict[str, object]], None]) -> None:
    config = json.loads((folder / "config.json").read_text())
    edit(config)
    (folder / "config.json").write_text(json.dumps(config))


def test_features_of_another_robot_are_refused_with_each_difference(
    save_small: Callable[..., Path], tmp_path: Path
) -> None:
    folder = save_small("act", ROBOT, tmp_path / "act")

    def foreign(config: dict[str, object]) -> None:
        config["output_features"] = {"action": {"type": "ACTION", "shape": [7]}}
        inputs = dict(config["input_features"])  # type: ignore[call-overload]
        inputs["observation.images.top"] = inputs.pop("observation.images.wrist")
        config["input_features"] = inputs

    _edit(folder, foreign)
    message = _refusal(folder, FingerprintMismatch)
    assert "action [7] there, [6] here" in message
    assert "it wants observation.images.top" in message


def test_a_policy_that_was_trained_in_degrees_is_refused(
    save_small: Callable[..., Path], tmp_path: Path
) -> None:
    folder = save_small("act", ROBOT, tmp_path / "act", far_rad=90)
    assert "degrees, it seems" in _refusal(folder, FingerprintMismatch)


def test_truncated_weights_are_refused(save_small: Callable[..., Path], tmp_path: Path) -> None:
    folder = save_small("act", ROBOT, tmp_path / "act")
    weights = folder / WEIGHTS
    weights.write_bytes(weights.read_bytes()[:1000])
    assert "is no safetensors file" in _refusal(folder, CheckpointError)


def test_weights_with_a_part_missing_are_refused(
    save_small: Callable[..., Path], tmp_path: Path
) -> None:
    folder = save_small("act", ROBOT, tmp_path / "act")
    weights = load_file(folder / WEIGHTS)
    weights.pop("model.action_head.weight")
    save_file(weights, folder / WEIGHTS)
    assert "1 missing, 0 unknown" in _refusal(folder, CheckpointError)


def test_weights_of_nan_end_the_answer(save_small: Callable[..., Path], tmp_path: Path) -> None:
    folder = save_small("act", ROBOT, tmp_path / "act")
    weights = load_file(folder / WEIGHTS)
    weights["model.action_head.bias"].fill_(float("nan"))
    save_file(weights, folder / WEIGHTS)
    policy = load_policy(folder, ROBOT, device="cpu")
    with pytest.raises(ValueError, match="answers with NaN"):
        policy.infer(_seen(0, 0), "go")


def test_a_type_that_nobody_knows_is_answered_with_those_known(
    save_small: Callable[..., Path], tmp_path: Path
) -> None:
    folder = save_small("act", ROBOT, tmp_path / "act")
    _edit(folder, lambda config: config.update(type="acr"))
    message = _refusal(folder, CheckpointError)
    assert "unknown policy type 'acr'" in message
    assert "Did you mean 'act'?" in message


def test_a_kind_that_is_not_the_checkpoints_is_refused(small: Callable[[str], Path]) -> None:
    with pytest.raises(CheckpointError, match="give policy=act"):
        checkpoint_for(small("act"), ROBOT, "diffusion")


@pytest.mark.parametrize(
    ("kind", "path", "error", "told"),
    [
        ("smolvla", "", CheckpointError, "policy.path=FOLDER or lerobot/smolvla_base"),
        ("act", "", CheckpointError, "lam train policy=act"),
        ("act", "/nowhere/at/all", CheckpointError, "no such folder"),
        ("pi0", "lerobot/pi0_base", MachineError, "hf download lerobot/pi0_base"),
    ],
)
def test_without_a_network_one_line_says_what_to_download(
    kind: str,
    path: str,
    error: type[LamError],
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(error) as caught:
        find_policy(kind, "", path)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)
