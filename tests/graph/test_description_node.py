"""What the arm looks like and where its links are, for everybody on the graph."""

from __future__ import annotations

import numpy as np
import pytest
from sensor_msgs.msg import JointState
from std_msgs.msg import String

from lam_ros.bridge import qos, topics
from lam_ros.bridge.frames import has_tf, transforms_to
from lam_ros.bridge.messages import joints_to
from lam_ros.config import load_robot
from lam_ros.core import types
from lam_ros.core.errors import ConfigError, RobotError
from lam_ros.core.frames import FrameTree
from lam_sim.urdf import urdf

ROBOT = load_robot("so101")


def describe(graph, **values):
    from rclpy.parameter import Parameter

    from lam_ros.nodes.description import DescriptionNode

    values = {"autostart": False} | values
    parameters = [Parameter(name, value=value) for name, value in values.items()]
    node = graph.add(DescriptionNode(parameter_overrides=parameters))
    node.bring_up()
    return node


def test_whoever_comes_later_still_gets_the_description(graph) -> None:
    node = describe(graph)
    graph.spin_for(0.1)
    came = graph.collect(String, topics.ROBOT_DESCRIPTION, qos.LATCHED)
    graph.spin_until(lambda: came, "the description")
    assert came[0].data == urdf(ROBOT)
    node.take_down()


def test_a_urdf_of_ones_own_is_published_as_it_is(graph, tmp_path) -> None:
    path = tmp_path / "mine.urdf"
    path.write_text(urdf(ROBOT).replace("so101", "mine"))
    node = describe(graph, urdf=str(path))
    came = graph.collect(String, topics.ROBOT_DESCRIPTION, qos.LATCHED)
    graph.spin_until(lambda: came, "the description")
    assert came[0].data == path.read_text()
    node.take_down()


def test_a_urdf_that_is_missing_or_of_another_arm_is_refused(graph, tmp_path) -> None:
    with pytest.raises(ConfigError, match=r"cannot read .*nowhere\.urdf"):
        describe(graph, urdf=str(tmp_path / "nowhere.urdf"))
    other = tmp_path / "other.urdf"
    other.write_text('<robot name="x"><link name="base"/></robot>')
    with pytest.raises(ConfigError, match="lacks joints elbow_flex"):
        describe(graph, urdf=str(other))
    other.write_text("no XML")
    with pytest.raises(RobotError, match="not XML"):
        describe(graph, urdf=str(other))


def test_transforms_are_stamped_prefixed_and_unit_quaternions() -> None:
    tree = FrameTree.from_urdf(urdf(ROBOT))
    position = dict(zip(ROBOT.joint_names, ROBOT.poses.home_rad, strict=True))
    messages = transforms_to(tree.moving(position), "left/", 1_500_000_000)
    assert [message.child_frame_id for message in messages][:2] == [
        "left/shoulder_link",
        "left/upper_arm_link",
    ]
    assert messages[0].header.frame_id == "left/base_link"
    assert (messages[0].header.stamp.sec, messages[0].header.stamp.nanosec) == (1, 500_000_000)
    for message in messages:
        turn = message.transform.rotation
        assert np.linalg.norm([turn.x, turn.y, turn.z, turn.w]) == pytest.approx(1.0)


@pytest.mark.skipif(not has_tf(), reason="tf2_msgs comes with a ROS installation, not from pip")
def test_frames_follow_the_measured_joints(graph) -> None:
    from tf2_msgs.msg import TFMessage

    node = describe(graph)
    moving = graph.collect(TFMessage, "/tf", qos.REPORT)
    fixed = graph.collect(TFMessage, "/tf_static", qos.LATCHED)
    out = graph.node.create_publisher(JointState, ROBOT.topics.joint_state, qos.SENSOR)
    graph.spin_until(out.get_subscription_count, "the node to listen")
    state = types.JointState(7, np.array(ROBOT.poses.rest_rad), np.zeros(6))
    out.publish(joints_to(state, ROBOT))
    graph.spin_until(lambda: moving and fixed, "frames")
    assert len(moving[0].transforms) == len(ROBOT.joints)
    assert moving[0].transforms[0].header.stamp.nanosec == 7
    node.take_down()
