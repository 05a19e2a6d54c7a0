"""`lam bench convert`: recordings to a data set, against real time.

Two cameras at 640x480 and 30 Hz, joints and commands at 50 Hz, in episodes of ten seconds:
made up, written by our recorder's writer as JPEG, then converted as `lam convert` does it,
with two worker processes, and opened once for the check that every frame is there.
"""

from __future__ import annotations

import os
import resource
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from lam_ros.benches.report import BenchReport, machine
from lam_ros.config import load_robot
from lam_ros.core.errors import DataError
from lam_ros.core.robot import Camera, RobotDescription
from lam_ros.recording.convert.command import ConvertConfig, convert
from lam_ros.recording.synthetic import Synthetic, write_episode

EPISODE_S = 10.0
WORKERS = 2
_CAMERA = Camera("front", width_px=640, height_px=480, rate_hz=30.0, stale_after_s=0.2)


def bench_robot() -> RobotDescription:
    """Return the so101 with two cameras of 640x480 at 30 Hz."""
    return replace(load_robot("so101"), cameras=(_CAMERA, replace(_CAMERA, name="wrist")))


def run(seconds: float) -> BenchReport:
    """Convert a recording of about `seconds` [s].

    Raises:
        DataError: if not every episode was converted whole.
    """
    robot = bench_robot()
    with tempfile.TemporaryDirectory(prefix="lam_bench_") as name:
        folder = Path(name)
        count = max(1, round(seconds / EPISODE_S))
        for k in range(count):
            episode = Synthetic(min(seconds, EPISODE_S), seed=k)
            write_episode(folder / f"recordings/episode_{k:06d}", robot, episode)
        recorded = _size(folder / "recordings")
        before_s = _cpu_s()
        started_s = time.perf_counter()
        config = ConvertConfig((folder / "recordings",), folder / "data", workers=WORKERS)
        report = convert(config, Console(stderr=True, quiet=True))
        taken_s = time.perf_counter() - started_s
        cpu_s = _cpu_s() - before_s
        if report.total_episodes != count:
            raise DataError(f"{report.total_episodes} of {count} episodes were converted whole")
        written = _size(folder / "data")
    recorded_s = report.recorded_s
    return BenchReport(
        bench="convert",
        metrics={
            "recorded_s": recorded_s,
            "episodes": count,
            "frames": report.total_frames,
            "cameras": {camera.name: "640x480 at 30 Hz, JPEG" for camera in robot.cameras},
            "seconds": round(taken_s, 2),
            "cpu_core_s_per_s": round(cpu_s / recorded_s, 3),
            "workers": WORKERS,
            "cores": len(os.sched_getaffinity(0)),
            "recording_mb_per_s": round(recorded / 1e6 / recorded_s, 2),
            "data_set_mb_per_s": round(written / 1e6 / recorded_s, 2),
        },
        ratios={"times_realtime": round(recorded_s / taken_s, 2)},
        machine=machine(),
    )


def _cpu_s() -> float:
    """Return what this process and its ended children have computed [s]."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
