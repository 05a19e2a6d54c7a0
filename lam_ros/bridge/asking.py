"""Questions and goals that get through although an answer is lost.

A client can see a server that has not heard of the client yet: at the start of either, and
for seconds where the machine is busy.  The server takes the question, and the middleware
drops the answer after a tenth of a second.  So an answer that does not come is asked for
again: a service by the same question, a goal by the question for its result.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from action_msgs.msg import GoalStatus
from rclpy.action import ActionClient
from rclpy.action.client import ClientGoalHandle
from unique_identifier_msgs.msg import UUID

from lam_ros.core.clock import NS_PER_S

REPEAT_NS = 2 * NS_PER_S
"""After which an unanswered question is asked again."""


class Question:
    """A call of a service, repeated until it is answered; asking twice must do no harm."""

    def __init__(self, client: Any, request: Any) -> None:
        """Ask nothing yet."""
        self._client, self._request = client, request
        self._future: Any = None
        self._asked_ns = 0

    @property
    def is_asked(self) -> bool:
        """True once the question is under way."""
        return self._future is not None

    def answer(self, now_ns: int) -> Any:
        """Return the answer, None until it is there; asks if that is due."""
        if self._future is not None and self._future.done():
            return self._future.result()
        is_due = self._future is None or now_ns - self._asked_ns > REPEAT_NS
        if is_due and self._client.service_is_ready():
            if self._future is not None:
                self._client.remove_pending_request(self._future)
            self._future, self._asked_ns = self._client.call_async(self._request), now_ns
        return None


@dataclass(frozen=True)
class _Taken:
    """What a server would have said of a goal, had its answer not been lost."""

    accepted: bool = True


class SentGoal:
    """A goal that is carried out once, whichever answer is lost.

    A goal without an answer is looked for by its name: a server that does not know it says
    so at once, and is sent it again; one that carries it out answers with the result.

    Attributes:
        handle: names the goal before anybody has answered, and can cancel it.
        accepted: whether the server has it, None while that is not known.
        result: the server's word on the end, with `status` and `result`; None before.
    """

    def __init__(
        self, client: ActionClient, goal: Any, feedback: Callable[[Any], object] | None = None
    ) -> None:
        """Send nothing yet."""
        self._client, self._goal, self._feedback = client, goal, feedback
        self.handle = ClientGoalHandle(client, UUID(uuid=list(uuid4().bytes)), _Taken())
        self.accepted: bool | None = None
        self.result: Any = None
        self._sent_ns: int | None = None
        self._asked_ns: int | None = None
        self._is_sent_again = self._is_asked_again = False
        self._refused: ClientGoalHandle | None = None
        self._is_cancelled = False

    def look(self, now_ns: int) -> None:
        """Send what is to be sent, and look for what was not answered."""
        if self.result is not None or self.accepted is False:
            return
        if self._sent_ns is None:
            if not self._is_cancelled and self._client.server_is_ready():
                self._send(now_ns)
        elif self._asked_ns is None:
            if now_ns - self._sent_ns > REPEAT_NS:
                self._ask(now_ns)
        elif not self._is_asked_again and now_ns - self._asked_ns > REPEAT_NS:
            self.accepted = self._is_asked_again = True  # were it unknown, this had been said
            self._ask(now_ns)

    def cancel(self) -> None:
        """Have it cancelled, before it is taken or after; the result still comes."""
        self._is_cancelled = True
        if self._sent_ns is not None:
            self.handle.cancel_goal_async()

    def _send(self, now_ns: int) -> None:
        self._sent_ns, self._asked_ns = now_ns, None
        sent = self._client.send_goal_async(
            self._goal, feedback_callback=self._feedback, goal_uuid=self.handle.goal_id
        )
        sent.add_done_callback(self._on_answer)

    def _ask(self, now_ns: int) -> None:
        self._asked_ns = now_ns
        self.handle.get_result_async().add_done_callback(self._on_result)

    def _on_answer(self, future: Any) -> None:
        handle = future.result()
        if handle.accepted:
            self.handle, self.accepted = handle, True
            self._ask(self._sent_ns or 0)
            if self._is_cancelled:  # the cancel may have come before the goal
                handle.cancel_goal_async()
        elif not self._is_sent_again:
            self.handle, self.accepted = handle, False
        else:  # a name that is known already is refused, too
            self._refused = handle
            self._ask(self._sent_ns or 0)

    def _on_result(self, future: Any) -> None:
        response = future.result()
        if self.accepted is False or self.result is not None:
            return
        if response.status != GoalStatus.STATUS_UNKNOWN:
            self.accepted, self.result = True, response
        elif self.accepted or self._refused is not None:  # a server begun anew has forgotten it
            self.handle, self.accepted = self._refused or self.handle, False
        else:
            self._sent_ns, self._is_sent_again = None, True
