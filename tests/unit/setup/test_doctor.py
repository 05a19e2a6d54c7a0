"""Each check of the doctor, with its fault planted."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from lam_ros import doctor, paths
from lam_ros.core.errors import CheckpointError
from lam_ros.doctor import hardware, middleware, software
from lam_ros.environment import PROFILE, Installation

PIP = Installation(Path("/venv"), ("/venv/lib",))
SYSTEM = Installation(Path("/venv"))
RCLPY = "/venv/lib/python3.12/site-packages/rclpy/__init__.py"
JAZZY_RCLPY = "/opt/ros/jazzy/lib/python3.12/site-packages/rclpy/__init__.py"


def answers(returncode=0, stdout="", stderr=""):
    """Stand in for subprocess.run."""
    return lambda *args, **kwargs: SimpleNamespace(
        returncode=returncode, stdout=stdout, stderr=stderr
    )


def runs_out_of_time(*args, **kwargs):
    raise subprocess.TimeoutExpired(args[0], kwargs["timeout"])


@pytest.mark.parametrize(
    ("version", "ok"), [((3, 12, 1), True), ((3, 11, 9), False), ((3, 13, 0), False)]
)
def test_python(version, ok):
    check = software.python_version(version)

    assert check.ok is ok
    assert bool(check.remedy) is not ok


@pytest.mark.parametrize(
    ("granted", "missed", "remedy"),
    [("SCHED_FIFO 10", 0, ""), ("nice 0", 0, "rtprio"), ("SCHED_FIFO 10", 3, "3 of 100 came late")],
)
def test_the_rhythm_of_the_command_stream(granted, missed, remedy):
    seen = {"granted": granted, "beats": 100, "missed": missed, "longest_ms": 20.3}

    check = hardware.rhythm(20.0, seen)

    assert check.ok, "an arm in simulation can do without"
    assert "20.3 ms between two of 20" in check.found
    assert remedy in check.remedy
    assert bool(remedy) is bool(check.remedy)


def test_ros_from_pip_alone_is_right():
    assert software.ros_source({}, PIP, RCLPY).ok


@pytest.mark.parametrize(
    ("env", "installation", "rclpy"),
    [
        ({}, PIP, None),
        ({"LD_LIBRARY_PATH": "/opt/ros/jazzy/lib"}, PIP, RCLPY),
        ({"PYTHONPATH": "/opt/ros/humble/lib/python3.10/site-packages"}, PIP, RCLPY),
        ({}, PIP, JAZZY_RCLPY),
        ({"ROS_DISTRO": "humble"}, SYSTEM, "/opt/ros/humble/rclpy/__init__.py"),
        ({}, SYSTEM, JAZZY_RCLPY),
    ],
    ids=["none", "libraries", "modules", "rclpy", "humble", "not sourced"],
)
def test_no_mixed_or_other_ros(env, installation, rclpy):
    check = software.ros_source(env, installation, rclpy)

    assert not check.ok
    assert check.remedy


def test_an_installed_jazzy_is_right():
    assert software.ros_source({"ROS_DISTRO": "jazzy"}, SYSTEM, JAZZY_RCLPY).ok


def test_interfaces_are_built():
    check = software.interfaces()

    assert check.ok
    assert "types" in check.found


def test_interfaces_that_are_not_built():
    def missing(name):
        raise ModuleNotFoundError(f"No module named '{name}'")

    check = software.interfaces(missing)

    assert not check.ok
    assert "make setup" in check.remedy


@pytest.mark.parametrize(
    ("installed", "ok"),
    [
        (["opencv-python-headless"], True),
        (["opencv-python", "opencv-python-headless"], False),
        (["opencv-contrib-python"], False),
        (["numpy"], False),
    ],
)
def test_opencv(installed, ok):
    assert software.opencv(installed).ok is ok


def profile(folder, text):
    path = folder / "profile.xml"
    path.write_text(text)
    return {PROFILE: str(path)}


def test_our_own_profile_is_right():
    assert middleware.dds_profile({PROFILE: str(paths.dds_profile())}).ok


@pytest.mark.parametrize(
    "text", ["", "<profiles>", "<profiles/>", "<p><segment_size>524288</segment_size></p>"]
)
def test_a_profile_that_loses_pictures(tmp_path, text):
    check = middleware.dds_profile(profile(tmp_path, text))

    assert not check.ok
    assert PROFILE in check.remedy


@pytest.mark.parametrize("env", [{}, {PROFILE: "/nowhere/profile.xml"}])
def test_no_profile(env):
    assert not middleware.dds_profile(env).ok


SMALL = "7f0000000000-7f0000087000 rw-s 00000000 00:1b 859 /dev/shm/fastrtps_c22fd9e28e0464d0"
LARGE = "7f0000000000-7f0002181000 rw-s 00000000 00:1b 859 /dev/shm/fastrtps_c22fd9e28e0464d0"
OTHER = "7f0000000000-7f0009181000 rw-s 00000000 00:1b 859 /dev/shm/something_else"


@pytest.mark.parametrize(
    ("maps", "ok"), [([SMALL, LARGE], True), ([SMALL], False), ([OTHER], False), ([], False)]
)
def test_the_segment_that_is_really_mapped(maps, ok):
    assert middleware.segment_in_force(maps, "rmw_fastrtps_cpp").ok is ok


def test_of_another_middleware_nothing_is_claimed():
    check = middleware.segment_in_force([], "rmw_cyclonedds_cpp")

    assert check.ok
    assert "not known" in check.found


@pytest.mark.parametrize(("free_bytes", "ok"), [(2**30, True), (64 * 2**20, False), (None, False)])
def test_shared_memory(free_bytes, ok):
    assert middleware.shared_memory(free_bytes).ok is ok


def test_rendering_that_works():
    check = hardware.rendering({"MUJOCO_GL": "egl"}, answers(stdout="llvmpipe\n"))

    assert check == doctor.Check("rendering", True, "egl, llvmpipe")


@pytest.mark.parametrize(
    "run",
    [
        answers(1, stderr="Traceback\nImportError: cannot initialize EGL"),
        answers(-11),
        runs_out_of_time,
    ],
    ids=["error", "crash", "hang"],
)
def test_rendering_that_fails(run):
    check = hardware.rendering({"MUJOCO_GL": "egl"}, run)

    assert not check.ok
    assert "libegl1" in check.remedy


def test_rendering_with_a_backend_that_is_not_there():
    check = hardware.rendering({**os.environ, "MUJOCO_GL": "no_such_backend"})

    assert not check.ok
    assert "no_such_backend" in check.found


@pytest.mark.parametrize(
    ("cores", "wanted", "ok"), [(4, "", True), (4, "2", True), (2, "8", False), (1, "", True)]
)
def test_threads(cores, wanted, ok):
    assert hardware.threads(cores, {"OMP_NUM_THREADS": wanted}).ok is ok


@pytest.mark.parametrize(("free_bytes", "ok"), [(10**11, True), (10**8, False)])
def test_disk(free_bytes, ok):
    assert hardware.disk(free_bytes, Path("/data")).ok is ok


def test_no_gpu_is_no_fault(monkeypatch):
    monkeypatch.setenv("PATH", "")

    assert hardware.gpu() == doctor.Check("gpu", True, "none; the CPU does")


@pytest.mark.parametrize("look", [hardware.cameras, hardware.serial_ports])
def test_nothing_plugged_in_is_no_fault(look):
    check = look([])

    assert check.ok
    assert check.found == "none"


def test_a_port_that_may_be_used(tmp_path):
    assert hardware.serial_ports([tmp_path / "ttyACM0"], lambda port: True).ok


def test_a_port_without_permission(tmp_path):
    port = tmp_path / "ttyACM0"
    port.touch()

    check = hardware.serial_ports([port], lambda port: False)

    assert not check.ok
    assert check.found == f"no permission for {port}"
    assert check.remedy.startswith("sudo usermod -aG ")


@pytest.fixture
def checkpoints(tmp_path):
    """A policy configuration that names the checkpoint `best`, and a folder with it."""
    config = tmp_path / "lam.yaml"
    config.write_text("checkpoint: best\n")
    weights = tmp_path / "checkpoints/best/model.safetensors"
    weights.parent.mkdir(parents=True)
    weights.write_bytes(bytes(2_000_000))
    return config, weights


def test_a_checkpoint_that_loads(checkpoints):
    config, weights = checkpoints

    check = software.checkpoint(config, weights.parent.parent, lambda folder: None)

    assert check == doctor.Check("checkpoint", True, "'best', 2.0 MB, loads")


def test_a_checkpoint_that_is_not_there(checkpoints):
    config, weights = checkpoints
    weights.unlink()

    assert not software.checkpoint(config, weights.parent.parent, lambda folder: None).ok


def test_a_checkpoint_that_is_a_pointer(checkpoints):
    config, weights = checkpoints
    weights.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n")

    check = software.checkpoint(config, weights.parent.parent, lambda folder: None)

    assert check.found == "'best' is a git-lfs pointer, not weights"


def test_a_checkpoint_that_is_damaged(checkpoints):
    config, weights = checkpoints

    def load(folder):
        raise CheckpointError("checksum differs")

    check = software.checkpoint(config, weights.parent.parent, load)

    assert not check.ok
    assert check.found == "checksum differs"


def test_a_policy_without_a_checkpoint(checkpoints):
    config, weights = checkpoints
    config.write_text("type: lam\n")

    assert not software.checkpoint(config, weights.parent.parent, lambda folder: None).ok


def test_meta_world_is_wanted_by_some_only(monkeypatch):
    monkeypatch.setattr(software, "version", lambda name: "3.0.0")
    assert software.yardstick() == doctor.Check("metaworld", True, "3.0.0")

    def missing(name):
        raise software.PackageNotFoundError(name)

    monkeypatch.setattr(software, "version", missing)
    check = software.yardstick()
    assert check.ok
    assert "pip install" in check.found


def test_one_fault_is_told_to_people_and_to_machines(capsys):
    checks = [
        doctor.Check("python", True, "3.12.1"),
        doctor.Check("ros", False, "none", "make setup"),
    ]

    code = doctor.tell(checks, json=True)

    captured = capsys.readouterr()
    answer = json.loads(captured.out.splitlines()[-1])
    assert code == 4
    assert answer["ok"] is False
    assert answer["checks"][1] == {
        "name": "ros",
        "ok": False,
        "found": "none",
        "remedy": "make setup",
    }
    assert "make setup" in captured.err


def test_all_well_ends_with_zero_and_says_nothing_on_stdout(capsys):
    assert doctor.tell([doctor.Check("python", True, "3.12.1")], json=False) == 0
    assert capsys.readouterr().out == ""


def test_a_check_that_breaks_does_not_hide_the_others():
    def breaks():
        raise OSError("device gone")

    (check,) = doctor._safely("cameras", breaks)

    assert not check.ok
    assert check.found == "OSError: device gone"


def test_cameras_are_listed_with_the_names_that_they_give_themselves(tmp_path):
    (tmp_path / "video0").mkdir()
    (tmp_path / "video0" / "name").write_text("HD Webcam\n")
    called = hardware.camera_called(Path("/dev/video0"), tmp_path)
    assert called == "/dev/video0 (HD Webcam)"
    assert hardware.camera_called(Path("/dev/video1"), tmp_path) == "/dev/video1"
