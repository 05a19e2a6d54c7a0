"""The simulated arm and its policy: `ros2 launch lam_ros sim.launch.py seed:=7`.

Then, from another shell with the same ROS_DOMAIN_ID:

    ros2 action send_goal /lam/execute_instruction lam_interfaces/action/ExecuteInstruction \
        "{instruction: 'put the red cube in the blue bowl'}"

Unlike in `lam run` the domain is the one of your shell: where a real arm listens on it
in the same namespace, it would move.

The nodes are those of `lam up sim`: both read lam_ros/up/table.py.
"""

from lam_ros.ros_launch import launch_description


def generate_launch_description():
    """Declare the arguments; the nodes follow when their values are known."""
    return launch_description("sim")
