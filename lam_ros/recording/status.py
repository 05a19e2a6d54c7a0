"""How the recorder's streams stand, as it is told to whoever looks on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from lam_ros.core.clock import NS_PER_MS
from lam_ros.recording.gate import Blame
from lam_ros.recording.monitor import StreamState


class Level(IntEnum):
    """As `diagnostic_msgs/DiagnosticStatus` has it."""

    OK = 0
    WARN = 1
    ERROR = 2
    STALE = 3


@dataclass(frozen=True)
class StreamStatus:
    """One line of the live view.

    Attributes:
        name: of the stream, or `robot`, `disk`.
        message: what is wrong; empty if nothing is.
        wanted_hz: 0 for messages that come when something happens.
        age_ms: since the last message; negative if none has come.
        count: messages of the episode.
        dropped: messages of the episode that are known to be missing.
    """

    name: str
    level: Level
    message: str = ""
    rate_hz: float = 0.0
    wanted_hz: float = 0.0
    age_ms: float = -1.0
    count: int = 0
    dropped: int = 0


def stream_statuses(
    states: list[StreamState], blames: tuple[Blame, ...]
) -> tuple[StreamStatus, ...]:
    """Return one line for each stream, and for everything else that is to blame."""
    texts = {blame.stream: blame.detail for blame in blames}
    lines = [_status(state, texts.pop(state.stream.name, "")) for state in states]
    rest = [StreamStatus(name, Level.ERROR, text) for name, text in texts.items()]
    return (*lines, *rest)


def age_figures_ms(ages_ns: Mapping[str, Sequence[int]]) -> dict[str, str]:
    """Return percentiles [ms] of the ages of all pictures at their writing, and their number."""
    ages = np.concatenate([np.empty(0), *(np.array(values) for values in ages_ns.values())])
    if not ages.size:
        return {}
    figures = dict(zip(("p50", "p95", "p99"), np.percentile(ages, (50, 95, 99)), strict=True))
    named = figures | {"max": ages.max()}
    return {"n": str(ages.size), **{key: f"{v / NS_PER_MS:.3f}" for key, v in named.items()}}


def _status(state: StreamState, blame: str) -> StreamStatus:
    level = Level.OK
    if blame:
        level = Level.STALE if state.is_stale else Level.ERROR
    elif state.dropped or state.faults:
        level = Level.WARN
    return StreamStatus(
        name=state.stream.name,
        level=level,
        message=blame or _fault_text(state),
        rate_hz=state.rate_hz,
        wanted_hz=state.stream.rate_hz,
        age_ms=-1.0 if state.silence_ns is None else state.silence_ns / NS_PER_MS,
        count=state.count,
        dropped=state.dropped,
    )


def _fault_text(state: StreamState) -> str:
    parts = [f"{state.dropped} missing"] if state.dropped else []
    kinds = (kind for kind in state.faults if kind not in ("dropped", "stale"))
    parts += [f"{state.faults[kind]} x {kind.replace('_', ' ')}" for kind in kinds]
    return ", ".join(parts)
