"""A plan as a behaviour tree: which check and which act follow which.

    Selector   the instruction
      Sequence   the plan
        Selector   one step: done already? else the tries, one after the other
          Check      its effect is seen
          Sequence   as planned        can it begin? then the policy acts until the effect is seen
          Check      its effect is seen
          Sequence   again
          ...        with another grasp
        Check      the goal holds
      Act        plan anew
      Act        ask
      Act        give up

The leaves are thin: each asks one verb of a `Course`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from py_trees.behaviour import Behaviour
from py_trees.common import Status
from py_trees.composites import Selector, Sequence

from lam_ros.planning.course import Course
from lam_ros.planning.outcome import PlannedStep
from lam_ros.planning.tree_view import NodeKind, NodeStatus, TreeNode


class Leaf(Behaviour):
    """Asks one verb of the course."""

    def __init__(self, name: str, kind: NodeKind, verb: Callable[[], Status]) -> None:
        """Ask `verb` at each tick."""
        super().__init__(name)
        self.kind = kind
        self._verb = verb

    def update(self) -> Status:
        """Return how the verb stands."""
        return self._verb()


class PlanTree:
    """The tree of one plan; a new plan gets a new one."""

    def __init__(self, course: Course) -> None:
        """Build the tree for the steps that are left in the course."""
        self._root = _instruction(course)
        self._last: dict[object, Status] = {}

    def tick(self) -> None:
        """Tick once."""
        self._root.tick_once()
        for node in self._root.iterate():
            if node.status is not Status.INVALID:
                self._last[node.id] = node.status

    def nodes(self) -> tuple[TreeNode, ...]:
        """Return all nodes, parents before children, as they stood when last ticked."""
        return tuple(self._walk(self._root, 0))

    def _walk(self, node: Behaviour, depth: int) -> Iterator[TreeNode]:
        status = _STATUS[self._last.get(node.id, Status.INVALID)]
        yield TreeNode(depth, _kind(node), node.name, status)
        for child in node.children:
            yield from self._walk(child, depth + 1)


_STATUS = {
    Status.INVALID: NodeStatus.IDLE,
    Status.RUNNING: NodeStatus.RUNNING,
    Status.SUCCESS: NodeStatus.SUCCESS,
    Status.FAILURE: NodeStatus.FAILURE,
}


def _kind(node: Behaviour) -> NodeKind:
    if isinstance(node, Leaf):
        return node.kind
    return NodeKind.SELECTOR if isinstance(node, Selector) else NodeKind.SEQUENCE


def _instruction(course: Course) -> Behaviour:
    goal = ", ".join(str(literal) for literal in course.plan.goal) or "nothing more to do"
    steps = [_step(course, planned) for planned in course.queue]
    check = Leaf(f"holds: {goal}", NodeKind.CHECK, course.goal_holds)
    number = f" {course.replans + 1}" if course.replans else ""
    config = course.config
    left = config.max_replans - course.replans
    return Selector(
        course.plan.instruction,
        memory=True,
        children=[
            Sequence(f"plan{number}", memory=True, children=[*steps, check]),
            Leaf(f"plan anew ({left} left)", NodeKind.ACT, course.plan_anew),
            Leaf("ask", NodeKind.ACT, course.ask),
            Leaf("give up", NodeKind.ACT, course.give_up),
        ],
    )


def _step(course: Course, planned: PlannedStep) -> Behaviour:
    """Return the tree of one step: first as planned, then again, then with other grasps."""
    config = course.config
    tries = ["as planned", *["again"] * (config.max_attempts - 1)]
    grasps = [*[0] * config.max_attempts, *range(1, config.other_grasps + 1)]
    tries += ["with another grasp"] * config.other_grasps
    effect = f"seen: {planned.effect}" if planned.effect else "done already"
    children: list[Behaviour] = []
    for name, grasp in zip(tries, grasps, strict=True):
        children.append(Leaf(effect, NodeKind.CHECK, course.done_already))
        children.append(_try(course, name, grasp))
    return Selector(planned.prompt, memory=True, children=children)


def _try(course: Course, name: str, grasp: int) -> Behaviour:
    return Sequence(
        name,
        memory=True,
        children=[
            Leaf("can begin", NodeKind.CHECK, course.can_begin),
            Leaf("act until it is seen", NodeKind.ACT, lambda: course.act(grasp)),
        ],
    )
