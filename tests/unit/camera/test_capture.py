"""Cameras by OpenCV and by LeRobot's classes: what is published, refused, lost and found."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from stand_in_cameras import NetworkCamera, painted, write_video

from lam_ros.camera import capture as captures
from lam_ros.camera.capture import Capture, fitted
from lam_ros.camera.opencv import taken_at_ns, users_of
from lam_ros.camera.port import Loss
from lam_ros.camera.settings import DeviceConfig, Fit, Kind
from lam_ros.core.errors import ConfigError, MachineError
from lam_ros.core.robot import Camera

PLUGINS = str(Path(__file__).resolve().parents[2] / "plugins")
CAMERA = Camera("front", width_px=64, height_px=48, rate_hz=25.0, stale_after_s=0.3)


class Kept:
    """A capture, and everything that it has said and published."""

    def __init__(self, config: DeviceConfig, camera: Camera = CAMERA) -> None:
        self.pictures: list[tuple[np.ndarray, int]] = []
        self.said: list[str] = []
        self.capture = Capture(camera, config, self._keep, self.said.append, time.monotonic_ns)

    def _keep(self, image: np.ndarray, stamp_ns: int) -> None:
        self.pictures.append((image.copy(), stamp_ns))

    def run(self) -> Kept:
        self.capture.open()
        self.capture.start()
        return self


def wait(done: Callable[[], object], what: str) -> None:
    end = time.monotonic() + 20.0
    while not done():
        assert time.monotonic() < end, f"still not: {what}"
        time.sleep(0.01)


@pytest.fixture
def keep(monkeypatch: pytest.MonkeyPatch):
    """Make captures, closed at the end; what was lost is looked for often."""
    monkeypatch.setattr(captures, "RETRY_S", 0.05)
    monkeypatch.setattr(sys, "path", [PLUGINS, *sys.path])
    made: list[Kept] = []

    def make(config: DeviceConfig, camera: Camera = CAMERA) -> Kept:
        made.append(Kept(config, camera))
        return made[-1]

    yield make
    for kept in made:
        kept.capture.close()


@pytest.fixture
def network():
    camera = NetworkCamera()
    yield camera
    camera.unplug()


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return write_video(tmp_path / "v.avi", [painted(i) for i in range(20)])


def opencv(device: object, **more: object) -> DeviceConfig:
    return DeviceConfig(Kind.OPENCV, device=str(device), **more)  # type: ignore[arg-type]


def test_pictures_are_rgb_in_the_described_size_with_stamps_that_rise(keep, video) -> None:
    kept = keep(opencv(video)).run()
    wait(lambda: len(kept.pictures) >= 5, "pictures")
    image, _ = kept.pictures[0]
    assert image.shape == (48, 64, 3)
    red, green, blue = np.median(image.reshape(-1, 3), axis=0)
    assert red > 180
    assert green < 40
    assert blue < 40
    stamps = np.array([stamp for _, stamp in kept.pictures])
    assert (np.diff(stamps) > 0).all()
    assert abs(time.monotonic_ns() - stamps[-1]) < 10 * 10**9


def test_a_file_that_ends_is_begun_again(keep, video) -> None:
    kept = keep(opencv(video)).run()
    wait(lambda: len(kept.pictures) > 25, "more pictures than the file has")
    assert kept.said[:2] == [
        "lost: it gives no more pictures; nothing is published until that is over",
        "pictures come again",
    ]


def test_a_numbered_sequence_of_pictures_is_a_camera(keep, tmp_path: Path) -> None:
    for index in range(10):
        cv2.imwrite(str(tmp_path / f"{index:02d}.png"), painted(index))
    kept = keep(opencv(tmp_path / "%02d.png")).run()
    wait(lambda: len(kept.pictures) >= 3, "pictures")


def test_a_network_camera_that_is_unplugged_is_found_again_and_why_is_said_once(
    network, keep
) -> None:
    kept = keep(opencv(network.url)).run()
    wait(lambda: len(kept.pictures) >= 3, "pictures")
    network.unplug()
    wait(lambda: kept.capture.condition().is_lost, "the loss")
    time.sleep(0.3)  # many tries to find it again
    count = len(kept.pictures)
    assert len(kept.said) == 1
    assert kept.said[0].startswith("lost: ")
    network.plug()
    wait(lambda: len(kept.pictures) > count + 3, "pictures again")
    assert kept.said[1:] == ["pictures come again"]
    condition = kept.capture.condition()
    assert not condition.is_lost
    assert condition.losses == 1


@pytest.mark.parametrize(
    ("paint", "word"),
    [(lambda _: painted(0, red=0), "black"), (lambda _: painted(0), "frozen")],
    ids=["black", "frozen"],
)
def test_pictures_that_cannot_be_believed_are_not_published(network, keep, paint, word) -> None:
    kept = keep(opencv(network.url, black_after_s=0.2, frozen_after_s=0.3)).run()
    wait(lambda: len(kept.pictures) >= 3, "pictures")
    network.paint = paint
    wait(lambda: kept.said, "it to be said")
    assert f"its pictures have been {word} for 0." in kept.said[0]
    count = len(kept.pictures)
    time.sleep(0.2)
    assert len(kept.pictures) == count
    assert word in kept.capture.condition().trouble
    network.paint = painted
    wait(lambda: len(kept.pictures) > count, "pictures again")
    assert kept.said[-1] == "pictures come again"


def test_a_size_that_is_not_the_described_one_is_refused_in_one_line(keep, tmp_path) -> None:
    video = write_video(tmp_path / "big.avi", [painted(i, 128, 64) for i in range(5)])
    with pytest.raises(MachineError) as refused:
        keep(opencv(video)).capture.open()
    assert "camera 'front': its pictures are 128x64" in str(refused.value)
    assert "says 64x48" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_it_changes_size_in_mid_stream_and_says_so(network, keep) -> None:
    kept = keep(opencv(network.url)).run()
    wait(lambda: len(kept.pictures) >= 3, "pictures")
    network.unplug()
    network.paint = lambda count: painted(count, 128, 96)
    network.plug()
    wait(lambda: kept.said, "it to be said")
    time.sleep(0.3)
    assert {image.shape for image, _ in kept.pictures} == {(48, 64, 3)}


def test_a_rate_below_the_described_one_is_refused_in_one_line(keep, tmp_path) -> None:
    video = write_video(tmp_path / "slow.avi", [painted(i) for i in range(5)], rate_hz=10.0)
    with pytest.raises(MachineError, match=r"delivers 10 pictures/s.*says 25"):
        keep(opencv(video)).capture.open()


def test_of_a_faster_device_as_many_are_published_as_described(keep, tmp_path) -> None:
    video = write_video(tmp_path / "fast.avi", [painted(i) for i in range(100)], rate_hz=100.0)
    kept = keep(opencv(video)).run()
    wait(lambda: len(kept.pictures) >= 15, "pictures")
    stamps = np.array([stamp for _, stamp in kept.pictures[:15]])
    assert np.median(np.diff(stamps)) > 0.7 * CAMERA.period_ns


def test_cropping_takes_the_middle_and_keeps_the_shape_of_things() -> None:
    image = np.zeros((96, 192, 3), np.uint8)
    image[:, 32:160] = 255  # the middle 4:3
    out = fitted(image, CAMERA, opencv("x", fit=Fit.CROP))
    assert out.shape == (48, 64, 3)
    assert (out == 255).all()


@pytest.mark.parametrize("turned", [90, 180, 270])
def test_a_camera_that_is_mounted_turned_gives_upright_pictures(turned: int) -> None:
    upright = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)
    seen = np.ascontiguousarray(np.rot90(upright, turned // 90))  # turned clockwise, it sees this
    np.testing.assert_array_equal(fitted(seen, CAMERA, opencv("x", turned_deg=turned)), upright)


def test_a_picture_of_another_size_is_no_picture() -> None:
    assert isinstance(fitted(np.zeros((10, 10, 3), np.uint8), CAMERA, opencv("x")), Loss)


@pytest.mark.parametrize("device", ["/dev/video9", "9", "/nowhere/video.avi"])
def test_a_device_that_is_not_there_is_said_with_those_that_are(keep, device: str) -> None:
    with pytest.raises(MachineError, match=r"there is no .*(there are|no camera is plugged in)"):
        keep(opencv(device)).capture.open()


def test_a_url_that_nobody_answers_is_refused(network, keep) -> None:
    network.unplug()
    with pytest.raises(MachineError, match="does not answer"):
        keep(opencv(network.url)).capture.open()


def test_what_is_no_video_is_refused(keep, tmp_path: Path) -> None:
    path = tmp_path / "text.avi"
    path.write_text("no video")
    with pytest.raises(MachineError, match="gives no video"):
        keep(opencv(path)).capture.open()


def test_who_else_has_a_device_open_is_named(tmp_path: Path) -> None:
    path = tmp_path / "device"
    path.touch()
    code = "import sys; f = open(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-S", "-E", "-c", code, str(path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as other:  # fmt: skip
        assert other.stdout is not None
        other.stdout.readline()
        assert f"({other.pid})" in users_of(path)
        assert other.stdin is not None
        other.stdin.close()
        other.wait()
    assert users_of(path) == ""


def test_the_drivers_own_stamp_is_taken_where_it_is_plausible() -> None:
    now_ns = 5_000_000_000
    assert taken_at_ns(4980.0, now_ns) == 4_980_000_000
    for other_ms in (0.0, -1.0, 5001.0, 1e15):
        assert taken_at_ns(other_ms, now_ns) == now_ns


# -- LeRobot's classes -------------------------------------------------------------------


def painted_by_lerobot(*arguments: str) -> DeviceConfig:
    return DeviceConfig(Kind.LEROBOT, name="painted", arguments=arguments)


def test_a_plugin_of_lerobot_is_a_camera_and_its_own_stamp_counts(keep) -> None:
    kept = keep(painted_by_lerobot("--age_s=0.5")).run()
    wait(lambda: len(kept.pictures) >= 3, "pictures")
    image, stamp_ns = kept.pictures[-1]
    assert image.shape == (48, 64, 3)
    assert image.max() == 200
    assert time.monotonic_ns() - stamp_ns > 450_000_000


def test_a_plugin_that_is_unplugged_is_found_again(keep, tmp_path: Path) -> None:
    plug = tmp_path / "plug"
    plug.touch()
    kept = keep(painted_by_lerobot(f"--plug={plug}")).run()
    wait(lambda: kept.pictures, "pictures")
    plug.unlink()
    wait(lambda: kept.said, "the loss")
    assert "lost: the camera is not plugged in" in kept.said[0]
    count = len(kept.pictures)
    plug.touch()
    wait(lambda: len(kept.pictures) > count, "pictures again")


def test_lerobots_own_opencv_class_reads_a_network_camera(network, keep) -> None:
    arguments = (f"--index_or_path={network.url}", "--warmup_s=0")
    kept = keep(DeviceConfig(Kind.LEROBOT, name="opencv", arguments=arguments)).run()
    wait(lambda: len(kept.pictures) >= 3, "pictures")
    assert np.median(kept.pictures[0][0][..., 0]) > 180  # red comes first


@pytest.mark.parametrize(
    ("config", "error", "says"),
    [
        (DeviceConfig(Kind.LEROBOT, name="paintd"), ConfigError, "camera 'paintd'.*'painted'"),
        (painted_by_lerobot("--agee_s=1"), ConfigError, "painted: .*agee_s"),
        (painted_by_lerobot("--plug=/nowhere"), MachineError, "painted: cannot connect: .*plug"),
    ],
)
def test_what_lerobot_refuses_is_said_in_one_line(keep, config, error, says) -> None:
    with pytest.raises(error, match=says) as refused:
        keep(config).capture.open()
    assert "\n" not in str(refused.value)


def test_the_thread_ends_when_it_is_told_to(keep, video) -> None:
    kept = keep(opencv(video)).run()
    wait(lambda: kept.pictures, "pictures")
    kept.capture.close()
    assert "capture" not in {thread.name for thread in threading.enumerate()}
