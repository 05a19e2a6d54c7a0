"""A skill run: when it infers, when it waits, and why it ends."""

from __future__ import annotations

import numpy as np

from lam_ros.core.clock import NS_PER_MS, NS_PER_S
from lam_ros.core.serving import Ended, ServingConfig, SkillEnd, SkillRun, Wait
from lam_ros.core.types import NotReady, NotReadyReason, Observation

BLIND = NotReady("wrist", NotReadyReason.STALE, "wrist: 400 ms old, allowed is 250 ms")


def seen(stamp_ns: int) -> Observation:
    """Return an observation of that time."""
    return Observation(stamp_ns, np.zeros(6), {})


def run(timeout_s: float = 10.0) -> SkillRun:
    """Return a run that starts at zero."""
    return SkillRun(ServingConfig(replan_every_s=0.16, no_observation_after_s=1.0), 0, timeout_s)


def test_it_infers_from_the_newest_and_not_again_before_the_interval_is_over() -> None:
    skill = run()
    first = seen(0)
    assert skill.decide(10, first) is first
    skill.took(first)
    assert isinstance(skill.decide(20, first), Wait)
    assert isinstance(skill.decide(100 * NS_PER_MS, seen(80 * NS_PER_MS)), Wait)
    later = seen(160 * NS_PER_MS)
    assert skill.decide(165 * NS_PER_MS, later) is later
    assert skill.chunks == 1


def test_a_clock_that_went_back_does_not_silence_it() -> None:
    skill = run()
    skill.took(seen(5 * NS_PER_S))
    again = seen(0)
    assert skill.decide(0, again) is again


def test_it_ends_when_the_time_is_over() -> None:
    end = run(timeout_s=2.0).decide(2 * NS_PER_S + 1, seen(2 * NS_PER_S))
    assert isinstance(end, Ended)
    assert end.reason is SkillEnd.TIMEOUT
    assert "2 s" in end.detail


def test_no_time_out_means_the_longest_allowed() -> None:
    assert isinstance(run(timeout_s=0.0).decide(121 * NS_PER_S, BLIND), Ended)


def test_it_ends_blind_and_names_the_stream_to_blame() -> None:
    skill = run()
    assert isinstance(skill.decide(NS_PER_S, BLIND), Wait)
    end = skill.decide(NS_PER_S + 1, BLIND)
    assert isinstance(end, Ended)
    assert end.reason is SkillEnd.NO_OBSERVATION
    assert "wrist" in end.detail


def test_a_short_gap_is_forgiven() -> None:
    skill = run()
    skill.decide(900 * NS_PER_MS, BLIND)
    skill.decide(950 * NS_PER_MS, seen(940 * NS_PER_MS))
    assert isinstance(skill.decide(1900 * NS_PER_MS, BLIND), Wait)


def test_the_first_reason_to_end_stays() -> None:
    skill = run()
    skill.end(SkillEnd.CANCELLED, "cancelled")
    skill.end(SkillEnd.POLICY_ERROR, "late")
    end = skill.decide(0, seen(0))
    assert isinstance(end, Ended)
    assert end.reason is SkillEnd.CANCELLED
