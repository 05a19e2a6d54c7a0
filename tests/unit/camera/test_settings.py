"""Which device stands behind which camera: what is understood, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from lam_ros.camera.settings import Fit, Kind, load_cameras
from lam_ros.config import load_robot, options
from lam_ros.core.errors import ConfigError

ROBOT = load_robot("so101")
WRIST = {"type": "opencv", "device": 2}


def test_every_file_that_comes_along_can_be_read() -> None:
    assert options("camera")
    for name in options("camera"):
        assert set(load_cameras(name, ROBOT)) == set(ROBOT.camera_names)


def test_devices_can_be_named_on_one_line() -> None:
    found = load_cameras("front:/dev/video0, wrist:http://cam:81/stream", ROBOT)
    assert found["front"].device == "/dev/video0"
    assert found["wrist"].device == "http://cam:81/stream"
    assert found["front"].type is Kind.OPENCV
    assert found["front"].fit is Fit.CROP


@pytest.mark.parametrize(
    ("front", "says"),
    [
        ({"type": "opencv"}, "device: give a path"),
        ({"type": "opencv", "device": ""}, "camera 'front': device: give a path"),
        ({"type": "lerobot"}, "camera 'front': name: give the name"),
        ({"type": "usb", "device": 0}, "camera front.type.*'opencv'"),
        ({"type": "opencv", "device": 0, "widht_px": 3}, "unknown key 'widht_px'.*'width_px'"),
        ({"type": "opencv", "device": 0, "turned_deg": 45}, "turned_deg: 45 came"),
        ({"type": "opencv", "device": 0, "fourcc": "MJPEG"}, "fourcc: 'MJPEG' came"),
        ({"type": "opencv", "device": 0, "frozen_after_s": -1}, "frozen_after_s: -1.0 came"),
        ({"type": "opencv", "device": 0, "fit": "squeeze"}, "camera front.fit.*'crop'"),
        (0, "camera 'front': give a mapping"),
    ],
)
def test_a_device_that_is_described_wrongly_is_refused_in_one_line(
    tmp_path: Path, front: object, says: str
) -> None:
    path = tmp_path / "cameras.yaml"
    path.write_text(yaml.safe_dump({"front": front, "wrist": WRIST}))
    with pytest.raises(ConfigError, match=says) as refused:
        load_cameras(str(path), ROBOT)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("opencvv", "unknown camera 'opencvv'"),
        ("front:/dev/video0", "no device for wrist of robot 'so101'"),
        ("front:/dev/video0,wrst:/dev/video2", "'wrst'; allowed: front, wrist"),
        ("front:/dev/video0,wrist", "'wrist' came, camera:device is needed"),
    ],
)
def test_a_camera_without_a_device_is_named(name: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        load_cameras(name, ROBOT)
