"""From the table of nodes to what `ros2 launch` starts.

The only module that needs `launch`, which comes with a ROS installation and not from
pip.  `launch_ros` looks for executables in an ament package; started as Python modules,
the nodes run from any installation.
"""

from __future__ import annotations

import importlib
import tempfile
from pathlib import Path
from typing import Any

from lam_ros.environment import node_environment
from lam_ros.supervisor import NodeSpec
from lam_ros.up.arguments import values_of
from lam_ros.up.table import setup_of

RESTART_AFTER_S = 1.0


def launch_description(name: str) -> Any:
    """Return the description of one setup: its arguments, and its nodes when they are known."""
    from launch.actions import DeclareLaunchArgument, OpaqueFunction

    # By name: type checkers take our folder of launch files for the package.
    description: Any = importlib.import_module("launch").LaunchDescription
    setup = setup_of(name)
    declared = [
        DeclareLaunchArgument(
            argument.name,
            default_value=argument.default,
            description=argument.description,
            choices=list(argument.choices) or None,
        )
        for argument in setup.arguments
    ]

    def nodes(context: Any, *_: Any, **__: Any) -> list[Any]:
        given = context.launch_configurations
        texts = {argument.name: given[argument.name] for argument in setup.arguments}
        folder = Path(tempfile.mkdtemp(prefix="lam-launch-"))
        return start_actions(setup.specs(values_of(setup.arguments, texts), folder), folder)

    return description([*declared, OpaqueFunction(function=nodes)])


def start_actions(specs: tuple[NodeSpec, ...], folder: Path) -> list[Any]:
    """Return an action for each row; all end when one has ended that is not started again."""
    from launch.actions import EmitEvent, ExecuteProcess
    from launch.events import Shutdown

    actions = []
    for spec in specs:
        ended = EmitEvent(event=Shutdown(reason=f"{spec.name} has ended"))
        actions.append(
            ExecuteProcess(
                cmd=module_command(spec, folder),
                name=spec.name,
                output="screen",
                env=node_environment(threads=spec.threads),
                respawn=spec.restart,
                respawn_delay=RESTART_AFTER_S,
                on_exit=None if spec.restart else [ended],
            )
        )
    return actions


def module_command(spec: NodeSpec, folder: Path) -> list[str]:
    """Return the command line of a row that ends with `ros2 launch`."""
    return spec.command_of(spec.parameter_file(folder))
