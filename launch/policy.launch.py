"""A policy alone, for an arm of another machine: `ros2 launch lam_ros policy.launch.py device:=cuda`.

The arm's machine runs `ros2 launch lam_ros robot.launch.py policy:=remote`; docs/remote.md.
The node is that of `lam up policy`: both read lam_ros/up/table.py.
"""

from lam_ros.ros_launch import launch_description


def generate_launch_description():
    """Declare the arguments; the node follows when their values are known."""
    return launch_description("policy")
