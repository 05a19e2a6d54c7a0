"""Checks of what carries the messages: the profile, the segment, a message there and back."""

from __future__ import annotations

import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Mapping
from pathlib import Path

from lam_ros.doctor.check import Check
from lam_ros.environment import PROFILE, Installation
from lam_ros.security import asked_for, exposure, why_open

SEGMENT_BYTES = 32 * 2**20
SHARED_MEMORY_FREE_BYTES = 8 * SEGMENT_BYTES  # sim, policy, control, planner, and tools beside
ROUND_TRIP_S = 10.0
_UNSET = f"unset {PROFILE} so that LAM's own profile is used"


def dds_profile(env: Mapping[str, str]) -> Check:
    """Check that the profile in the environment exists, parses, and gives a large segment."""
    path = env.get(PROFILE, "")
    if not path:
        return Check("dds profile", False, f"{PROFILE} is not set", "start things through `lam`")
    try:
        root = ElementTree.parse(path).getroot()
    except OSError as error:
        return Check("dds profile", False, f"{path}: {error.strerror}", _UNSET)
    except ElementTree.ParseError as error:
        return Check("dds profile", False, f"{path}: not XML ({error})", _UNSET)
    sizes = [int(item.text or 0) for item in root.iter() if item.tag.endswith("segment_size")]
    if not sizes or max(sizes) < SEGMENT_BYTES:
        found = (
            f"{path}: segment of {max(sizes, default=0) / 2**20:.1f} MB, camera pictures get lost"
        )
        return Check("dds profile", False, found, _UNSET)
    return Check("dds profile", True, f"{path}, segment of {max(sizes) / 2**20:.0f} MB")


def network(env: Mapping[str, str], installation: Installation) -> Check:
    """Check who can reach the arm: an open network is shown, security that cannot be had fails."""
    why = why_open(env, installation)
    if why:
        found = f"security asked for ({asked_for(env)}), but {why}"
        return Check("network", False, found, "unset the ROS_SECURITY_ variables; docs/security.md")
    opened = exposure(env, installation.profile)
    return Check("network", True, opened or "messages stay on this machine")


def segment_in_force(maps: Iterable[str], rmw: str) -> Check:
    """Check what this process's participant really mapped, whatever the profile says.

    Args:
        maps: lines of /proc/self/maps, read while a node is there.
        rmw: name of the middleware in use.
    """
    if rmw != "rmw_fastrtps_cpp":
        found = f"{rmw}: not known whether it carries pictures without loss"
        return Check("dds segment", True, found, "measure with `lam bench loop`")
    largest = max((_mapped_bytes(line) for line in maps if "/dev/shm/fastrtps_" in line), default=0)
    if largest >= SEGMENT_BYTES:
        return Check("dds segment", True, f"{largest / 2**20:.0f} MB of shared memory mapped")
    return Check(
        "dds segment",
        False,
        f"{largest / 2**20:.1f} MB of shared memory mapped, {SEGMENT_BYTES / 2**20:.0f} MB asked for",
        "see 'dds profile' and 'shared memory'; a profile or transport of your own defeats LAM's",
    )


def _mapped_bytes(line: str) -> int:
    start, end = (int(part, 16) for part in line.split()[0].split("-"))
    return end - start


def shared_memory(free_bytes: int | None) -> Check:
    """Check the room in /dev/shm, where every process has its segment; None if it is not there."""
    if free_bytes is None:
        return Check("shared memory", False, "no /dev/shm", "mount a tmpfs there")
    found = f"{free_bytes / 2**20:.0f} MB free in /dev/shm"
    if free_bytes >= SHARED_MEMORY_FREE_BYTES:
        return Check("shared memory", True, found)
    remedy = f"{SHARED_MEMORY_FREE_BYTES / 2**20:.0f} MB are needed: in Docker --shm-size=1g or --ipc=host"
    return Check(
        "shared memory", False, found, f"{remedy}; else remove what killed processes left there"
    )


def round_trip() -> tuple[Check, Check]:
    """Send a message to ourselves through the middleware, and look at its segment meanwhile."""
    import rclpy
    from rclpy.experimental import EventsExecutor
    from std_msgs.msg import String

    rclpy.init()
    executor = EventsExecutor()
    node = rclpy.create_node("lam_doctor")
    try:
        executor.add_node(node)
        received: list[String] = []
        topic = f"lam_doctor_{time.monotonic_ns()}"
        node.create_subscription(String, topic, received.append, 1)
        publisher = node.create_publisher(String, topic, 1)
        start_s = time.monotonic()
        while not received and time.monotonic() - start_s < ROUND_TRIP_S:
            publisher.publish(String(data="ping"))
            executor.spin_once(timeout_sec=0.05)
        took_ms = 1e3 * (time.monotonic() - start_s)
        rmw = rclpy.get_rmw_implementation_identifier()
        segment = segment_in_force(Path("/proc/self/maps").read_text().splitlines(), rmw)
    finally:
        executor.shutdown()
        rclpy.try_shutdown()
        node.destroy_node()
    return _round_trip_check(bool(received), took_ms, rmw), segment


def _round_trip_check(received: bool, took_ms: float, rmw: str) -> Check:
    if received:
        return Check("messages", True, f"through {rmw} and back, found after {took_ms:.1f} ms")
    remedy = "check ROS_DOMAIN_ID, ROS_AUTOMATIC_DISCOVERY_RANGE and firewall rules on loopback"
    return Check(
        "messages", False, f"nothing came back through {rmw} in {ROUND_TRIP_S:.0f} s", remedy
    )
