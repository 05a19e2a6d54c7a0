"""A clock that jumps, forward or back, brings the arm to rest; it goes on by what is new."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lam_ros.benches.fault_rig import PROBES, Rig
from lam_ros.benches.faults import rig_of_its_own


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
        patch.setenv("ROS_DOMAIN_ID", "0")  # put back at the end
        with rig_of_its_own(simulated_time=True) as made:
            yield made


@pytest.mark.parametrize("name", [n for n, probe in PROBES.items() if probe.simulated_time])
def test_a_clock_that_jumps_brings_the_arm_to_rest_until_the_next_chunk(rig, name) -> None:
    rig.get_going()
    rig.trial(PROBES[name])
    assert "HOLD" in {verdict for verdict, _, _ in rig.said}
    rig.get_going()
