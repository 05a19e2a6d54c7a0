"""The camera node on the graph: pictures with what describes them, and how the camera is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from sensor_msgs.msg import CameraInfo, Image
from stand_in_cameras import NetworkCamera, painted, robot_files

from lam_ros.bridge import qos, topics
from lam_ros.bridge.images import frame_from
from lam_ros.core.errors import MachineError

IMAGE, INFO = "camera/front/image_raw", "camera/front/camera_info"


@pytest.fixture
def network():
    camera = NetworkCamera()
    yield camera
    camera.unplug()


@pytest.fixture
def files(network: NetworkCamera, tmp_path: Path) -> dict[str, str]:
    """Return a robot with small pictures, and its devices."""
    return robot_files(network, tmp_path, black_after_s=0.2)


def bring_up(world, files):
    from lam_ros.nodes.camera import CameraNode

    return world.bring_up(CameraNode, camera="front", **files)


def test_pictures_come_with_their_camera_info_and_the_stamp_of_their_taking(
    graph, network, files, world
) -> None:
    images = graph.collect(Image, IMAGE, qos.SENSOR)
    infos = graph.collect(CameraInfo, INFO, qos.SENSOR)
    before_ns = graph.node.get_clock().now().nanoseconds
    bring_up(world, files)
    graph.spin_until(lambda: len(images) > 3 and len(infos) > 3, "pictures")
    frame = frame_from(images[-1], "front")
    assert frame.image.shape == (48, 64, 3)
    assert np.median(frame.image[..., 0]) > 180
    assert before_ns < frame.stamp_ns <= graph.node.get_clock().now().nanoseconds
    assert images[-1].header.frame_id == "front_optical_frame"
    stamps = {(i.header.stamp.sec, i.header.stamp.nanosec) for i in infos}
    assert (images[1].header.stamp.sec, images[1].header.stamp.nanosec) in stamps
    assert infos[-1].k[4] == pytest.approx(24 / np.tan(np.radians(20)))


def test_larger_pictures_of_the_same_view_come_beside(graph, files, world) -> None:
    from lam_ros.nodes.camera import CameraNode

    large = graph.collect(Image, "camera/front/detail/image_raw", qos.SENSOR)
    infos = graph.collect(CameraInfo, "camera/front/detail/camera_info", qos.SENSOR)
    small = graph.collect(Image, IMAGE, qos.SENSOR)
    world.bring_up(CameraNode, camera="front", detail_width_px=160, **files)
    graph.spin_until(lambda: len(large) > 1 and len(infos) > 1 and len(small) > 1, "pictures")
    assert frame_from(large[-1], "front").image.shape == (120, 160, 3)
    assert frame_from(small[-1], "front").image.shape == (48, 64, 3)
    assert infos[-1].k[4] == pytest.approx(60 / np.tan(np.radians(20)))


def test_diagnostics_tell_of_a_loss_and_of_the_return(graph, network, files, world) -> None:
    images = graph.collect(Image, IMAGE, qos.SENSOR)
    reports = graph.collect(DiagnosticArray, topics.DIAGNOSTICS, qos.REPORT)
    bring_up(world, files)

    def newest():
        return reports[-1].status[0] if reports else None

    graph.spin_until(lambda: newest() and newest().level == DiagnosticStatus.OK, "all well")
    assert newest().name == "camera: front"
    network.unplug()
    graph.spin_until(lambda: newest().level == DiagnosticStatus.ERROR, "the loss")
    assert newest().message.startswith("lost: ")
    count = len(images)
    network.plug()
    graph.spin_until(lambda: len(images) > count + 3, "pictures again")
    graph.spin_until(lambda: newest().level == DiagnosticStatus.OK, "all well again")
    assert {v.key: v.value for v in newest().values}["losses"] == "1"


def test_black_pictures_are_flagged_and_kept_from_the_policy(graph, network, files, world) -> None:
    images = graph.collect(Image, IMAGE, qos.SENSOR)
    reports = graph.collect(DiagnosticArray, topics.DIAGNOSTICS, qos.REPORT)
    bring_up(world, files)
    graph.spin_until(lambda: images, "pictures")
    network.paint = lambda _: painted(0, red=0)
    graph.spin_until(
        lambda: reports and "have been black" in reports[-1].status[0].message, "the flag"
    )
    count = len(images)
    graph.spin_for(0.3)
    assert len(images) == count


def test_deactivated_it_publishes_nothing(graph, network, files, world) -> None:
    images = graph.collect(Image, IMAGE, qos.SENSOR)
    node = bring_up(world, files)
    graph.spin_until(lambda: images, "pictures")
    node.trigger_deactivate()
    graph.spin_for(0.1)
    count = len(images)
    graph.spin_for(0.3)
    assert len(images) == count
    node.trigger_activate()
    graph.spin_until(lambda: len(images) > count, "pictures again")


def test_a_camera_that_is_away_at_the_start_is_said_in_one_line(network, files, world) -> None:
    network.unplug()
    with pytest.raises(MachineError, match=r"camera 'front': http.* does not answer"):
        bring_up(world, files)
