"""The run's own node: asks the planner, listens to what happens, asks the judge."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import sensor_msgs.msg
from lifecycle_msgs.msg import State
from lifecycle_msgs.srv import GetState
from rclpy.action import ActionClient
from rclpy.node import Node

from lam_interfaces import msg as lam_msg
from lam_interfaces.action import ExecuteInstruction
from lam_interfaces.srv import Judge
from lam_ros.bridge import qos, topics
from lam_ros.bridge.clock import RosClock
from lam_ros.bridge.images import ImageWriter
from lam_ros.bridge.messages import stamp_to_ns
from lam_ros.bridge.plans import progress_from
from lam_ros.bridge.scenes import scene_from
from lam_ros.core.clock import NS_PER_MS
from lam_ros.core.scene import Scene
from lam_ros.core.types import ImageArray, Verdict
from lam_ros.run.naming import Naming
from lam_ros.run.sight import Sight
from lam_ros.run.timeline import Safety, Timeline

REPEAT_S = 0.5
"""How long an answer about a node's state is waited for."""


class RunClient:
    """Talks to the graph; callbacks come from the executor that spins `node`."""

    def __init__(self, node: Node, nodes: Sequence[str]) -> None:
        """Open the topics.

        Args:
            node: the run's node.
            nodes: names of the nodes that must be active before anything is asked.
        """
        self.timeline = Timeline()
        self.naming, self.sight = Naming(), Sight()
        self.result: ExecuteInstruction.Result | None = None
        self.is_rejected = False
        self.is_pictured = False
        self._node = node
        self._clock = RosClock(node)
        self._goal: Any = None
        self._listen()
        self._execute = ActionClient(node, ExecuteInstruction, topics.EXECUTE_INSTRUCTION)
        self._judge = node.create_client(Judge, topics.JUDGE)
        # Last: who has answered to these has heard of all that was opened before.
        self._states = {name: node.create_client(GetState, f"{name}/get_state") for name in nodes}
        self._asked: dict[str, tuple[float, Any]] = {}
        self._active: set[str] = set()

    def _listen(self) -> None:
        listen = self._node.create_subscription
        listen(lam_msg.Plan, topics.PLAN, self._on_plan, qos.LATCHED)
        listen(lam_msg.SafetyReport, topics.SAFETY_REPORT, self._on_report, qos.REPORT)
        listen(lam_msg.Scene, topics.SCENE, self._on_scene, qos.SCENE)
        listen(lam_msg.Scene, topics.GROUND_TRUTH, self._on_truth, qos.SCENE)
        listen(lam_msg.ActionChunk, topics.ACTION_CHUNK, self._on_chunk, qos.COMMAND)

    # -- is everybody there? -----------------------------------------------------------

    @property
    def waiting_for(self) -> list[str]:
        """Names of the nodes that are not active yet."""
        return [name for name in self._states if name not in self._active]

    @property
    def is_ready(self) -> bool:
        """True when all nodes are active and both servers can be reached."""
        return (
            not self.waiting_for
            and self._execute.server_is_ready()
            and self._judge.service_is_ready()
        )

    def ask_states(self, now_s: float) -> None:
        """Ask the nodes that are not active yet for their state; answers come later.

        An answer can be lost while its sender has not heard of our client yet, so the
        question is repeated; a late answer to an earlier one counts as well.
        """
        for name in self.waiting_for:
            client = self._states[name]
            asked_s, future = self._asked.get(name, (-REPEAT_S, None))
            is_over = future is None or future.done() or now_s - asked_s >= REPEAT_S
            if not is_over or not client.service_is_ready():
                continue
            future = client.call_async(GetState.Request())
            future.add_done_callback(partial(self._on_state, name))
            self._asked[name] = (now_s, future)

    def _on_state(self, name: str, future: Any) -> None:
        answer = future.result()
        if answer is not None and answer.current_state.id == State.PRIMARY_STATE_ACTIVE:
            self._active.add(name)

    # -- the instruction ---------------------------------------------------------------

    def show(self, picture: ImageArray) -> None:
        """Show how the table shall look, rgb8, shape (H, W, 3); `is_pictured` when it was seen."""
        height, width = picture.shape[:2]
        node, image = self._node, sensor_msgs.msg.Image
        node.create_subscription(lam_msg.Scene, topics.GOAL_SCENE, self._on_pictured, qos.LATCHED)
        publisher = node.create_publisher(image, topics.GOAL_IMAGE, qos.LATCHED)
        writer = ImageWriter("goal", width, height)
        publisher.publish(writer.fill(picture, self._clock.now_ns()))

    def _on_pictured(self, message: lam_msg.Scene) -> None:
        self.is_pictured = True

    def send(self, instruction: str, answer: str) -> None:
        """Send the instruction; `result` is there when it has ended."""
        self.timeline.start_ns = self._clock.now_ns()
        goal = ExecuteInstruction.Goal(instruction=instruction, answer=answer)
        self._execute.send_goal_async(goal).add_done_callback(self._on_answer)

    def cancel(self) -> None:
        """Cancel the instruction; the result still comes."""
        if self._goal is not None:
            self._goal.cancel_goal_async()

    def _on_answer(self, future: Any) -> None:
        goal = future.result()
        if not goal.accepted:
            self.is_rejected = True
            return
        self._goal = goal
        goal.get_result_async().add_done_callback(self._on_result)

    def _on_result(self, future: Any) -> None:
        self.timeline.end_ns = self._clock.now_ns()
        self.result = future.result().result
        if self.result.plan.steps:
            self.timeline.plans.add(self.timeline.end_ns, progress_from(self.result.plan))

    def judge(self, literals: Sequence[str]) -> Any:
        """Ask the ground truth; returns a future of the answer."""
        return self._judge.call_async(Judge.Request(literals=list(literals)))

    # -- what happens ------------------------------------------------------------------

    def _on_plan(self, message: lam_msg.Plan) -> None:
        self.timeline.plans.add(stamp_to_ns(message.header.stamp), progress_from(message))

    def _on_report(self, message: lam_msg.SafetyReport) -> None:
        stamp_ns = stamp_to_ns(message.header.stamp)
        self.timeline.safety.add(stamp_ns, Safety(Verdict(message.verdict).name, message.rule))

    def _on_scene(self, message: lam_msg.Scene) -> None:
        scene = scene_from(message)
        if isinstance(scene, Scene):
            self.naming.add_seen(scene)
            self.sight.add_seen(scene)

    def _on_truth(self, message: lam_msg.Scene) -> None:
        self.timeline.held.add(stamp_to_ns(message.header.stamp), message.held)
        scene = scene_from(message)
        if isinstance(scene, Scene):
            self.naming.add_truth(scene)
            self.sight.add_truth(scene)

    def _on_chunk(self, message: lam_msg.ActionChunk) -> None:
        now_ns = self._clock.now_ns()
        latency_ms = (now_ns - stamp_to_ns(message.header.stamp)) / NS_PER_MS
        self.timeline.latency_ms.add(now_ns, latency_ms)
