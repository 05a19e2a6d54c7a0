"""A real arm: `ros2 launch lam_ros robot.launch.py robot:=so101 port:=/dev/ttyACM0`.

The nodes are those of `lam up robot`: both read lam_ros/up/table.py.
"""

from lam_ros.ros_launch import launch_description


def generate_launch_description():
    """Declare the arguments; the nodes follow when their values are known."""
    return launch_description("robot")
