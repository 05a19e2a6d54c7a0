"""Launch files: they start what the table of nodes says, and end with it."""

from __future__ import annotations

import importlib
import runpy
from pathlib import Path

import pytest
import yaml

from lam_ros.graph import GraphParameters, sim_graph
from lam_ros.paths import share_dir
from lam_ros.ros_launch import module_command

FILES = sorted((share_dir() / "launch").glob("*.launch.py"))


@pytest.mark.parametrize("policy", ["lam", "expert"])
def test_every_row_names_a_node_that_exists(policy: str) -> None:
    specs = sim_graph(GraphParameters(policy_type=policy))
    assert len({spec.name for spec in specs}) == 4
    for spec in specs:
        module = importlib.import_module(spec.module)
        assert callable(module.main)
        assert hasattr(module, spec.class_name)


def test_the_policy_gives_way_and_keeps_off_the_command_streams_core() -> None:
    nice = {spec.name: spec.nice for spec in sim_graph(GraphParameters())}
    assert {name for name, value in nice.items() if value} == {"policy"}
    cpus = {spec.name: set(spec.cpus) for spec in sim_graph(GraphParameters())}
    assert not cpus["policy"] & cpus["control"]


def test_the_command_starts_the_module_with_its_parameters(tmp_path: Path) -> None:
    spec = next(spec for spec in sim_graph(GraphParameters(sim={"seed": 3})) if spec.name == "sim")
    command = module_command(spec, tmp_path)
    assert command[1:3] == ["-m", "lam_ros.process"]
    assert "lam_ros.nodes.sim" in command
    data = yaml.safe_load(Path(command[-1]).read_text())
    assert data == {"sim": {"ros__parameters": {"seed": 3}}}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_launch_files_describe_a_graph(path: Path) -> None:
    # Not "launch": our own folder of that name answers to it.
    pytest.importorskip("launch.actions", reason="comes with a ROS installation, not from pip")
    launch = importlib.import_module("launch")
    description = runpy.run_path(str(path))["generate_launch_description"]()
    context = launch.LaunchContext()
    started = []
    for entity in description.entities:
        started += entity.visit(context) or []
    assert len(started) == 4
