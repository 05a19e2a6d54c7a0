"""A behaviour tree as it is shown and sent: its nodes in order, and as lines of text."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class NodeKind(IntEnum):
    """What a node of the tree is; the numbers are those of TreeNode.msg."""

    SELECTOR = 0
    SEQUENCE = 1
    CHECK = 2
    ACT = 3


class NodeStatus(IntEnum):
    """How a node stands; the numbers are those of TreeNode.msg."""

    IDLE = 0
    RUNNING = 1
    SUCCESS = 2
    FAILURE = 3


@dataclass(frozen=True)
class TreeNode:
    """One node as it is shown.

    Attributes:
        depth: 0 for the root; a node's children follow it, one deeper.
        kind: what it is.
        name: one line for people.
        status: how it stood when it was last ticked.
    """

    depth: int
    kind: NodeKind
    name: str
    status: NodeStatus


_MARKS = {
    NodeStatus.IDLE: "·",
    NodeStatus.RUNNING: "▸",
    NodeStatus.SUCCESS: "✓",
    NodeStatus.FAILURE: "✗",
}
_BRACKETS = {
    NodeKind.SELECTOR: "?",
    NodeKind.SEQUENCE: "→",
    NodeKind.CHECK: "",
    NodeKind.ACT: "!",
}


def as_text(nodes: tuple[TreeNode, ...]) -> str:
    """Return a tree as lines for people: a mark for the status, `?` one of, `→` all of, `!` act."""
    lines = []
    for node in nodes:
        sign = f"{_BRACKETS[node.kind]} " if _BRACKETS[node.kind] else ""
        lines.append(f"{'  ' * node.depth}{_MARKS[node.status]} {sign}{node.name}")
    return "\n".join(lines)


def worth_showing(nodes: tuple[TreeNode, ...]) -> tuple[TreeNode, ...]:
    """Return the tree without the insides of what was never ticked, or is over and went well."""
    shown: list[TreeNode] = []
    hidden_below: int | None = None
    for node in nodes:
        if hidden_below is not None and node.depth > hidden_below:
            continue
        hidden_below = None
        shown.append(node)
        if node.status in (NodeStatus.IDLE, NodeStatus.SUCCESS) and node.depth > 1:
            hidden_below = node.depth
    return tuple(node for node in shown if node.status is not NodeStatus.IDLE or node.depth <= 2)
