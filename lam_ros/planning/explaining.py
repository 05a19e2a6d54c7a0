"""A run's decision log in words: what was told, understood, seen, tried, and why it ended."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lam_ros.core.clock import NS_PER_S
from lam_ros.planning.decision_log import Entry

_TITLES = {
    "who": "Who decides",
    "instruction": "The instruction",
    "scene": "What was seen",
    "reading": "How it was understood",
    "alternatives": "What else there was",
    "plan": "The plan",
    "question": "A question",
    "refusal": "A refusal",
    "try": "A try",
    "resumed": "Going on after a pause",
    "failed": "It did not work",
    "lacking": "Something is lacking",
    "step": "A step is over",
    "replan": "A new plan",
    "no_plan": "No new plan",
    "ask": "Asking a person",
    "unanswered": "Nobody answered",
    "noticed": "Noticed",
    "heard": "Heard",
    "reply": "Answered",
    "end": "The end",
}
"""Kind of entry -> what it is called."""


def explained(entries: Sequence[Entry]) -> Iterator[tuple[str, str, str]]:
    """Yield for each entry the time since the first [s], what it is, and what it says."""
    start_ns = entries[0].stamp_ns if entries else 0
    for entry in entries:
        seconds = (entry.stamp_ns - start_ns) / NS_PER_S
        text = entry.text
        grasp = entry.facts.get("grasp")
        if entry.kind == "try" and grasp:
            text += ", with another grasp"
        yield f"{seconds:.1f} s", _TITLES.get(entry.kind, entry.kind), text


def summary(entries: Sequence[Entry]) -> str:
    """Return one line: how many tries, failures and new plans there were, and how it ended."""
    kinds = [entry.kind for entry in entries]
    end = next((entry.text for entry in reversed(entries) if entry.kind == "end"), "")
    if not end:
        answered = [e.text for e in entries if e.kind in ("question", "refusal")]
        end = answered[-1] if answered else "no end is written down: the run was broken off"
    counts = [(kinds.count("try"), "try", "tries"), (kinds.count("failed"), "failure", "failures"),
              (kinds.count("replan"), "new plan", "new plans")]  # fmt: skip
    said = ", ".join(f"{n} {one if n == 1 else many}" for n, one, many in counts)
    return f"{end} ({said})"
