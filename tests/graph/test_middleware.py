"""The middleware as this project sets it up: the profile, isolation, pictures that arrive."""

from __future__ import annotations

import os
import sys

from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image
from std_msgs.msg import String

PICTURES = 30  # 28 MB: the segment holds them all, so a busy machine loses none either
PUBLISHER = """
import sys, time
import rclpy
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image

rclpy.init()
node = rclpy.create_node("camera")
qos = QoSProfile(depth=30, reliability=ReliabilityPolicy.BEST_EFFORT)
publisher = node.create_publisher(Image, "image", qos)
picture = Image(width=640, height=480, step=1920, encoding="rgb8", data=bytes(640 * 480 * 3))
while publisher.get_subscription_count() == 0:
    time.sleep(0.05)
for number in range(int(sys.argv[1])):
    picture.header.frame_id = str(number)
    publisher.publish(picture)
    time.sleep(1 / 30)
rclpy.shutdown()
"""


def test_every_vga_picture_arrives_from_another_process(graph):
    qos = QoSProfile(depth=PICTURES, reliability=ReliabilityPolicy.BEST_EFFORT)
    pictures = graph.collect(Image, "image", qos)
    camera = graph.start_command([sys.executable, "-c", PUBLISHER, str(PICTURES)])

    graph.spin_until(lambda: camera.poll() is not None, "the camera has sent everything")

    graph.spin_for(0.3)
    assert [int(picture.header.frame_id) for picture in pictures] == list(range(PICTURES))


def test_a_test_has_a_domain_of_its_own(graph):
    assert os.environ["ROS_DOMAIN_ID"] == str(graph.domain_id)
    assert graph.node.context.get_domain_id() == graph.domain_id


def test_what_is_published_is_received(graph):
    heard = graph.collect(String, "word")
    publisher = graph.node.create_publisher(String, "word", 10)
    graph.spin_until(lambda: publisher.get_subscription_count() == 1, "the two have met")

    publisher.publish(String(data="hello"))

    graph.spin_until(lambda: heard, "the message")
    assert heard[0].data == "hello"
