"""What is started, in which order, and what happens when it dies."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
import yaml

from lam_ros.core.errors import ConfigError, LamError
from lam_ros.up.arguments import values_of
from lam_ros.up.command import assignments
from lam_ros.up.table import SETUPS, setup_of

ARMS = {"sim": "sim", "robot": "arm", "teleop": "sim", "record": "sim"}
"""Setups with an arm, and the node that it is."""


@pytest.fixture
def rows(tmp_path):
    """Return the rows of a setup with given arguments."""

    def make(setup: str, **given: str):
        setup = setup_of(setup)
        return setup.specs(values_of(setup.arguments, given), tmp_path)

    return make


def names(specs) -> list[str]:
    return [spec.name for spec in specs]


@pytest.mark.parametrize("setup", SETUPS)
def test_every_row_names_a_node_that_exists(rows, setup):
    specs = rows(setup)
    assert len(set(names(specs))) == len(specs)
    for spec in specs:
        module = importlib.import_module(spec.module)
        assert callable(module.main)
        assert hasattr(module, spec.class_name)


@pytest.mark.parametrize("setup", ARMS)
def test_the_arm_is_up_before_its_commander_and_that_before_whoever_drives(rows, setup):
    specs = rows(setup, policy="lam")
    order = names(specs)
    assert order[:3] == [ARMS[setup], "description", "control"]
    assert order[3:-1][:3] == ["perception", "policy", "planner"]
    assert order[-1] == "bringup"
    assert specs[-1].parameters["nodes"].split(",") == order[:-1]
    assert "autostart" not in specs[-1].parameters
    assert not any(spec.parameters["autostart"] for spec in specs[:-1])


@pytest.mark.parametrize("setup", ARMS)
def test_what_holds_the_arms_state_is_never_started_again(rows, setup):
    again = {spec.name for spec in rows(setup, policy="lam") if spec.restart}
    assert again == {"description", "perception", "policy", "planner"}


def test_one_policy_or_nobody(rows):
    assert names(rows("sim"))[3:5] == ["perception", "policy"]
    assert names(rows("sim", policy="expert"))[3] == "expert"
    assert names(rows("robot")) == ["arm", "description", "control", "bringup"]


def test_an_arm_behind_ros2_control_has_another_driver_in_the_same_place(rows):
    specs = rows("robot", driver="ros2_control", controller="forward_position")
    assert names(specs) == names(rows("robot"))
    module = importlib.import_module(specs[0].module)
    assert hasattr(module, specs[0].class_name)
    assert specs[0].parameters["controller"] == "forward_position"


def test_the_script_gets_the_scene_at_the_control_rate(rows):
    assert rows("sim", policy="lam")[0].parameters["scene_rate_hz"] == 20.0
    assert rows("sim", policy="expert")[0].parameters["scene_rate_hz"] == 50.0
    assert rows("teleop", teleop="expert")[0].parameters["scene_rate_hz"] == 50.0


def test_recording_needs_a_recorder_beside_what_teleoperation_needs(rows):
    assert set(names(rows("record"))) - set(names(rows("teleop"))) == {"recorder"}
    assert "teleop" not in names(rows("record", teleop="none"))
    assert names(rows("record", sim="false"))[0] == "arm"


def test_arguments_reach_their_nodes(rows, tmp_path):
    arm = rows("robot", port="/dev/ttyUSB3", id="blue")[0]
    assert arm.parameters["port"] == "/dev/ttyUSB3"
    assert arm.parameters["id"] == "blue"
    assert rows("sim", seed="9")[0].parameters["seed"] == 9
    policy = {row.name: row for row in rows("sim", policy_path="runs/mine")}["policy"]
    assert policy.parameters["checkpoint"] == "runs/mine"
    recorder = next(spec for spec in rows("record", root="bags") if spec.name == "recorder")
    assert recorder.parameters["root"] == str(Path("bags").resolve())
    clocked = rows("robot", use_sim_time="true")
    assert all(spec.parameters["use_sim_time"] for spec in clocked[:-1])


def test_a_namespace_goes_before_every_node_and_its_parameters(rows, tmp_path):
    for spec in rows("sim", namespace="/cell/left/"):
        path = spec.parameter_file(tmp_path)
        assert list(yaml.safe_load(path.read_text())) == [f"/cell/left/{spec.name}"]
        command = spec.command_of(path)
        assert command[command.index("__ns:=/cell/left") - 1] == "-r"


def test_the_users_parameters_overrule_the_tables(rows, tmp_path):
    mine = tmp_path / "mine.yaml"
    mine.write_text("/**: {ros__parameters: {seed: 4}}")
    for spec in rows("sim", params_file=str(mine)):
        words = spec.command_of(Path("ours.yaml"))
        files = [words[i + 1] for i, word in enumerate(words) if word == "--params-file"]
        assert files == ["ours.yaml", str(mine)]


def test_no_window_is_opened_unless_asked_for_and_never_headless(rows):
    assert "rviz" not in names(rows("sim"))
    assert "rviz" not in names(rows("sim", use_rviz="true", headless="true"))
    specs = rows("sim", use_rviz="true", namespace="left")
    rviz = next(spec for spec in specs if spec.name == "rviz")
    assert Path(rviz.program[2]).is_file()
    assert rviz.program[-1] == "__ns:=/left"
    assert "rviz" not in specs[-1].parameters["nodes"]


@pytest.mark.parametrize(
    ("setup", "given", "says"),
    [
        ("simm", {}, "sim"),
        ("sim", {"policy": "smolvlb"}, "policy 'smolvlb'"),
        ("sim", {"prot": "x"}, "argument 'prot'"),
        ("sim", {"seed": "-1"}, "seed: '-1' came"),
        ("sim", {"use_sim_time": "true"}, "publishes no /clock"),
        ("sim", {"namespace": "2nd arm"}, "namespace: '2nd arm' came"),
        ("sim", {"params_file": "nowhere.yaml"}, "there is no file nowhere.yaml"),
        ("robot", {"policy": "expert"}, "ground truth only"),
        ("teleop", {"teleop": "keyboard"}, "lam teleop --attach teleop=keyboard"),
        ("teleop", {"teleop": "leader"}, "lam teleop --attach teleop=leader"),
        ("teleop", {"teleop": "expert", "sim": "false"}, "take sim=true"),
        ("teleop", {"teleop": "gampad"}, "gamepad"),
        ("record", {"images": "png"}, "images 'png'"),
    ],
)
def test_what_cannot_be_started_is_refused_with_the_remedy(rows, setup, given, says):
    with pytest.raises(LamError) as caught:
        rows(setup, **given)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_both_ways_of_writing_an_argument_are_read():
    assert assignments(["seed=7", "namespace:=left", "port=/dev/a=b"]) == {
        "seed": "7",
        "namespace": "left",
        "port": "/dev/a=b",
    }
    with pytest.raises(ConfigError, match="'seed' is not of the form"):
        assignments(["seed"])


@pytest.mark.parametrize("setup", SETUPS.values(), ids=list(SETUPS))
def test_every_argument_says_what_it_is_and_defaults_to_what_is_allowed(setup):
    assert len({argument.name for argument in setup.arguments}) == len(setup.arguments)
    field = {"namespace", "use_sim_time", "params_file", "robot", "policy", "policy_path"}
    windows = set() if setup.is_addition else {"headless", "use_rviz"}
    assert field | windows <= {argument.name for argument in setup.arguments}
    for argument in setup.arguments:
        assert len(argument.description) > 10
        assert not argument.choices or argument.default in argument.choices


def test_each_camera_of_a_real_arm_is_a_node_of_its_own_that_is_started_again(rows):
    specs = rows("robot", cameras="front:/dev/video0,wrist:/dev/video2")
    assert names(specs)[:4] == ["arm", "camera_front", "camera_wrist", "description"]
    for spec, camera in zip(specs[1:3], ("front", "wrist"), strict=True):
        assert spec.module == "lam_ros.nodes.camera"
        assert spec.parameters["camera"] == camera
        assert spec.restart
    assert "camera_front" in specs[-1].parameters["nodes"]


def test_a_simulated_arm_has_no_devices_for_its_cameras(rows):
    with pytest.raises(ConfigError, match="a simulated arm has simulated ones"):
        rows("teleop", cameras="opencv")
    assert "camera_front" in names(rows("teleop", cameras="opencv", sim="false"))


def test_a_simulated_arm_can_be_moved_through_its_controller(rows):
    specs = {spec.name: spec for spec in rows("sim", driver="ros2_control", robot="franka")}
    assert specs["sim"].parameters["controller"] == "joint_trajectory"
    assert specs["arm"].module == "lam_ros.nodes.ros2_control"
    assert {specs[name].parameters["robot"] for name in ("sim", "arm", "control")} == {"franka"}
    assert rows("sim")[0].parameters["controller"] == ""


@pytest.mark.parametrize(
    ("setup", "given", "says"),
    [
        ("robot", {"robot": "frnka"}, "unknown robot 'frnka'.*'franka'"),
        ("sim", {"robot": "frnka"}, "unknown robot 'frnka'.*'franka'"),
        ("robot", {"robot": "franka"}, "moves an so101.*driver=ros2_control"),
        ("sim", {"controller": "joint_trajectry"}, "controller 'joint_trajectry'"),
    ],
)
def test_a_robot_that_cannot_be_started_is_refused_before_anything_is(rows, setup, given, says):
    with pytest.raises(ConfigError, match=says):
        rows(setup, **given)


def test_scenes_have_one_source_the_camera_or_the_truth(rows):
    seen = {spec.name: spec for spec in rows("sim")}
    assert "perception" in seen
    assert not seen["sim"].parameters["publishes_scene"]
    true = {spec.name: spec for spec in rows("sim", scene="truth")}
    assert "perception" not in true
    assert true["sim"].parameters["publishes_scene"]
    other = {spec.name: spec for spec in rows("sim", robot="franka", driver="ros2_control")}
    assert other["sim"].parameters["publishes_scene"]  # perception does not know its shape
    assert "perception" not in other
    with pytest.raises(ConfigError, match="a real table has no truth"):
        rows("robot", policy="lam", scene="truth")


def test_a_policy_alone_brings_itself_up_and_an_arm_can_do_without_its_own(rows) -> None:
    (policy,) = rows("policy", device="cpu")
    assert policy.name == "policy"
    assert policy.parameters["autostart"]
    assert policy.restart
    assert "policy" not in names(rows("sim", policy="remote"))
    assert "planner" in names(rows("sim", policy="remote"))


def test_every_setup_is_an_arms_or_an_addition_to_one() -> None:
    assert {name for name, setup in SETUPS.items() if not setup.is_addition} == set(ARMS)
