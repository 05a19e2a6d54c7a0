"""An arm that a person moves, recorded: `ros2 launch lam_ros record.launch.py root:=recordings`.

The nodes are those of `lam up record`: both read lam_ros/up/table.py.
"""

from lam_ros.ros_launch import launch_description


def generate_launch_description():
    """Declare the arguments; the nodes follow when their values are known."""
    return launch_description("record")
