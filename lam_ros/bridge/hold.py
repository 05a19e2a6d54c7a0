"""Asking the control node to hold the arm still."""

from __future__ import annotations

import threading

from std_srvs.srv import Trigger

from lam_ros.bridge import topics
from lam_ros.bridge.entities import Entities

PATIENCE_S = 0.5
"""How long to wait for the control node's word.  Without it the arm holds all the same when
the last chunk has been played."""


class Holder:
    """Tells the control node to drop what it plays; not for use in the executor's thread."""

    def __init__(self, opened: Entities) -> None:
        """Open the client."""
        self._client = opened.client(Trigger, topics.HOLD)

    def hold(self, patience_s: float = PATIENCE_S) -> bool:
        """Ask to hold, and wait; True if the control node has confirmed it."""
        if not self._client.service_is_ready():
            return False
        answered = threading.Event()
        future = self._client.call_async(Trigger.Request())
        future.add_done_callback(lambda _: answered.set())
        if answered.wait(patience_s):
            return True
        self._client.remove_pending_request(future)
        return False
