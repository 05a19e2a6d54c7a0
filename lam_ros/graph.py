"""The graph in simulation as one table: what `lam run` starts and launch files read."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lam_ros.supervisor import NodeSpec

EXPERT = "expert"
"""Type of policy that is the scripted teleoperator."""

POLICY_NICE = 10
PERCEPTION_NICE = 15
"""Looking again can wait for the policy, as the policy waits for the command stream."""

DETAIL_WIDTH_PX = 640
"""Width of the pictures that perception looks at; the policy's are smaller."""


@dataclass(frozen=True)
class GraphParameters:
    """Each node's own parameters.

    Attributes:
        policy_type: `expert` for the scripted teleoperator, else the policy's type.
        policy_threads: CPU threads of inference.
        shared: of every node.
        sim, control, policy, planner: of that node.
        perception: of that node; None where there is none, and the truth is what is seen.
    """

    policy_type: str = "lam"
    policy_threads: int = 1
    shared: Mapping[str, Any] = field(default_factory=dict)
    sim: Mapping[str, Any] = field(default_factory=dict)
    control: Mapping[str, Any] = field(default_factory=dict)
    policy: Mapping[str, Any] = field(default_factory=dict)
    planner: Mapping[str, Any] = field(default_factory=dict)
    perception: Mapping[str, Any] | None = None


def sim_graph(parameters: GraphParameters) -> tuple[NodeSpec, ...]:
    """Return the nodes of the graph in simulation, the slowest to start first."""
    shared = dict(parameters.shared)
    return (
        _driver(parameters, shared),
        *arm_graph(parameters),
        *_perception(parameters, shared),
        NodeSpec(
            "planner", "lam_ros.nodes.planner", "PlannerNode", {**shared, **parameters.planner}
        ),
    )


def arm_graph(parameters: GraphParameters) -> tuple[NodeSpec, ...]:
    """Return the simulated arm and what commands it, without anybody who drives it."""
    shared = dict(parameters.shared)
    sees = parameters.perception is not None
    detail = {"detail_width_px": DETAIL_WIDTH_PX if sees else 0}
    sim = {"publishes_scene": not sees, **detail, **shared, **parameters.sim}
    return (
        NodeSpec("sim", "lam_ros.nodes.sim", "SimNode", sim),
        NodeSpec(
            "control",
            "lam_ros.nodes.control",
            "ControlNode",
            {**shared, **parameters.control},
            cpus=cores()[:1],
        ),
    )


def _perception(parameters: GraphParameters, shared: Mapping[str, Any]) -> tuple[NodeSpec, ...]:
    """Return the node that turns pictures into scenes, off the command stream's core."""
    if parameters.perception is None:
        return ()
    return (
        NodeSpec(
            "perception",
            "lam_ros.nodes.perception",
            "PerceptionNode",
            {"detail": True, **shared, **parameters.perception},
            nice=PERCEPTION_NICE,
            cpus=cores()[1:],
        ),
    )


def _driver(parameters: GraphParameters, shared: Mapping[str, Any]) -> NodeSpec:
    """Return the node that serves `lam/run_skill`."""
    if parameters.policy_type == EXPERT:
        return NodeSpec(EXPERT, "lam_ros.nodes.expert", "ExpertNode", dict(shared))
    return NodeSpec(
        "policy",
        "lam_ros.nodes.policy",
        "PolicyNode",
        {**shared, **parameters.policy},
        nice=POLICY_NICE,
        cpus=cores()[1:],
        threads=parameters.policy_threads,
    )


def cores() -> tuple[int, ...]:
    """Return the cores that we may use; the first is the command stream's, the policy gets the rest."""
    return tuple(sorted(os.sched_getaffinity(0))) if hasattr(os, "sched_getaffinity") else ()
