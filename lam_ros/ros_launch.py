"""From the table of nodes to the actions of `ros2 launch`.

The only module that needs `launch`, which comes with a ROS installation and not from
pip.  `launch_ros` looks for executables in an ament package; started as Python modules,
the nodes run from any installation.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lam_ros.environment import node_environment
from lam_ros.graph import EXPERT, GraphParameters, sim_graph
from lam_ros.supervisor import NodeSpec


def sim_actions(values: Mapping[str, str]) -> list[Any]:
    """Return what starts the graph in simulation.

    Args:
        values: `seed`, `policy`, `checkpoint` and `robot`, as text.
    """
    parameters = GraphParameters(
        policy_type=values["policy"],
        shared={"robot": values["robot"]},
        sim={"seed": int(values["seed"]), "scene_rate_hz": _scene_rate_hz(values["policy"])},
        policy={"checkpoint": values["checkpoint"]},
    )
    return start_actions(sim_graph(parameters))


def start_actions(specs: tuple[NodeSpec, ...]) -> list[Any]:
    """Return an action for each node; all end when one of them has ended for good."""
    from launch.actions import EmitEvent, ExecuteProcess
    from launch.events import Shutdown

    folder = Path(tempfile.mkdtemp(prefix="lam-launch-"))
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
                on_exit=None if spec.restart else [ended],
            )
        )
    return actions


def module_command(spec: NodeSpec, folder: Path) -> list[str]:
    """Return the command line of a node that ends with `ros2 launch`."""
    launcher = [sys.executable, "-m", "lam_ros.process", "--nice", str(spec.nice)]
    cpus = ["--cpus", ",".join(str(cpu) for cpu in spec.cpus)] if spec.cpus else []
    ros = ["--ros-args", "-r", f"__node:={spec.name}"]
    return [*launcher, *cpus, spec.module, *ros, "--params-file", str(spec.parameter_file(folder))]


def _scene_rate_hz(policy: str) -> float:
    return 50.0 if policy == EXPERT else 20.0
