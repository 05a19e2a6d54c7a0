"""The peer of `lam bench capture`: LeRobot's own recording of the same pictures.

    python -m lam_ros.benches.capture_lerobot SECONDS streaming|default FOLDER

`default` is what `lerobot-record` does unless told otherwise: pictures become PNG files by
its four threads a camera, and AV1 at the end of the episode.

It gets each picture from memory, without any middleware, which spares it what our
recorder pays for transport.  Prints one JSON object.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from lam_ros.benches.capture_source import PICTURES, RATE_HZ, made_up_pictures

CAMERAS = ("front", "wrist")
JOINTS = 6
SIZE_PX = (640, 480)


def record(seconds: float, encoder: str, folder: Path) -> dict[str, float]:
    """Record one episode at 30 Hz; returns its cost.

    Pictures that are not in the videos were `dropped`; of these, `missed` came while
    `add_frame` was blocking.
    """
    import av
    from lerobot.datasets.lerobot_dataset import LeRobotDataset

    dataset = LeRobotDataset.create(
        "bench/capture",
        fps=round(RATE_HZ),
        features=_features(),
        root=folder,
        use_videos=True,
        **_settings(encoder),
    )
    pictures = made_up_pictures(*SIZE_PX)
    before_s, began_s = _cpu_s(), time.perf_counter()
    count, fed = round(seconds * RATE_HZ), 0
    for index in range(count):
        if _sleep_until(began_s + index / RATE_HZ):
            dataset.add_frame(_frame(pictures[index % PICTURES]))
            fed += 1
    ended_s = time.perf_counter()
    dataset.save_episode()
    pause_s = time.perf_counter() - ended_s
    cpu_s = _cpu_s() - before_s
    dataset.finalize()
    kept = 0
    for path in folder.rglob("*.mp4"):
        with av.open(str(path)) as video:
            kept += sum(1 for packet in video.demux(video.streams.video[0]) if packet.size)
    return {
        "cpu_core_s_per_s": cpu_s / (ended_s - began_s),
        "pause_ms": 1e3 * pause_s,
        "frames": kept,
        "dropped": count * len(CAMERAS) - kept,
        "missed": (count - fed) * len(CAMERAS),
    }


def _settings(encoder: str) -> dict[str, Any]:
    from lerobot.configs.dataset import DatasetRecordConfig
    from lerobot.configs.video import RGBEncoderConfig

    if encoder == "streaming":
        return {"streaming_encoding": True, "rgb_encoder": RGBEncoderConfig(vcodec="h264")}
    own = DatasetRecordConfig(repo_id="bench/capture", single_task="bench")
    return {
        "streaming_encoding": own.streaming_encoding,
        "rgb_encoder": own.rgb_encoder,
        "image_writer_processes": own.num_image_writer_processes,
        "image_writer_threads": own.num_image_writer_threads_per_camera * len(CAMERAS),
    }


def _features() -> dict[str, dict[str, Any]]:
    width, height = SIZE_PX
    names = ["height", "width", "channels"]
    video = {"dtype": "video", "shape": (height, width, 3), "names": names}
    numbers = {"dtype": "float32", "shape": (JOINTS,), "names": [f"j{k}" for k in range(JOINTS)]}
    images = {f"observation.images.{name}": video for name in CAMERAS}
    return {**images, "observation.state": numbers, "action": numbers}


def _frame(picture: Any) -> dict[str, Any]:
    joints = np.zeros(JOINTS, np.float32)
    images = {f"observation.images.{name}": picture for name in CAMERAS}
    return {**images, "observation.state": joints, "action": joints, "task": "bench"}


def _sleep_until(time_s: float) -> bool:
    """Wait for a picture's time; False if it is over already: a camera does not wait."""
    left_s = time_s - time.perf_counter()
    if left_s > 0:
        time.sleep(left_s)
    return left_s > -1.0 / RATE_HZ


def _cpu_s() -> float:
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


if __name__ == "__main__":
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    print(json.dumps(record(float(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))))
