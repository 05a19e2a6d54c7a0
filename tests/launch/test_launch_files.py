"""Launch files: they start what the table says, and end with it."""

from __future__ import annotations

import importlib
import runpy
from pathlib import Path

import pytest
import yaml

from lam_ros.graph import GraphParameters, sim_graph
from lam_ros.paths import share_dir
from lam_ros.ros_launch import module_command
from lam_ros.up.arguments import values_of
from lam_ros.up.table import SETUPS

FILES = sorted((share_dir() / "launch").glob("*.launch.py"))


def test_there_is_a_launch_file_for_each_setup_and_no_other() -> None:
    assert {path.name for path in FILES} == {f"{name}.launch.py" for name in SETUPS}


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
    assert "--parent" not in command  # `ros2 launch` is the parent, and not this process
    data = yaml.safe_load(Path(command[-1]).read_text())
    assert data["sim"]["ros__parameters"]["seed"] == 3


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_launch_files_start_the_rows_of_the_table(path: Path, tmp_path: Path) -> None:
    # Not "launch": our own folder of that name answers to it.
    pytest.importorskip("launch.actions", reason="comes with a ROS installation, not from pip")
    launch = importlib.import_module("launch")
    setup = SETUPS[path.name.removesuffix(".launch.py")]
    description = runpy.run_path(str(path))["generate_launch_description"]()
    declared = [name.name for name in description.get_launch_arguments()]
    assert declared == [argument.name for argument in setup.arguments]
    context = launch.LaunchContext()
    started = []
    for entity in description.entities:
        started += entity.visit(context) or []
    specs = setup.specs(values_of(setup.arguments, {}), tmp_path)
    assert len(started) == len(specs)
