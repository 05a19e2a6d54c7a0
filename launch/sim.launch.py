"""The whole graph in simulation: `ros2 launch lam_ros sim.launch.py seed:=7`.

Then, from another shell with the same ROS_DOMAIN_ID:

    ros2 action send_goal /lam/execute_instruction lam_interfaces/action/ExecuteInstruction \
        "{instruction: 'put the red cube in the blue bowl'}"

The nodes and their parameters are those of `lam run` (lam_ros/graph.py).  Unlike there
the domain is the one of your shell: where a real arm listens on it, it would move.
"""

from launch.actions import DeclareLaunchArgument, OpaqueFunction

from lam_ros.ros_launch import sim_actions
from launch import LaunchDescription

ARGUMENTS = {
    "seed": ("0", "fixes the scene"),
    "policy": ("lam", "lam, or expert for the scripted teleoperator"),
    "checkpoint": ("lam_so101", "name of a shipped checkpoint, or a folder"),
    "robot": ("so101", "name of a robot in config/robot, or a YAML file"),
}


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments; the nodes follow when their values are known."""
    declared = [
        DeclareLaunchArgument(name, default_value=default, description=description)
        for name, (default, description) in ARGUMENTS.items()
    ]

    def nodes(context, *_, **__):
        values = context.launch_configurations
        return sim_actions({name: values[name] for name in ARGUMENTS})

    return LaunchDescription([*declared, OpaqueFunction(function=nodes)])
