"""An arm that a person moves: `ros2 launch lam_ros teleop.launch.py teleop:=gamepad sim:=true`.

The nodes are those of `lam up teleop`: both read lam_ros/up/table.py.
"""

from lam_ros.ros_launch import launch_description


def generate_launch_description():
    """Declare the arguments; the nodes follow when their values are known."""
    return launch_description("teleop")
