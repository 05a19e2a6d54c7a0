"""Receipts and stamps of a recording on one clock."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise
from statistics import median

import numpy as np

from lam_ros.core.clock import NS_PER_S
from lam_ros.core.types import JointState
from lam_ros.recording.convert.tracks import Command, Held, Joints, Picture, Said, Tracks

OTHER_CLOCK_NS = 5 * NS_PER_S
"""Stamps further than this from the receipts, on the whole, are of another clock."""


def on_one_clock(tracks: Tracks) -> Tracks:
    """Return tracks whose receipts and stamps are of one clock, with what was wrong noted.

    A stamp of zero becomes the time of receipt.  Where the stamps on the whole are of
    another clock than the receipts (simulated time, for example), receipts are put on the
    stamps' clock as the joint states tell it.
    """
    faults = Counter(tracks.faults)
    to_clock = _Clock(tracks)
    if to_clock.is_other:
        faults["stamps are of another clock than the receipts"] += 1

    def moved[T: (Picture, Command)](item: T, stream: str) -> T:
        received_ns, stamp_ns = to_clock(item.received_ns), item.stamp_ns
        if stamp_ns <= 0:
            faults[f"{stream}: no stamp"] += 1
            stamp_ns = received_ns
        return replace(item, received_ns=received_ns, stamp_ns=stamp_ns)

    def moved_joints(item: Joints) -> Joints:
        received_ns, state = to_clock(item.received_ns), item.state
        if state.stamp_ns <= 0:
            faults["joints: no stamp"] += 1
            state = JointState(received_ns, state.position_rad, state.velocity_rad_s)
        return Joints(received_ns, state)

    pictures = {
        name: [moved(item, name) for item in track] for name, track in tracks.pictures.items()
    }
    joints = [moved_joints(item) for item in tracks.joints]
    for name, track in pictures.items():
        faults.update(_decreasing(name, [item.stamp_ns for item in track]))
    faults.update(_decreasing("joints", [item.state.stamp_ns for item in joints]))
    return Tracks(
        pictures=pictures,
        joints=joints,
        commands=[moved(item, "action") for item in tracks.commands],
        tasks=[Said(to_clock(item.since_ns), item.text) for item in tracks.tasks],
        held=[Held(to_clock(item.since_ns), item.by_person) for item in tracks.held],
        faults=dict(+faults),
    )


class _Clock:
    """Puts times of receipt on the stamps' clock if that is another; else leaves them."""

    def __init__(self, tracks: Tracks) -> None:
        pairs = sorted(
            (item.received_ns, item.state.stamp_ns)
            for item in tracks.joints
            if item.state.stamp_ns > 0
        )
        lags = [received - stamp for received, stamp in pairs]
        self.is_other = bool(lags) and abs(median(lags)) > OTHER_CLOCK_NS
        self._origin_ns = pairs[0][0] if pairs else 0
        self._received = np.array([received for received, _ in pairs], dtype=np.int64)
        self._lags = np.array(lags, dtype=np.int64)

    def __call__(self, received_ns: int) -> int:
        if not self.is_other:
            return received_ns
        at = np.float64(received_ns - self._origin_ns)
        lag = np.interp(at, self._received - self._origin_ns, self._lags - self._lags[0])
        return received_ns - int(self._lags[0]) - int(lag)


def _decreasing(stream: str, stamps_ns: list[int]) -> dict[str, int]:
    count = sum(after < before for before, after in pairwise(stamps_ns))
    return {f"{stream}: stamp before the one before": count} if count else {}
