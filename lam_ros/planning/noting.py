"""What goes into the decision log, in words: what was seen, understood, asked or refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lam_ros.core.scene import Scene
from lam_ros.planning.decision_log import DecisionLog
from lam_ros.planning.domain import first_places
from lam_ros.planning.outcome import Clarify, Outcome, Plan


class Notes:
    """Writes to a decision log, if there is one."""

    def __init__(self, log: DecisionLog | None) -> None:
        """Write to `log`; None for nowhere."""
        self._log = log

    def note(self, kind: str, text: str, facts: Mapping[str, Any] | None = None) -> None:
        """Write down one decision."""
        if self._log is not None:
            self._log.note(kind, text, facts)

    def scene(self, scene: Scene) -> None:
        """Write down what is seen."""
        text = f"seen: {', '.join(scene.ids) or 'nothing'}"
        self.note("scene", text, {"objects": [_row(scene, item) for item in scene.ids]})

    def outcome(self, outcome: Outcome, scene: Scene) -> None:
        """Write down how an instruction was understood, what else there was, and what will be done."""
        if isinstance(outcome, Plan):
            goal = ", ".join(map(str, outcome.goal)) or "nothing"
            literals = {"goal": [literal.to_list() for literal in outcome.goal]}
            self.note("reading", f"understood as: {goal}", literals)
            self.note("alternatives", *_alternatives(outcome, scene))
            facts: dict[str, Any] = {"steps": [step.to_dict() for step in outcome.steps]}
            self.note("plan", f"plan: {outcome.message}", facts)
        elif isinstance(outcome, Clarify):
            candidates = {"candidates": list(outcome.candidates)}
            self.note("question", f"asked: {outcome.question}", candidates)
        else:
            facts = {"kind": str(outcome.kind)}
            self.note("refusal", f"refused ({outcome.kind}): {outcome.reason}", facts)


def _alternatives(plan: Plan, scene: Scene) -> tuple[str, dict[str, Any]]:
    """Say what else of the same kinds there was."""
    meant = {item for goal in plan.goal for item in goal.args if item in scene}
    kinds = {scene[item].kind for item in meant}
    others = [item.id for item in scene.objects if item.kind in kinds and item.id not in meant]
    text = f"not meant, though of the same kind: {', '.join(others)}" if others else (
        "nothing else of these kinds was there"
    )  # fmt: skip
    return text, {"others": others}


def _row(scene: Scene, item: str) -> dict[str, Any]:
    place = first_places(scene)[item]
    seen = scene[item]
    return {"id": item, "position": [round(x, 4) for x in seen.position_m],
            "place": [place.predicate, place.other], "confidence": round(seen.confidence, 3)}  # fmt: skip
