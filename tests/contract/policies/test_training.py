"""Training: exact resumption, and files that are whole at any time."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from lam_policies.training import store
from lam_policies.training.batches import Batcher
from lam_policies.training.closed_loop import BEST
from lam_policies.training.command import main
from lam_policies.training.config import TrainConfig
from lam_policies.training.frames import Frames
from lam_policies.training.loop import CHECKPOINT, Trainer, policy_config
from lam_policies.training.state import STATE_FILE
from lam_ros.config import load_robot
from lam_ros.core.errors import CheckpointError, ConfigError, DataError

ROBOT = load_robot("so101")

MakeConfig = Callable[..., TrainConfig]
MakeFrames = Callable[..., Frames]
MakeTrainer = Callable[[Path, int], Trainer]


@pytest.fixture
def trainer(toy_config: MakeConfig, toy_frames: MakeFrames) -> MakeTrainer:
    """Make a trainer of the toy world, for a folder and a number of steps."""

    def make(folder: Path, steps: int) -> Trainer:
        return Trainer(toy_config(str(folder), steps), ROBOT, [toy_frames()])

    return make


class _Killed(Exception):
    pass


def _kill_after(trainer: Trainer, step: int) -> None:
    """Run until a step, save there, and stop as a kill does."""
    original = trainer._step

    def stepping(batch: dict[str, torch.Tensor]) -> dict[str, float]:
        if trainer.state.step == step:
            trainer.save()
            raise _Killed
        return original(batch)

    trainer._step = stepping  # type: ignore[method-assign]
    with pytest.raises(_Killed):
        trainer.run()


def test_a_resumed_run_ends_with_the_same_weights(tmp_path: Path, trainer: MakeTrainer) -> None:
    whole = trainer(tmp_path / "whole", 12).run()
    _kill_after(trainer(tmp_path / "parts", 12), 5)
    resumed = trainer(tmp_path / "parts", 12)
    assert resumed.state.step == 5
    parts = resumed.run()
    expected = load_file(whole / "model.safetensors")
    found = load_file(parts / "model.safetensors")
    assert expected.keys() == found.keys()
    for name, value in expected.items():
        assert torch.equal(value, found[name]), name


def _store(frames: Frames, folder: Path) -> Path:
    """Write decoded data as `lam train` finds them."""
    arrays = {name: getattr(frames, name) for name in store.ARRAYS}
    store.save(folder, arrays, frames.said)
    for camera, pictures in frames.pictures.items():
        store.picture_file(folder, camera).write_bytes(pictures.tobytes())
    return folder


def test_a_run_that_is_killed_goes_on_to_the_same_weights(
    tmp_path: Path, toy_config: MakeConfig, toy_frames: MakeFrames
) -> None:
    data = _store(toy_frames(), tmp_path / "data")

    small = toy_config("unused", 1).policy

    def told(out: str) -> list[str]:
        return [
            f"data=[{data}]", f"out={tmp_path / out}", "steps=40", "batch_size=8", "threads=1",
            "warmup_steps=5", "bf16=false", "checkpoint_minutes=0.0001",
            *(f"+policy.{key}={value}" for key, value in small.items()),
        ]  # fmt: skip

    running = subprocess.Popen([sys.executable, "-m", "lam_policies.training", *told("killed")])
    state = tmp_path / "killed" / STATE_FILE
    until_s = time.monotonic() + 250
    while not state.exists() and running.poll() is None and time.monotonic() < until_s:
        time.sleep(0.005)
    running.kill()
    running.wait()
    stopped = torch.load(state, weights_only=True)["step"]
    assert stopped > 0
    main(told("killed"))
    main(told("whole"))
    weights = [
        load_file(tmp_path / out / CHECKPOINT / "model.safetensors") for out in ("killed", "whole")
    ]
    assert all(torch.equal(value, weights[1][name]) for name, value in weights[0].items())


def test_figures_go_to_tensorboard_and_a_resumed_run_goes_on_there(
    tmp_path: Path, toy_config: MakeConfig, toy_frames: MakeFrames
) -> None:
    config = toy_config(str(tmp_path), 50, tracker="tensorboard")
    Trainer(config, ROBOT, [toy_frames()]).run()
    Trainer(replace(config, steps=100), ROBOT, [toy_frames()]).run()
    found = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert [event.step for event in found.Scalars("loss")] == [50, 100]
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [event.value for event in found.Scalars("loss")] == pytest.approx(
        [row["loss"] for row in rows]
    )
    assert {"action", "lr", "samples_per_s"} <= set(found.Tags()["scalars"])


def test_figures_go_to_wandb_without_a_network(
    tmp_path: Path, toy_config: MakeConfig, toy_frames: MakeFrames, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")
    Trainer(toy_config(str(tmp_path), 50, tracker="wandb"), ROBOT, [toy_frames()]).run()
    (written,) = tmp_path.glob("wandb/offline-run-*/run-*.wandb")
    assert written.stem == "run-" + (tmp_path / "wandb_id").read_text()
    content = written.read_bytes()
    assert b"samples_per_s" in content
    assert b"batch_size" in content


def test_a_joint_that_is_no_number_is_refused_and_nobody_acting_is_not(
    tmp_path: Path, toy_config: MakeConfig, toy_frames: MakeFrames
) -> None:
    frames = toy_frames(length=20)
    config = toy_config(str(tmp_path), 1)
    for name, told in (("state_rad", "state"), ("action_rad", "action")):
        values = getattr(frames, name).copy()
        values[45, 2] = np.nan
        with pytest.raises(DataError, match=f"{told} is not finite in 1 rows, first in episode 2"):
            Trainer(config, ROBOT, [replace(frames, **{name: values})])
    still = replace(frames, action_rad=np.full_like(frames.action_rad, np.nan))
    Trainer(config, ROBOT, [frames, still])


def test_a_checkpoint_drives_and_the_best_is_kept(
    tmp_path: Path, toy_config: MakeConfig, toy_frames: MakeFrames
) -> None:
    config = toy_config(str(tmp_path), 1, eval_episodes=1, eval_suite="home", tracker="tensorboard")
    trainer = Trainer(config, ROBOT, [toy_frames()])
    trainer.run()
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    (judged,) = [row for row in rows if "success" in row]
    best = json.loads((tmp_path / BEST / "lam.json").read_text())
    assert best["success"] == judged["success"] == judged["best_success"]
    assert best["sha256"] == json.loads((tmp_path / CHECKPOINT / "lam.json").read_text())["sha256"]
    found = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert [event.step for event in found.Scalars("success")] == [1]


def test_an_evaluation_that_fails_is_told_and_the_run_ends_well(
    tmp_path: Path,
    toy_config: MakeConfig,
    toy_frames: MakeFrames,
    capfd: pytest.CaptureFixture[str],
) -> None:
    config = toy_config(str(tmp_path), 1, eval_episodes=1, eval_suite="no_such_suite")
    folder = Trainer(config, ROBOT, [toy_frames()]).run()
    assert (folder / "model.safetensors").is_file()
    assert "the checkpoint could not be evaluated" in capfd.readouterr().err


def test_a_finished_run_does_nothing_more(tmp_path: Path, trainer: MakeTrainer) -> None:
    trainer(tmp_path, 3).run()
    again = trainer(tmp_path, 3)
    again.run()
    assert again.state.step == 3


def test_the_log_and_the_card_tell_of_the_run(checkpoint: Path) -> None:
    row = json.loads((checkpoint.parent / "log.jsonl").read_text().splitlines()[-1])
    assert row["step"] == 50
    assert {"loss", "action", "samples_per_s", "left_min"} <= set(row)
    card = json.loads((checkpoint / "lam.json").read_text())
    assert card["fingerprint"] == ROBOT.fingerprint()
    assert card["steps"] == 60
    assert str(checkpoint.parent) not in json.dumps(card)


def test_a_run_that_starts_from_weights_tells_how_those_were_made(
    tmp_path: Path, trainer: MakeTrainer, toy_config: MakeConfig, toy_frames: MakeFrames
) -> None:
    first = trainer(tmp_path / "first", 2).run()
    config = toy_config(str(tmp_path / "second"), 1, start_from=str(first))
    card = json.loads((Trainer(config, ROBOT, [toy_frames()]).run() / "lam.json").read_text())
    before = json.loads((first / "lam.json").read_text())
    assert card["start_from"]["sha256"] == before["sha256"]
    assert card["start_from"]["steps"] == 2
    assert card["start_from"]["start_from"] is None
    assert {"lam", "train", "start_from=checkpoint", "steps=1"} <= set(card["command"])
    assert str(tmp_path) not in json.dumps(card)


def test_where_nobody_acts_looking_is_learnt_and_statistics_are_left_open(
    tmp_path: Path, toy_config: MakeConfig, toy_frames: MakeFrames
) -> None:
    acted = toy_frames()
    still = replace(acted, action_rad=np.full_like(acted.action_rad, np.nan))
    seen = Trainer(toy_config(str(tmp_path / "eyes"), 2), ROBOT, [still]).run()
    weights = load_file(seen / "model.safetensors")
    assert all(value.isfinite().all() for value in weights.values())
    assert weights["statistics.n_seen"] == 0
    config = toy_config(str(tmp_path / "arm"), 1, start_from=str(seen))
    assert Trainer(config, ROBOT, [still, acted]).policy.statistics.is_calibrated


@pytest.mark.parametrize(
    ("change", "differs"),
    [({"n_queries": 6}, "network.cameras."), ({"text_buckets": 512}, "network.text.")],
)
def test_weights_that_look_or_read_in_another_way_are_refused(
    change: dict[str, int],
    differs: str,
    tmp_path: Path,
    trainer: MakeTrainer,
    toy_config: MakeConfig,
    toy_frames: MakeFrames,
) -> None:
    first = trainer(tmp_path / "first", 1).run()
    other = {**toy_config("unused", 1).policy, **change}
    config = toy_config(str(tmp_path / "second"), 1, start_from=str(first), policy=other)
    with pytest.raises(CheckpointError, match=f"looks or reads in another way .{differs}"):
        Trainer(config, ROBOT, [toy_frames()])


def test_to_act_with_another_network_the_senses_are_kept_and_statistics_come_from_the_data(
    tmp_path: Path, trainer: MakeTrainer, toy_config: MakeConfig, toy_frames: MakeFrames
) -> None:
    weights = load_file(trainer(tmp_path / "first", 1).run() / "model.safetensors")
    wider = {**toy_config("unused", 1).policy, "hidden_dim": 48}
    config = toy_config(
        str(tmp_path / "second"), 1, start_from=str(tmp_path / "first" / CHECKPOINT), policy=wider
    )
    acted = toy_frames()
    livelier = replace(acted, action_rad=acted.state_rad + 2 * (acted.action_rad - acted.state_rad))
    second = Trainer(config, ROBOT, [livelier]).policy.state_dict()
    senses = [n for n in weights if n.startswith(("network.cameras.", "network.text."))]
    assert len(senses) > 20
    assert all(torch.equal(second[name], weights[name]) for name in senses)
    fresh = Trainer(replace(config, start_from="", out=str(tmp_path / "third")), ROBOT, [livelier])
    statistics = [n for n in weights if n.startswith("statistics.")]
    expected = fresh.policy.state_dict()
    assert all(torch.equal(second[name], expected[name]) for name in statistics)
    assert not all(torch.equal(second[name], weights[name]) for name in statistics)


def test_a_damaged_state_is_named(tmp_path: Path, trainer: MakeTrainer) -> None:
    trainer(tmp_path, 2).run()
    state = tmp_path / STATE_FILE
    state.write_bytes(state.read_bytes()[:1000])
    with pytest.raises(CheckpointError, match="its state cannot be taken up"):
        trainer(tmp_path, 4)


def test_batches_depend_on_seed_and_step_alone(
    toy_config: MakeConfig, toy_frames: MakeFrames
) -> None:
    frames = toy_frames()
    config = policy_config(toy_config("unused", 1), ROBOT, [frames])

    def make(seed: int) -> Batcher:
        return Batcher(
            [frames], config, ROBOT, batch_size=8, seed=seed, jitter=1.0, dtype=torch.float32
        )

    first, second = make(0).batch(3), make(0).batch(3)
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert not torch.equal(first["action"], make(1).batch(3)["action"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data": ()}, "no data"),
        ({"batch_size": 0}, "batch_size is 0"),
        ({"steps": 0, "budget_minutes": 0.0}, "give budget_minutes or steps"),
    ],
)
def test_settings_that_make_no_sense_are_refused(
    changes: dict[str, object], message: str, toy_config: MakeConfig
) -> None:
    with pytest.raises(ConfigError, match=message):
        toy_config("unused", **{"steps": 1, **changes})  # type: ignore[arg-type]


def test_sentences_of_colours_that_the_data_never_name_are_read_beside_them(
    tmp_path: Path, toy_config: MakeConfig, toy_frames: MakeFrames
) -> None:
    def pinks_read(weight: float) -> float:
        colors = ["blue", "green", "pink", "red", "white"]
        config = toy_config(str(tmp_path / str(weight)), steps=80)
        settings = {**config.policy, "colors": colors, "reading_weight": weight}
        trainer = Trainer(replace(config, policy=settings), ROBOT, [toy_frames()])
        trainer.run()
        policy = trainer.policy.eval()
        said = [f"put the pink cube in the {color} bowl" for color in colors]
        with torch.no_grad():
            guess = policy.network.slots[1](policy.encode(said)).argmax(1)
        return float((guess == colors.index("pink")).float().mean())

    assert pinks_read(1.0) > pinks_read(0.0)


@pytest.mark.parametrize("has_it", [True, False])
def test_a_network_computes_in_bfloat16_only_where_the_processor_does(
    has_it: bool,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    toy_config: MakeConfig,
    toy_frames: MakeFrames,
) -> None:
    monkeypatch.setattr("lam_policies.training.loop.has_bfloat16", lambda device: has_it)
    trainer = Trainer(toy_config(str(tmp_path), steps=1, bf16=True), ROBOT, [toy_frames()])
    assert trainer.batcher.dtype is (torch.bfloat16 if has_it else torch.float32)
    assert (
        Trainer(toy_config(str(tmp_path), steps=1, bf16=False), ROBOT, [toy_frames()]).batcher.dtype
        is torch.float32
    )
