"""The keystore's rights are what the nodes use, no more, and only the control node may command motion."""

from __future__ import annotations

import shutil
import subprocess
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import pytest

from lam_ros.config import load_robot
from lam_ros.keystore import EVERY_NODE, main, make, policy_of, rights, ros2_security

ROBOT = load_robot("so101")
ACTION = "/_action/"
HAS_SROS2 = (
    shutil.which("ros2") is not None
    and subprocess.run(["ros2", "security", "-h"], capture_output=True, check=False).returncode == 0
)


DETAIL = ("detail/image_raw", "detail/camera_info")


def make_node(name: str) -> Any:
    from rclpy.parameter import Parameter

    def parameters(values: dict[str, Any]) -> list[Any]:
        given = {"autostart": False} | values
        return [Parameter(key, value=value) for key, value in given.items()]

    off = parameters({})
    if name == "control":
        from lam_ros.nodes.control import ControlNode

        return ControlNode(parameter_overrides=parameters({"discovery_s": 0.0, "realtime": False}))
    if name == "sim":
        from lam_ros.nodes.sim import SimNode

        return SimNode(parameter_overrides=parameters({"detail_width_px": 640}))
    if name == "perception":
        from lam_ros.nodes.perception import PerceptionNode

        return PerceptionNode(parameter_overrides=parameters({"detail": True}))
    if name == "planner":
        from lam_ros.nodes.planner import PlannerNode

        return PlannerNode(parameter_overrides=off)
    if name == "description":
        from lam_ros.nodes.description import DescriptionNode

        return DescriptionNode(parameter_overrides=off)
    if name == "teleop":
        from lam_ros.nodes.teleop import TeleopNode

        device = SimpleNamespace(open=lambda: None, close=lambda: None, controls=())
        return TeleopNode(make=lambda *_: device, parameter_overrides=off)
    from lam_ros.nodes.policy import PolicyNode

    policy = SimpleNamespace(info=SimpleNamespace(policy_id="none"), warm_up=lambda: None)
    return PolicyNode(load=lambda *_: policy, parameter_overrides=off)


def used(node: Any) -> dict[str, set[str]]:
    """Return what a configured node has opened, by kind, its own lifecycle and parameters left out."""
    every = [name.format(node=node.get_name()) for names in EVERY_NODE.values() for name in names]
    found = {
        "publish": node.get_publisher_names_and_types_by_node(node.get_name(), "/"),
        "subscribe": node.get_subscriber_names_and_types_by_node(node.get_name(), "/"),
        "reply": node.get_service_names_and_types_by_node(node.get_name(), "/"),
        "request": node.get_client_names_and_types_by_node(node.get_name(), "/"),
    }
    usual = {name if name.startswith("/") else f"/{name}" for name in every}
    names = {
        kind: {name for name, _ in pairs if name not in usual} for kind, pairs in found.items()
    }
    actions = {
        kind: {name.partition(ACTION)[0] for name in names[through] if ACTION in name}
        for kind, through in (("act", "reply"), ("ask", "request"))
    }
    plain = {kind: {n for n in some if ACTION not in n} for kind, some in names.items()}
    return {**plain, **actions}


@pytest.mark.parametrize(
    "name", ["control", "sim", "perception", "planner", "description", "teleop", "policy"]
)
def test_a_node_has_the_rights_that_it_uses_and_no_others(graph: Any, name: str) -> None:
    node = graph.add(make_node(name))
    node.configure()
    opened = used(node)
    node.take_down()
    table = {
        kind: {n if n.startswith("/") else f"/{n}" for n in names}
        for kind, names in rights(ROBOT)[name].items()
    }
    if name == "sim":  # cameras that move with the arm say no pose, and are not looked through
        nothing = {f"/camera/wrist/{of}" for of in ("pose", *DETAIL)}
        table["publish"] -= nothing
    if name == "perception":  # it looks through one camera, at pictures of one size
        topics = {f"/camera/front/{of}" for of in ("pose", *DETAIL)}
        table["subscribe"] -= {n for n in table["subscribe"] if n.startswith("/camera/")} - topics
    assert opened == table


def test_the_control_node_alone_may_command_motion() -> None:
    root = ElementTree.fromstring(policy_of(ROBOT, "left"))
    may = [
        place.get("path")
        for place in root.iter("enclave")
        for topics in place.iter("topics")
        if topics.get("publish") == "ALLOW"
        and "lam/joint_command" in [topic.text for topic in topics]
    ]
    assert may == ["/lam/left/control"]
    assert {profile.get("ns") for profile in root.iter("profile")} == {"/left"}


def test_without_ros2_security_it_says_what_is_missing(tmp_path: Any, capsys: Any) -> None:
    assert main([str(tmp_path / "keys"), "--policy-only"]) == 0
    assert (tmp_path / "keys" / "policy.xml").is_file()
    if not HAS_SROS2:
        assert main([str(tmp_path / "keys")]) == 4
        assert "ros2 security is not installed" in capsys.readouterr().err


def test_each_node_gets_an_enclave_and_its_permission(tmp_path: Any) -> None:
    ran: list[str] = []
    made = make(tmp_path / "keys", ROBOT, "", lambda command: ran.append(" ".join(command[2:])))
    assert ran[0].startswith("create_keystore ")
    assert len(ran) == 1 + 2 * len(made)
    assert "/lam/control" in made


@pytest.mark.skipif(
    not HAS_SROS2, reason="ros2 security comes with a ROS 2 installation, not from pip"
)
def test_ros2_security_takes_the_policy(tmp_path: Any) -> None:
    made = make(tmp_path / "keys", ROBOT, "", ros2_security)
    for name in made:
        assert (tmp_path / "keys" / "enclaves" / name.strip("/") / "permissions.p7s").is_file()
