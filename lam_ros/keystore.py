"""A keystore for DDS security (SROS2), with the least rights for each node.

    python -m lam_ros.keystore KEYSTORE [--robot so101] [--namespace left] [--policy-only]

Writes the policy that `config/security/rights.yaml` comes to for a robot, and has
`ros2 security` of a ROS installation make keys and permissions of it; the ROS 2 that
comes from pip has neither that command nor DDS security.  Then:

    export ROS_SECURITY_ENABLE=true ROS_SECURITY_STRATEGY=Enforce ROS_SECURITY_KEYSTORE=KEYSTORE
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from xml.etree import ElementTree

from lam_ros.config import load_group, load_robot
from lam_ros.core.errors import ConfigError, LamError, MachineError
from lam_ros.core.robot import RobotDescription

ENCLAVES = "/lam"
"""Before a node's namespace and name: each node has keys of its own."""

POLICY = "policy.xml"
KINDS = ("publish", "subscribe", "reply", "request", "act", "ask")
_FORM = {
    "publish": ("topics", "publish", "topic"),
    "subscribe": ("topics", "subscribe", "topic"),
    "reply": ("services", "reply", "service"),
    "request": ("services", "request", "service"),
    "act": ("actions", "execute", "action"),
    "ask": ("actions", "call", "action"),
}
"""Kind of right -> its group, attribute and element in a policy."""

EVERY_NODE = {
    "publish": ("/rosout", "/parameter_events", "{node}/transition_event"),
    "subscribe": (),
    "reply": tuple(
        f"{{node}}/{name}"
        for name in (
            "change_state", "get_state", "get_available_states", "get_available_transitions",
            "get_transition_graph", "describe_parameters", "get_parameter_types",
            "get_parameters", "list_parameters", "set_parameters", "set_parameters_atomically",
            "get_type_description",
        )
    ),
}  # fmt: skip
Run = Callable[[Sequence[str]], None]


def enclave(node: str, namespace: str = "") -> str:
    """Return the enclave of a node."""
    return "/".join([ENCLAVES, *filter(None, (namespace.strip("/"), node))])


def rights(robot: RobotDescription) -> dict[str, dict[str, tuple[str, ...]]]:
    """Return node -> kind -> names, for a robot; what every node needs is left out.

    Raises:
        ConfigError: if the table has a kind that there is not.
    """
    table: dict[str, dict[str, tuple[str, ...]]] = {}
    for node, given in load_group("security", "rights").items():
        unknown = set(given) - set(KINDS)
        if unknown:
            raise ConfigError(f"security/rights: {node} has '{min(unknown)}'; {', '.join(KINDS)}")
        table[node] = {kind: _names(given.get(kind, ()), robot) for kind in KINDS}
    managed = [node for node in table if node != "lam_estop"]
    changes = [f"{node}/{name}" for node in managed for name in ("get_state", "change_state")]
    nothing: dict[str, tuple[str, ...]] = dict.fromkeys(KINDS, ())
    table["bringup"] = nothing | {"publish": ("lam/ready",), "request": tuple(changes)}
    return table


def _names(given: Sequence[str], robot: RobotDescription) -> tuple[str, ...]:
    found: list[str] = []
    for name in given:
        if not name.startswith("{"):
            found.append(name)
            continue
        for camera in robot.camera_names:
            image = robot.image_topic(camera)
            detail, detail_info = robot.detail_topics(camera)
            found.append(
                name.format(
                    image=image,
                    info=robot.info_topic(camera),
                    pose=f"{image.rpartition('/')[0]}/pose",
                    detail=detail,
                    detail_info=detail_info,
                )
            )
    return tuple(dict.fromkeys(found))


def policy_of(robot: RobotDescription, namespace: str = "") -> str:
    """Return the policy of all nodes as SROS2 reads it."""
    root = ElementTree.Element("policy", version="0.2.0")
    enclaves = ElementTree.SubElement(root, "enclaves")
    for node, own in rights(robot).items():
        place = ElementTree.SubElement(enclaves, "enclave", path=enclave(node, namespace))
        profiles = ElementTree.SubElement(place, "profiles")
        space = f"/{namespace.strip('/')}"
        profile = ElementTree.SubElement(profiles, "profile", ns=space, node=node)
        for kind, (group, attribute, element) in _FORM.items():
            usual = (name.format(node=node) for name in EVERY_NODE.get(kind, ()))
            names = (*usual, *own[kind])
            if not names:
                continue
            parent = ElementTree.SubElement(profile, group, {attribute: "ALLOW"})
            for name in names:
                ElementTree.SubElement(parent, element).text = name
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def make(
    keystore: Path, robot: RobotDescription, namespace: str, run: Run, *, policy_only: bool = False
) -> list[str]:
    """Make the keystore, and return the enclaves in it.

    Raises:
        MachineError: if the folder cannot be written, or `ros2 security` fails.
    """
    try:
        keystore.mkdir(parents=True, exist_ok=True)
        policy = keystore / POLICY
        policy.write_text(policy_of(robot, namespace), encoding="utf-8")
    except OSError as error:
        raise MachineError(f"cannot write {keystore} ({error.strerror}): give another") from None
    made = [enclave(node, namespace) for node in rights(robot)]
    if policy_only:
        return made
    if not (keystore / "enclaves").is_dir():
        run(["ros2", "security", "create_keystore", str(keystore)])
    for name in made:
        run(["ros2", "security", "create_enclave", str(keystore), name])
        run(["ros2", "security", "create_permission", str(keystore), name, str(policy)])
    return made


def ros2_security(command: Sequence[str]) -> None:
    """Run one command of `ros2 security`.

    Raises:
        MachineError: if there is none, or it fails.
    """
    if shutil.which(command[0]) is None:
        raise MachineError(
            "ros2 security is not installed: it comes with a ROS 2 installation (ros-jazzy-sros2); "
            "--policy-only writes the policy alone"
        )
    done = subprocess.run(list(command), capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise MachineError(f"{' '.join(command[:3])}: {said[-1] if said else done.returncode}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Make a keystore; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m lam_ros.keystore", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("keystore", type=Path)
    parser.add_argument("--robot", default="so101")
    parser.add_argument("--namespace", default="")
    parser.add_argument("--policy-only", action="store_true")
    given = parser.parse_args(arguments)
    try:
        robot = load_robot(given.robot)
        only: Mapping[str, bool] = {"policy_only": given.policy_only}
        made = make(given.keystore, robot, given.namespace, ros2_security, **only)
    except LamError as error:
        print(f"keystore: {error}", file=sys.stderr)
        return int(error.exit_code)
    print(f"{len(made)} enclaves: {', '.join(made)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
