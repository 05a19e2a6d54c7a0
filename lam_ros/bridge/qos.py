"""Quality of service: what each kind of stream promises.

Depth is 1 wherever only the newest counts: with a slow reader a deeper queue only
makes pictures and commands old.
"""

from __future__ import annotations

from rclpy.qos import QoSDurabilityPolicy, QoSProfile, QoSReliabilityPolicy

SENSOR = QoSProfile(depth=1, reliability=QoSReliabilityPolicy.BEST_EFFORT)
"""Pictures and joint states: the newest, or nothing."""

COMMAND = QoSProfile(depth=1, reliability=QoSReliabilityPolicy.RELIABLE)
"""Chunks, targets and joint commands."""

REPORT = QoSProfile(depth=50, reliability=QoSReliabilityPolicy.RELIABLE)
"""Safety reports: a recorder must not miss one."""

BEAT = QoSProfile(depth=1, reliability=QoSReliabilityPolicy.BEST_EFFORT)
"""Signs of life: one that is lost is not worth repeating."""

ESTOP = QoSProfile(depth=10, reliability=QoSReliabilityPolicy.RELIABLE)
"""Not latched: any publisher can be heard, also one that offers no more than volatile."""

LATCHED = QoSProfile(
    depth=1,
    reliability=QoSReliabilityPolicy.RELIABLE,
    durability=QoSDurabilityPolicy.TRANSIENT_LOCAL,
)
"""Descriptions and plans: whoever comes later still gets the last one."""

HISTORY = QoSProfile(depth=50, reliability=QoSReliabilityPolicy.BEST_EFFORT)
"""Joint states for who asks where the arm was at the time of a picture, busy as it may be."""

SCENE = QoSProfile(depth=1, reliability=QoSReliabilityPolicy.RELIABLE)
"""What is on the table."""
