"""Whatever goes wrong, the arm comes to rest and says why, and goes on when it is mended.

One graph for all: the control node and the policy node in processes of their own, and
the arm in the test (`lam bench faults` has the times).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from lam_ros.benches.fault_rig import PROBES, Rig
from lam_ros.benches.faults import rig_of_its_own

EXPECTED = {
    "estop": ("STOP", "estop"),
    "joints_stopped": ("HOLD", "joints_stale"),
    "joints_nan": ("HOLD", "a joint state makes no sense"),
    "joints_jump": ("HOLD", "shoulder_lift has jumped 1.0"),
    "camera_stopped": ("HOLD", "front"),
    "camera_same_stamp": ("HOLD", "front"),
    "camera_black": ("HOLD", "camera 'front': its picture is black"),
    "camera_wrong_size": ("HOLD", r"camera 'front': \(40, 64, 3\) came"),
    "picture_frozen": ("HOLD", "pictures are the same, though the arm has moved"),
    "policy_hung": ("HOLD", "the policy has thought for"),
    "policy_slow": ("HOLD", "the policy has thought for"),
    "policy_memory": ("HOLD", "service lam/hold"),
    "policy_nan": ("HOLD", "the policy sent nonsense: a position is NaN"),
    "policy_jump": ("HOLD", "the policy sent nonsense: row"),
    "policy_stopped": ("HOLD", "no sign of life"),
    "policy_killed": ("HOLD", "no sign of life"),
    "planner_killed": ("HOLD", "whoever asked for the skill is gone|service lam/hold"),
    "control_ended": ("HOLD", "halted"),
}
"""Fault -> the verdict, and what its rule or detail says, as a regular expression.

A policy whose planner is gone says so and asks for a hold; whichever the control node hears first.
"""

SILENT = ("control_stopped", "control_killed")
"""Nobody is left to say anything: the arm keeps the last command."""


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
        patch.setenv("ROS_DOMAIN_ID", "0")  # put back at the end
        with rig_of_its_own() as made:
            yield made


def check(rig: Rig, name: str) -> None:
    """The arm moves; a fault; it comes to rest (else `trial` raises), and says why."""
    rig.trial(PROBES[name])
    verdict, words = EXPECTED[name]

    def is_said() -> bool:
        return any(w == verdict and re.search(words, f"{r} {d}") for w, r, d in rig.said)

    if not is_said():
        rig.spin(1.0)  # a report is on its way
    assert is_said(), rig.said
    rig.get_going()


@pytest.mark.parametrize("name", EXPECTED)
def test_a_fault_brings_the_arm_to_rest_with_the_reason_and_mended_it_goes_on(rig, name) -> None:
    check(rig, name)


def test_a_second_commander_moves_nothing_and_the_arm_goes_on_without_it(rig) -> None:
    rig.trial(PROBES["second_commander"])
    rig.get_going()


@pytest.mark.parametrize("name", SILENT)
def test_without_the_control_node_the_arm_keeps_its_last_command(rig, name) -> None:
    rig.trial(PROBES[name])
    rig.get_going()


def test_every_fault_of_the_bench_is_tested() -> None:
    clocks = {name for name, probe in PROBES.items() if probe.simulated_time}
    assert set(PROBES) == {*EXPECTED, *SILENT, *clocks, "second_commander"}
