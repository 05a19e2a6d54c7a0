"""The simulator's node: its streams, its stamps, its judge, and a camera that stops."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sensor_msgs.msg import CameraInfo, Image, JointState

from lam_interfaces.msg import JointCommand, Scene
from lam_interfaces.srv import Judge, ResetScene
from lam_ros.bridge import qos, topics
from lam_ros.bridge.messages import command_to, stamp_to_ns
from lam_ros.bridge.scenes import scene_from
from lam_ros.config import load_robot
from lam_ros.core.scene import Literal
from lam_ros.run.recording import load_moments

ROBOT = load_robot("so101")


def start_sim(graph: Any, **parameters: object) -> Any:
    """Run the simulator in the test's own process, active."""
    from rclpy.parameter import Parameter

    from lam_ros.nodes.sim import SimNode

    values = {"seed": 7, "autostart": False} | parameters
    node = graph.add(
        SimNode(parameter_overrides=[Parameter(key, value=value) for key, value in values.items()])
    )
    node.bring_up()
    return node


def stamps(messages: list[Any]) -> np.ndarray:
    """Return the stamps of messages [ns]."""
    return np.array([stamp_to_ns(message.header.stamp) for message in messages])


def test_streams_come_at_their_rates_on_the_control_grid(graph: Any) -> None:
    joints = graph.collect(JointState, "joint_states", qos.SENSOR)
    front = graph.collect(Image, "camera/front/image_raw", qos.SENSOR)
    info = graph.collect(CameraInfo, "camera/wrist/camera_info", qos.SENSOR)
    scenes = graph.collect(Scene, topics.SCENE, qos.SCENE)
    node = start_sim(graph)
    graph.spin_until(lambda: len(joints) >= 60 and len(front) >= 25, "a second of streams")
    received_ns = node.get_clock().now().nanoseconds
    node.take_down()

    grid = np.diff(stamps(joints))
    assert (grid % ROBOT.control_period_ns == 0).all()
    # A machine that cannot keep up drops steps; there is never more than one a period.
    assert grid.min() == ROBOT.control_period_ns
    period_ns = ROBOT.camera("front").period_ns
    assert period_ns in np.diff(stamps(front))
    assert (len(front) - 1) * period_ns < np.ptp(stamps(front)) + period_ns
    assert stamps(joints)[-1] <= received_ns
    assert ((stamps(front) - stamps(joints)[0]) % ROBOT.control_period_ns == 0).all()
    assert (front[-1].width, front[-1].height, front[-1].encoding) == (128, 80, "rgb8")
    assert np.frombuffer(front[-1].data, np.uint8).std() > 5
    assert info[-1].k[0] > 0
    assert len(scenes) >= 10


def test_larger_pictures_come_beside_for_who_looks_closely(graph: Any) -> None:
    image, info = ROBOT.detail_topics("front")
    small = graph.collect(Image, "camera/front/image_raw", qos.SENSOR)
    large = graph.collect(Image, image, qos.SENSOR)
    described = graph.collect(CameraInfo, info, qos.SENSOR)
    start_sim(graph, detail_width_px=640)
    graph.spin_until(lambda: len(large) >= 4 and len(described) >= 4, "larger pictures")
    assert (large[-1].width, large[-1].height) == (640, 400)
    assert (described[-1].width, described[-1].height) == (640, 400)
    assert {stamp_to_ns(m.header.stamp) for m in large} & set(stamps(small).tolist())
    assert (small[-1].width, small[-1].height) == (128, 80)


def test_a_command_moves_the_arm_and_stays_in_force(graph: Any) -> None:
    joints = graph.collect(JointState, "joint_states", qos.SENSOR)
    node = start_sim(graph)
    graph.spin_until(lambda: joints, "a joint state")
    target = np.array(joints[-1].position)
    target[0] += 0.1
    out = graph.node.create_publisher(JointCommand, "lam/joint_command", qos.COMMAND)
    graph.spin_until(out.get_subscription_count, "the simulator to listen")
    message = command_to(target, ROBOT, stamp_ns=1)
    order = [5, 3, 1, 0, 2, 4]  # by name, in any order
    message.joint_names = [message.joint_names[i] for i in order]
    message.position_rad = [message.position_rad[i] for i in order]
    out.publish(message)
    graph.spin_until(lambda: abs(joints[-1].position[0] - target[0]) < 0.02, "the arm to arrive")
    graph.spin_for(0.2)
    assert joints[-1].position[0] == pytest.approx(target[0], abs=0.02)
    node.take_down()


def test_the_judge_answers_from_ground_truth_and_names_what_it_does_not_know(graph: Any) -> None:
    scenes = graph.collect(Scene, topics.SCENE, qos.SCENE)
    node = start_sim(graph)
    graph.spin_until(lambda: scenes, "a scene")
    scene = scene_from(scenes[-1])
    first, second = scene.ids[:2]
    literal = Literal("next_to", (first, second))
    client = graph.node.create_client(Judge, topics.JUDGE)
    request = Judge.Request(literals=[str(literal), f"in({first}, nowhere_1)", "nonsense"])
    answer = graph.call(client, request)
    assert list(answer.holds) == [scene.holds(literal), False, False]
    assert "nowhere_1" in answer.detail
    assert "nonsense" in answer.detail
    node.take_down()


def test_a_stopped_camera_falls_silent_alone(graph: Any) -> None:
    front = graph.collect(Image, "camera/front/image_raw", qos.SENSOR)
    wrist = graph.collect(Image, "camera/wrist/image_raw", qos.SENSOR)
    node = start_sim(graph, stop_camera="wrist", stop_camera_after_s=0.2)
    graph.spin_until(lambda: len(front) >= 20, "pictures of the front camera")
    node.take_down()
    assert 1 <= len(wrist) <= 8


def test_the_recording_is_written_when_the_node_stops(graph: Any, tmp_path: Path) -> None:
    path = tmp_path / "recording.npz"
    joints = graph.collect(JointState, "joint_states", qos.SENSOR)
    node = start_sim(graph, record_path=str(path), record_rate_hz=10.0)
    graph.spin_until(lambda: len(joints) >= 30, "some motion")
    node.take_down()
    moments = load_moments(path)
    assert len(moments) >= 4
    assert moments[0].images["front"].shape == (80, 128, 3)
    assert np.median(np.diff([moment.stamp_ns for moment in moments])) == 100_000_000


def test_a_new_scene_is_set_while_the_streams_go_on(graph: Any) -> None:
    scenes = graph.collect(Scene, topics.SCENE, qos.SCENE)
    joints = graph.collect(JointState, "joint_states", qos.SENSOR)
    node = start_sim(graph)
    graph.spin_until(lambda: scenes and joints, "a scene")
    before = scene_from(scenes[-1])
    client = graph.node.create_client(ResetScene, topics.RESET_SCENE)
    answer = graph.call(client, ResetScene.Request(seed=8))
    seen = len(scenes)
    graph.spin_until(lambda: len(scenes) > seen + 2, "the new scene")
    after = scene_from(scenes[-1])
    assert answer.success
    assert set(answer.message.split(", ")) == set(after.ids)
    assert [o.position_m for o in after.objects] != [o.position_m for o in before.objects]
    assert (np.diff(stamps(joints)) > 0).all()
    refused = graph.call(client, ResetScene.Request(seed=-1))
    assert not refused.success
    assert refused.message
    node.take_down()
