"""The bring-up node: configures and activates the others in order, and keeps them so.

Each is waited for, configured and activated before the next; when all are active,
`lam/ready` (std_msgs/Bool, latched) turns true.  One that was started again is brought
up again; one that somebody has deactivated is left alone.  One that cannot be brought up ends this node, with the name; why stands in
that node's own log.

Parameters: `nodes`: names in order; `patience_s`: how long one may take to appear and
to change its state, for all of them.
"""

from __future__ import annotations

import sys
import time
from functools import partial
from typing import Any

import std_msgs.msg
from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import ChangeState, GetState

from lam_ros.bridge import qos, topics
from lam_ros.bridge.entities import Entities
from lam_ros.bridge.runtime import LamNode, run_node
from lam_ros.core.errors import ExitCode, LamError

LOOK_EVERY_S = 0.05
"""Between two looks while nodes are brought up."""

ANSWER_S = 2.0
"""After which an unanswered question for a state is repeated: it can be lost at discovery."""

WATCH_EVERY_S = 0.5
"""Between two questions for the state of nodes that are up."""

_NEXT = {
    State.PRIMARY_STATE_UNCONFIGURED: Transition.TRANSITION_CONFIGURE,
    State.PRIMARY_STATE_INACTIVE: Transition.TRANSITION_ACTIVATE,
}
_STANDING = (
    State.PRIMARY_STATE_UNCONFIGURED,
    State.PRIMARY_STATE_INACTIVE,
    State.PRIMARY_STATE_ACTIVE,
)
_DOING = {
    Transition.TRANSITION_CONFIGURE: "configured",
    Transition.TRANSITION_ACTIVATE: "activated",
}


class BringupFailed(LamError):
    """A node could not be brought up."""

    exit_code = ExitCode.TASK_FAILED


class BringupNode(LamNode):
    """Brings up the nodes of one arm."""

    def __init__(self, **node_arguments: Any) -> None:
        """Create the node, unconfigured."""
        super().__init__("bringup", **node_arguments)
        self._opened = Entities(self)
        self._charges: list[_Charge] = []
        self._timer: Any = None

    def configure(self) -> None:
        """Open clients of every node's lifecycle."""
        names = [name for name in self.text("nodes").split(",") if name]
        self._patience_s = self.number("patience_s", 120.0)
        self._ready = self._opened.publisher(std_msgs.msg.Bool, topics.READY, qos.LATCHED)
        self._charges = [_Charge(name, self._opened) for name in names]
        self._timer = self._opened.timer(LOOK_EVERY_S, self._look)
        self._said: bool | None = None

    def activate(self) -> None:
        """Begin."""
        self._until_s = time.monotonic() + self._patience_s
        self._say(False)
        self._timer.reset()

    def deactivate(self) -> None:
        """Leave the nodes as they are."""
        if self._timer is not None:
            self._timer.cancel()

    def cleanup(self) -> None:
        """Close all clients."""
        self._timer = None
        self._charges = []
        self._opened.close()

    def _look(self) -> None:
        waiting = None
        for charge in self._charges:
            charge.ask(time.monotonic())
            if charge.refused:
                return self.fail(BringupFailed(f"{charge.name} could not be {charge.refused}"))
            if waiting is None and not charge.is_active and not charge.is_resting:
                waiting = charge
                waiting.push()
        if waiting is None:
            self._until_s = time.monotonic() + self._patience_s
        elif time.monotonic() > self._until_s:
            message = f"{waiting.name} was not up in {self._patience_s:g} s: {waiting.standing}"
            return self.fail(BringupFailed(message))
        return self._say(all(charge.is_active for charge in self._charges))

    def _say(self, ready: bool) -> None:
        if ready != self._said:
            self._said = ready
            self._ready.publish(std_msgs.msg.Bool(data=ready))
            if ready:
                self.get_logger().info("ready")


class _Charge:
    """One node that is brought up."""

    def __init__(self, name: str, opened: Entities) -> None:
        self.name = name
        self.refused = ""
        self._state = opened.client(GetState, f"{name}/get_state")
        self._change = opened.client(ChangeState, f"{name}/change_state")
        self._known: int | None = None
        self._is_owed = True
        self._asked_s = -ANSWER_S
        self._question: Any = None
        self._changing: Any = None
        self._before: int | None = None
        self._pushed_s = 0.0

    @property
    def is_active(self) -> bool:
        """True if it is there and acts."""
        return self._known == State.PRIMARY_STATE_ACTIVE and self._state.service_is_ready()

    @property
    def is_resting(self) -> bool:
        """True if it was up, and somebody has deactivated it on purpose."""
        return self._known == State.PRIMARY_STATE_INACTIVE and not self._is_owed

    @property
    def standing(self) -> str:
        """What is known of it, for people."""
        if not self._state.service_is_ready():
            return "it has not appeared"
        return "it does not answer" if self._known is None else "it changes its state"

    def ask(self, now_s: float) -> None:
        """Ask for its state, now and then; the answer comes later."""
        if not self._state.service_is_ready():
            self._known, self._changing = None, None
            return
        every_s = WATCH_EVERY_S if self.is_active else LOOK_EVERY_S
        if self._question is not None and not self._question.done():
            every_s = ANSWER_S
        if now_s - self._asked_s < every_s:
            return
        if self._question is not None:
            self._state.remove_pending_request(self._question)
        self._asked_s = now_s
        self._question = self._state.call_async(GetState.Request())
        self._question.add_done_callback(self._on_state)

    def push(self) -> None:
        """Ask for its next transition, unless one is under way."""
        transition = _NEXT.get(self._known if self._known is not None else -1)
        if transition is None or self._changing is not None:
            return
        if not self._change.service_is_ready():
            return
        self._before, self._pushed_s = self._known, time.monotonic()
        request = ChangeState.Request(transition=Transition(id=transition))
        self._changing = self._change.call_async(request)
        self._changing.add_done_callback(partial(self._on_changed, transition))

    def _on_state(self, future: Any) -> None:
        answer = future.result()
        if answer is not None and self._has_changed(answer.current_state.id):
            self._known = answer.current_state.id
            if self._known in (State.PRIMARY_STATE_UNCONFIGURED, State.PRIMARY_STATE_ACTIVE):
                self._is_owed = self._known == State.PRIMARY_STATE_UNCONFIGURED

    def _has_changed(self, state: int) -> bool:
        """Tell whether no change is under way any more, though its answer may have been lost."""
        if self._changing is None:
            return True
        is_late = self._asked_s - self._pushed_s > ANSWER_S
        if state not in _STANDING or (state == self._before and not is_late):
            return False
        self._change.remove_pending_request(self._changing)
        self._changing = None
        return True

    def _on_changed(self, transition: int, future: Any) -> None:
        answer = future.result()
        self._changing, self._known = None, None
        if answer is not None and not answer.success:
            self.refused = _DOING[transition]


def main() -> None:
    """Run the node."""
    sys.exit(run_node(BringupNode))


if __name__ == "__main__":
    main()
