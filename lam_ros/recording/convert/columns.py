"""The features of a data set made of recordings, and their columns."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lam_ros.core.robot import RobotDescription
from lam_ros.recording.convert.grid import stream_names
from lam_ros.recording.convert.pictures import codec_options, pixel_format
from lam_ros.recording.convert.segments import Segment

# Names that begin neither with `observation.` nor with `action`: LeRobot would take them
# for inputs or outputs of a policy.
PASSED = "passed_action"
VERDICT = "safety_verdict"
INTERVENTION = "intervention"
STAMP = "stamp_ns"
STREAM_STAMP = "stream_stamp_ns"
STREAM_AGE = "stream_age_s"

Feature = dict[str, Any]


def features_of(robot: RobotDescription, fps: int) -> dict[str, Feature]:
    """Return LeRobot's description of the features, in the order of the columns.

    Joints are in radians.  `passed_action` is what the safety room let pass of `action`;
    `stamp_ns` the grid time; `stream_stamp_ns` and `stream_age_s` the real stamp of what a
    row holds, and its age at the time it stands for, of each camera, the joints and the action.
    """
    joints = [f"{name}.pos" for name in robot.joint_names]
    streams = list(stream_names(robot))
    return {
        robot.features.state: _feature("float32", len(joints), joints),
        robot.features.action: _feature("float32", len(joints), joints),
        **{
            robot.image_feature(camera.name): {
                "dtype": "video",
                "shape": [camera.height_px, camera.width_px, 3],
                "names": ["height", "width", "channels"],
                "info": {
                    "video.height": camera.height_px,
                    "video.width": camera.width_px,
                    "video.codec": "h264",
                    "video.pix_fmt": pixel_format(camera),
                    "video.fps": fps,
                    "video.channels": 3,
                    "has_audio": False,
                    "video.g": int(codec_options(camera)["g"]),
                    "video.crf": int(codec_options(camera)["crf"]),
                    "video.preset": codec_options(camera)["preset"],
                    "is_depth_map": False,
                },
            }
            for camera in robot.cameras
        },
        PASSED: _feature("float32", len(joints), joints),
        VERDICT: _feature("int64", 1),
        INTERVENTION: _feature("bool", 1),
        STAMP: _feature("int64", 1),
        STREAM_STAMP: _feature("int64", len(streams), streams),
        STREAM_AGE: _feature("float32", len(streams), streams),
        "timestamp": _feature("float32", 1),
        "frame_index": _feature("int64", 1),
        "episode_index": _feature("int64", 1),
        "index": _feature("int64", 1),
        "task_index": _feature("int64", 1),
    }


def columns_of(segment: Segment, robot: RobotDescription, fps: int) -> pa.Table:
    """Return the columns of a segment that do not depend on what else is in a data set."""
    count = len(segment)
    frames = np.arange(count, dtype=np.int64)
    return pa.table(
        {
            robot.features.state: _vectors(segment.state_rad, pa.float32()),
            robot.features.action: _vectors(segment.action_rad, pa.float32()),
            PASSED: _vectors(segment.passed_rad, pa.float32()),
            VERDICT: pa.array(segment.verdict, pa.int64()),
            INTERVENTION: pa.array(segment.intervention, pa.bool_()),
            STAMP: pa.array(segment.stamp_ns, pa.int64()),
            STREAM_STAMP: _vectors(segment.stream_stamp_ns, pa.int64()),
            STREAM_AGE: _vectors(segment.stream_age_s, pa.float32()),
            "timestamp": pa.array((frames / fps).astype(np.float32), pa.float32()),
            "frame_index": pa.array(frames, pa.int64()),
        }
    )


def _feature(dtype: str, size: int, names: list[str] | None = None) -> Feature:
    return {"dtype": dtype, "shape": [size], "names": names}


def _vectors(values: npt.NDArray[Any], kind: pa.DataType) -> pa.Array:
    """Return an array of shape (T, N) as a column of lists."""
    count, size = values.shape
    offsets = pa.array(np.arange(0, (count + 1) * size, size), pa.int32())
    return pa.ListArray.from_arrays(offsets, pa.array(values.ravel(), kind))
