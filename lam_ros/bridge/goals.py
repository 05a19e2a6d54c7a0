"""An action server that carries out one goal at a time and ends it when told to.

rclpy's own way is a coroutine that waits for the end; on the events executor a
coroutine that waits is polled and burns a core.  Here nothing waits: an accepted
goal is kept, and `finish` sends its result.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from functools import partial
from typing import Any, Protocol

from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.node import Node

RESULT_KEPT_S = 30
"""How long a result can be asked for after the end of its goal.  By rclpy's 900 s a node that
gets an instruction every few seconds grows for a quarter of an hour."""


class End(StrEnum):
    """How a goal ends, in the protocol of actions."""

    SUCCEEDED = "succeeded"
    CANCELED = "canceled"
    ABORTED = "aborted"


class GoalOwner(Protocol):
    """Who carries out the goals of a `SingleGoalServer`."""

    def refuse_goal(self, request: Any) -> str:
        """Return why a goal cannot be taken now, or an empty string."""
        ...

    def start_goal(self, request: Any) -> None:
        """Begin to carry out a goal."""
        ...

    def cancel_goal(self) -> None:
        """End the goal soon; the owner calls `finish` when it has ended."""
        ...


class SingleGoalServer:
    """Serves an action; a goal that comes while one runs is rejected, or takes its place."""

    def __init__(
        self,
        node: Node,
        action_type: Any,
        name: str,
        owner: GoalOwner,
        *,
        newest_wins: bool = False,
    ) -> None:
        """Offer the action.

        Args:
            node: whose action it is.
            action_type: of the action.
            name: of the action.
            owner: carries out the goals.
            newest_wins: a goal that comes while one runs ends that one, and begins when it
                has ended; while one waits so, others are rejected.
        """
        self._node = node
        self._owner = owner
        self._newest_wins = newest_wins
        self._goal: Any = None
        self._next: Any = None
        self._reserved = False
        self._server = ActionServer(
            node,
            action_type,
            name,
            execute_callback=lambda goal: goal,
            goal_callback=self._on_request,
            handle_accepted_callback=self._on_accepted,
            cancel_callback=self._on_cancel,
            result_timeout=RESULT_KEPT_S,
        )

    @property
    def is_busy(self) -> bool:
        """True while a goal is being carried out."""
        return self._reserved or self._goal is not None

    @property
    def is_cancelled(self) -> bool:
        """True if the running goal's client has cancelled it."""
        return self._goal is not None and bool(self._goal.is_cancel_requested)

    def feedback(self, message: Any) -> None:
        """Publish feedback on the running goal, if there is one."""
        if self._goal is not None:
            self._goal.publish_feedback(message)

    def finish(self, end: End, result: Any) -> None:
        """End the running goal; any thread may call it.  Without a goal nothing happens.

        A goal whose client has cancelled it ends as cancelled, whatever `end` says.
        """
        if self._goal is None:
            return
        self.release()(end, result)
        if self._next is not None:
            following, self._next = self._next, None
            self._start(following)

    def release(self) -> Callable[[End, Any], None]:
        """Let go of the running goal, so that another may begin while its end takes time.

        Returns what ends it, as `finish` does; any thread may call that, once.
        """
        goal, self._goal = self._goal, None

        def conclude(end: End, result: Any) -> None:
            if goal is not None:
                goal.execute(partial(_conclude, end, result))

        return conclude

    @property
    def _is_waited_for(self) -> bool:
        return self._next is not None or (self._reserved and self._goal is not None)

    @property
    def is_replaced(self) -> bool:
        """True if a newer goal waits for the running one to end."""
        return self._next is not None

    def _start(self, goal: Any) -> None:
        self._goal = goal
        self._owner.start_goal(goal.request)
        if goal.is_cancel_requested:
            self._owner.cancel_goal()

    def destroy(self) -> None:
        """Withdraw the action."""
        self._server.destroy()

    def _on_request(self, request: Any) -> GoalResponse:
        is_free = not self.is_busy or (self._newest_wins and not self._is_waited_for)
        reason = self._owner.refuse_goal(request) if is_free else "another goal is running"
        if reason:
            self._node.get_logger().warning(f"goal rejected: {reason}")
            return GoalResponse.REJECT
        self._reserved = True
        return GoalResponse.ACCEPT

    def _on_accepted(self, goal: Any) -> None:
        self._reserved = False
        if self._goal is None:
            self._start(goal)
            return
        self._next = goal
        self._owner.cancel_goal()

    def _on_cancel(self, goal: Any) -> CancelResponse:
        if self._next is not None and goal.goal_id == self._next.goal_id:
            return CancelResponse.ACCEPT  # ended as soon as its turn comes
        if self._goal is None or goal.goal_id != self._goal.goal_id:
            return CancelResponse.REJECT
        self._owner.cancel_goal()
        return CancelResponse.ACCEPT


def _conclude(end: End, result: Any, handle: Any) -> Any:
    if handle.is_cancel_requested:
        handle.canceled()
    elif end is End.SUCCEEDED:
        handle.succeed()
    else:
        handle.abort()
    return result
