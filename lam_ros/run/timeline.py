"""What was said on the graph while the arm moved, by time: the captions of the film."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import pairwise

from lam_ros.core.clock import NS_PER_S
from lam_ros.planning.progress import PlanProgress, StepStatus


@dataclass
class Track[T]:
    """Values by time, each in force until the next; times only grow."""

    stamps_ns: list[int] = field(default_factory=list)
    values: list[T] = field(default_factory=list)

    def add(self, stamp_ns: int, value: T) -> None:
        """Note a value if it is another than before."""
        if not self.values or self.values[-1] != value:
            self.stamps_ns.append(max(stamp_ns, self.stamps_ns[-1] if self.stamps_ns else 0))
            self.values.append(value)

    def at(self, stamp_ns: int) -> T | None:
        """Return the value in force at a time, None before the first."""
        index = bisect_right(self.stamps_ns, stamp_ns)
        return self.values[index - 1] if index else None


@dataclass(frozen=True)
class Safety:
    """What the safety room said: verdict and rule."""

    verdict: str
    rule: str


@dataclass(frozen=True)
class KeyMoment:
    """An instant worth a picture, with its caption."""

    stamp_ns: int
    caption: str


@dataclass
class Timeline:
    """Everything that a run's film says in words.

    Attributes:
        start_ns: when the instruction was sent.
        plans: the plan and its progress.
        safety: the safety room's verdicts.
        held: id of the object in the gripper.
        latency_ms: from a picture to its chunk, by the arrival of the chunk.
    """

    start_ns: int = 0
    end_ns: int = 0
    plans: Track[PlanProgress] = field(default_factory=Track)
    safety: Track[Safety] = field(default_factory=Track)
    held: Track[str] = field(default_factory=Track)
    latency_ms: Track[float] = field(default_factory=Track)

    @property
    def mean_latency_ms(self) -> float:
        """Mean latency, 0 if there was no chunk."""
        values = self.latency_ms.values
        return sum(values) / len(values) if values else 0.0

    def seconds(self, stamp_ns: int) -> float:
        """Return the time since the instruction was sent."""
        return (stamp_ns - self.start_ns) / NS_PER_S

    def step_line(self, stamp_ns: int) -> str:
        """Return which step is running, for example `step 1 of 2: put the red cube ...`."""
        plan = self.plans.at(stamp_ns)
        if plan is None or not plan.steps:
            return "planning"
        index = min(plan.current, len(plan.steps) - 1)
        prompt = plan.steps[index].planned.prompt
        return f"step {index + 1} of {len(plan.steps)}: {prompt}"

    def status_line(self, stamp_ns: int) -> str:
        """Return time, safety verdict and latency in one line."""
        parts = [f"{max(0.0, self.seconds(stamp_ns)):5.1f} s"]
        safety = self.safety.at(stamp_ns)
        if safety is not None:
            parts.append(f"safety {safety.verdict}" + (f" ({safety.rule})" if safety.rule else ""))
        latency = self.latency_ms.at(stamp_ns)
        if latency is not None:
            parts.append(f"picture to chunk {latency:.0f} ms")
        return "   ".join(parts)

    def key_moments(self, verdict: str, most: int = 12) -> list[KeyMoment]:
        """Return the moments for a contact sheet: what changed, and filling in between."""
        found = [KeyMoment(self.start_ns, "the instruction is given")]
        found += self._grips()
        found += self._step_ends()
        end = KeyMoment(self.end_ns, verdict)
        inside = [m for m in found if self.start_ns <= m.stamp_ns < self.end_ns]
        inside.sort(key=lambda moment: moment.stamp_ns)
        return [*self._fill(inside[: most - 1], most - 1), end]

    def _grips(self) -> list[KeyMoment]:
        moments, before = [], ""
        for stamp, name in zip(self.held.stamps_ns, self.held.values, strict=True):
            if name:
                moments.append(KeyMoment(stamp, f"takes {name}"))
            elif before:
                moments.append(KeyMoment(stamp, f"lets go of {before}"))
            before = name
        return moments

    def _step_ends(self) -> list[KeyMoment]:
        moments, ended = [], 0
        for stamp, plan in zip(self.plans.stamps_ns, self.plans.values, strict=True):
            over = [
                s for s in plan.steps if s.status not in (StepStatus.PENDING, StepStatus.RUNNING)
            ]
            for step in over[ended:]:
                moments.append(
                    KeyMoment(stamp, f"{step.status.name.lower()}: {step.planned.prompt}")
                )
            ended = max(ended, len(over))
        return moments

    def _fill(self, moments: list[KeyMoment], most: int) -> list[KeyMoment]:
        """Put moments into the longest gaps until there are `most`."""
        filled = list(moments)
        while filled and len(filled) < most:
            bounds = [m.stamp_ns for m in filled] + [self.end_ns]
            gaps = [after - before for before, after in pairwise(bounds)]
            longest = max(range(len(gaps)), key=gaps.__getitem__)
            if gaps[longest] < NS_PER_S:
                break
            middle = bounds[longest] + gaps[longest] // 2
            caption = self.step_line(middle).partition(": ")[2] or "planning"
            filled.insert(longest + 1, KeyMoment(middle, caption))
        return filled
