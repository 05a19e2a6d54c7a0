"""Real-time chunking as LeRobot has it: a policy paints a chunk that begins as the one that plays.

The rows that will have been played before the new chunk arrives are frozen, those after
them pull the less the later they are (LeRobot's `RTCProcessor`).  LeRobot counts rows from a
queue; here the rest is found by the chunks' times, and never padded: LeRobot 0.6.1 fills a
short rest with zeros (`lerobot.rollout`), which would be targets.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import torch
from lerobot.policies.pretrained import PreTrainedPolicy
from lerobot.policies.rtc.configuration_rtc import RTCConfig
from lerobot.processor import RelativeActionsProcessorStep
from torch import Tensor

from lam_policies.processors import Processors
from lam_ros.core.types import ActionChunk

_KEPT = 8


class RealTimeChunking:
    """Remembers what a policy answered in its own numbers, and says what is left of it."""

    def __init__(self, policy: PreTrainedPolicy, horizon: int, dt_ns: int) -> None:
        """Switch it on in a policy that `supports` it."""
        self._dt_ns = dt_ns
        self._answers: deque[tuple[int, Tensor]] = deque(maxlen=_KEPT)
        self._playing: tuple[int, Tensor] | None = None
        self._late_ns = 0
        # The rest of a chunk is what limits how far it is followed.
        policy.config.rtc_config = RTCConfig(execution_horizon=horizon)
        policy.init_rtc_processor()

    @staticmethod
    def supports(policy: PreTrainedPolicy, processors: Processors) -> bool:
        """Tell whether a policy can go on from a chunk of its own.

        One whose targets are differences to the state that it saw is left out: its numbers
        mean something else at the next observation.
        """
        can = getattr(policy, "supports_rtc", None)
        if not callable(can) or not can() or not hasattr(policy, "init_rtc_processor"):
            return False
        steps = processors.before.steps
        return not any(isinstance(s, RelativeActionsProcessorStep) and s.enabled for s in steps)

    def arguments(self, stamp_ns: int) -> dict[str, Any]:
        """Return what to tell the policy, beside an observation made at `stamp_ns`."""
        rest = self._rest(stamp_ns)
        if rest is None:
            return {}
        passes = -(-self._late_ns // self._dt_ns)
        return {"inference_delay": int(min(passes, len(rest))), "prev_chunk_left_over": rest[None]}

    def answered(self, stamp_ns: int, rows: Tensor) -> None:
        """Remember the policy's own numbers, shape (H, A), for an observation."""
        self._answers.append((stamp_ns, rows.detach().float().clone()))

    def go_on_from(self, chunk: ActionChunk, late_ns: int) -> None:
        """Take the answer that plays; a chunk of somebody else leaves nothing to go on from."""
        self._late_ns = max(0, late_ns)
        found = [answer for answer in self._answers if answer[0] == chunk.obs_stamp_ns]
        self._playing = found[-1] if found else None

    def reset(self) -> None:
        """Start a new task."""
        self._answers.clear()
        self._playing = None

    def _rest(self, stamp_ns: int) -> Tensor | None:
        """Return the rows that lie ahead of an observation, each at its row's time, (R, A)."""
        if self._playing is None:
            return None
        began_ns, rows = self._playing
        shift = (stamp_ns - began_ns) / self._dt_ns
        count = int(len(rows) - shift)
        if shift < 0 or count < 1:
            return None
        at = torch.arange(count) + shift
        low = at.floor().long().clamp(max=len(rows) - 1)
        part = (at - low).to(rows)[:, None]
        high = (low + 1).clamp(max=len(rows) - 1)
        return torch.lerp(rows[low], rows[high], part)
