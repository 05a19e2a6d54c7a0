"""`lam bench capture`: the recorder on two cameras of 640x480 and joints at 30 Hz.

Cameras, joints and recorder are processes of their own and speak through the middleware.
Parts, all or those of `--only`, each told when it is done:

    jpeg               the recorder writes JPEG
    convert            the recording of part `jpeg` becomes a data set at 30 Hz, two workers
    video              the recorder writes H.264 (`video_`)
    lerobot            LeRobot records the same pictures in a process of its own, fed from
                       memory, with its streaming encoder (`lerobot_`)
    lerobot_default    the same as it does by default: PNG first, AV1 at the episode's end
    skew               a camera that is 80 ms late, in one made-up episode of ten seconds

The peers take at most half a minute, as they get slower with nothing that a longer run
would show.

What the figures mean:

    dropped            messages that were sent between the first and the last that was
                       recorded, and are not in the bag: every stamp is compared
    frame_age_ms       from a picture's stamp to its being handed to the file's writer, its
                       encoding included
    cpu_core_s_per_s   processor time of the recorder for each second of recording
    memory_growth_mb   resident memory of the recorder at the end over that after settling
    pause_ms           from the wish to end the episode to the beginning of the next one, for
                       which the start gate was passed; LeRobot's: `save_episode`, during
                       which it takes no picture
    between            pictures of a camera that were sent between the two episodes and are
                       in neither
    complete_ms        from the wish to end the episode to its being complete on the disk,
                       while the next one is being recorded
    mb_per_s           size of the episode for each second
    lerobot_dropped    pictures that are not in LeRobot's videos; of these, `lerobot_missed`
                       came while its `add_frame` was blocking
    skew_ms            what `lam episodes show` finds of the two cameras
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console

from lam_ros.benches.capture_ours import CAMERAS, Cost, bench_robot, record
from lam_ros.benches.capture_source import RATE_HZ
from lam_ros.benches.report import BenchReport, machine
from lam_ros.core.errors import ConfigError, MachineError, unknown_name
from lam_ros.environment import node_environment
from lam_ros.recording.convert.command import ConvertConfig, convert
from lam_ros.recording.convert.grid import GridConfig
from lam_ros.recording.convert.naming import Naming
from lam_ros.recording.convert.parts import PartConfig
from lam_ros.recording.quality.look import look_at
from lam_ros.recording.quality.skew import Skew
from lam_ros.recording.synthetic import Synthetic, write_episode

MOST_S = 30.0
"""Of LeRobot's recordings."""

WORKERS = 2
SKEW_S = 0.080

type Figures = dict[str, Any]


def run(seconds: float, only: Sequence[str] = ()) -> BenchReport:
    """Record for `seconds` [s] in each form, convert it, and have LeRobot record.

    Args:
        seconds: of our recordings.
        only: parts; all if empty.

    Raises:
        ConfigError: if there is no such part, or one needs another.
        MachineError: if the streams do not come as they should.
        NodeDied: if a node could not be started.
    """
    chosen = chosen_parts(only)
    console = Console(stderr=True)
    metrics: Figures = {"seconds": seconds}
    with tempfile.TemporaryDirectory(prefix="lam-bench-") as name:
        for part in chosen:
            began_s = time.monotonic()
            found = PARTS[part](seconds, Path(name))
            metrics |= found
            text = ", ".join(f"{key} {value}" for key, value in found.items())
            console.print(f"{part} ({time.monotonic() - began_s:.0f} s): {text}", highlight=False)
    return BenchReport("capture", metrics, _ratios(metrics), machine())


def chosen_parts(only: Sequence[str]) -> list[str]:
    """Return the parts to be measured, in their order.

    Raises:
        ConfigError: if there is no such part, or one needs another.
    """
    for name in only:
        if name not in PARTS:
            raise ConfigError(unknown_name("part of bench 'capture'", name, PARTS))
    if "convert" in only and "jpeg" not in only:
        raise ConfigError("--only: part 'convert' needs the recording of part 'jpeg': name both")
    return [part for part in PARTS if not only or part in only]


def _jpeg(seconds: float, folder: Path) -> Figures:
    return _figures(record(seconds, "jpeg", folder / "jpeg"))


def _video(seconds: float, folder: Path) -> Figures:
    return {
        f"video_{k}": v for k, v in _figures(record(seconds, "video", folder / "video")).items()
    }


def _convert(seconds: float, folder: Path) -> Figures:
    """Convert what part `jpeg` has recorded; its joints stand for the commands."""
    robot = folder / "robot.yaml"
    about = bench_robot().to_dict() | {"recording": {"action": "state"}}
    robot.write_text(yaml.safe_dump(about), encoding="utf-8")
    config = ConvertConfig(
        (folder / "jpeg/recordings/bench/episode_000000",),
        folder / "data",
        robot=str(robot),
        workers=WORKERS,
        part=PartConfig(GridConfig(fps=round(RATE_HZ))),
    )
    report = convert(config, Console(stderr=True, quiet=True))
    if not report.total_episodes:
        raise MachineError(f"the recording was not converted: {report.recordings[0].reason}")
    return {
        "convert_frames": report.total_frames,
        "convert_seconds": report.seconds,
        "convert_times_realtime": round(report.recorded_s / report.seconds, 2),
    }


def _lerobot_streaming(seconds: float, folder: Path) -> Figures:
    return _peer("lerobot_", _lerobot(min(seconds, MOST_S), "streaming", folder / "lerobot"))


def _lerobot_default(seconds: float, folder: Path) -> Figures:
    found = _lerobot(min(seconds, MOST_S), "default", folder / "lerobot_default")
    return _peer("lerobot_default_", found)


def _skew(seconds: float, folder: Path) -> Figures:
    """Find the delay of each camera in a made-up episode."""
    robot = bench_robot()
    late = Synthetic(10.0, camera_delay_s={CAMERAS[1]: SKEW_S})
    write_episode(folder / "skew", robot, late)
    look = look_at(folder / "skew", robot, Naming())
    if look.figures is None:
        raise MachineError(f"a made-up episode cannot be looked at: {look.trouble}")
    found = {}
    for camera, skew in look.figures.skew.items():
        if not isinstance(skew, Skew):
            raise MachineError(f"the delay of camera {camera} cannot be told: {skew.why}")
        found[camera] = skew.lag_ms
    return {
        "skew_ms": {name: round(lag, 1) for name, lag in found.items()},
        "skew_error_ms": round(abs(found[CAMERAS[1]] - 1e3 * SKEW_S), 1),
    }


PARTS: dict[str, Callable[[float, Path], Figures]] = {
    "jpeg": _jpeg,
    "convert": _convert,
    "video": _video,
    "lerobot": _lerobot_streaming,
    "lerobot_default": _lerobot_default,
    "skew": _skew,
}


def _lerobot(seconds: float, encoder: str, folder: Path) -> dict[str, float]:
    """Have LeRobot record the same pictures, with an encoder: `streaming` or `default`.

    Raises:
        MachineError: if it fails.
    """
    module = "lam_ros.benches.capture_lerobot"
    command = [sys.executable, "-m", module, str(seconds), encoder, str(folder)]
    environment = node_environment() | {"HF_HUB_OFFLINE": "1"}
    environment.pop("OMP_NUM_THREADS", None)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no word"])[-1]
        raise MachineError(f"LeRobot's recording failed: {last}")
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def _peer(prefix: str, peer: dict[str, float]) -> Figures:
    return {
        f"{prefix}cpu_core_s_per_s": round(peer["cpu_core_s_per_s"], 4),
        f"{prefix}pause_ms": round(peer["pause_ms"], 1),
        f"{prefix}frames": int(peer["frames"]),
        f"{prefix}dropped": int(peer["dropped"]),
        f"{prefix}missed": int(peer["missed"]),
    }


def _figures(cost: Cost) -> Figures:
    return {
        "messages": cost.messages,
        "dropped": cost.dropped,
        "frame_age_ms": {k: int(v) if k == "n" else v for k, v in cost.ages_ms.items()},
        "cpu_core_s_per_s": round(cost.cpu_core_s_per_s, 4),
        "memory_mb": round(cost.memory_mb, 1),
        "memory_growth_mb": round(cost.growth_mb, 2),
        "pause_ms": round(cost.pause_ms, 1),
        "between": cost.between,
        "complete_ms": round(cost.complete_ms, 1),
        "mb_per_s": round(cost.mb_per_s, 2),
    }


def _ratios(metrics: Figures) -> dict[str, float]:
    """Return our processor time over LeRobot's, as far as both were measured."""
    cpu = "cpu_core_s_per_s"
    return {
        f"{mine}cpu_vs_{theirs}": round(metrics[mine + cpu] / metrics[f"{theirs}_{cpu}"], 4)
        for mine in ("", "video_")
        for theirs in ("lerobot", "lerobot_default")
        if mine + cpu in metrics and f"{theirs}_{cpu}" in metrics
    }
