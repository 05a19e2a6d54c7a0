"""Tools on the graph: a service, a service with an effect that is seen, an action, an entry point."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from rclpy.action import ActionClient, ActionServer
from std_msgs.msg import String
from std_srvs.srv import SetBool, Trigger

from lam_interfaces import msg as lam_msg
from lam_interfaces.action import ExecuteInstruction, RunSkill
from lam_interfaces.msg import PlanStep
from lam_ros.bridge import qos, topics
from lam_ros.bridge.clock import RosClock
from lam_ros.bridge.scenes import scene_to
from lam_ros.core.scene import Scene, SceneObject

PLUGINS = Path(__file__).resolve().parents[1] / "plugins"
TOOLS = {
    "bell": {"says": ["ring the bell"], "service": "bell/ring", "type": "std_srvs/srv/Trigger"},
    "lamp": {
        "skill": "turn_on", "kinds": ["lamp"], "needs": ["closed(box_1)"],
        "service": "lamp/set", "type": "std_srvs/srv/SetBool", "request": {"data": True},
    },
    "shut": {
        "skill": "close", "kinds": ["box"], "service": "box/shut", "type": "std_srvs/srv/Trigger",
    },
    "inspect": {
        "says": ["inspect the {text}"], "action": "inspect",
        "type": "lam_interfaces/action/RunSkill", "request": {"prompt": "look at the {text}"},
    },
}  # fmt: skip


class Room:
    """A lamp, a box and a bell on the graph of a test, and somebody who inspects."""

    def __init__(self, graph: Any) -> None:
        self.done: list[str] = []
        self.is_lit, self.is_open = False, True
        self._clock = RosClock(graph.node)
        self._scenes = graph.node.create_publisher(lam_msg.Scene, topics.SCENE, qos.SCENE)
        graph.node.create_timer(0.05, self._publish)
        graph.node.create_service(Trigger, "bell/ring", self._ring)
        graph.node.create_service(Trigger, "box/shut", self._shut)
        graph.node.create_service(SetBool, "lamp/set", self._light)
        self.server = ActionServer(graph.node, RunSkill, "inspect", self._inspect)

    def _publish(self) -> None:
        lamp = SceneObject("lamp_1", "lamp", position_m=(0.2, 0.0, 0.1), is_on=self.is_lit)
        box = SceneObject("box_1", "box", position_m=(0.2, 0.1, 0.1), is_open=self.is_open)
        self._scenes.publish(scene_to(Scene((lamp, box), stamp_ns=self._clock.now_ns())))

    def _ring(self, request: Any, response: Any) -> Any:
        self.done.append("bell")
        response.success = len(self.done) > 1
        return response

    def _shut(self, request: Any, response: Any) -> Any:
        self.done.append("box")
        self.is_open, response.success = False, True
        return response

    def _light(self, request: Any, response: Any) -> Any:
        self.done.append(f"lamp {request.data} {self.is_open}")
        self.is_lit, response.success = request.data, True
        return response

    def _inspect(self, goal: Any) -> Any:
        self.done.append(goal.request.prompt)
        goal.succeed()
        return RunSkill.Result()


def test_a_plan_uses_a_service_an_action_an_entry_point_and_what_a_tool_needs(
    graph: Any, world: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(PLUGINS))
    path = tmp_path / "tools.yaml"
    path.write_text(yaml.safe_dump({"tools": TOOLS}))
    room = Room(graph)
    world.planner(tools=str(path))
    client = ActionClient(graph.node, ExecuteInstruction, topics.EXECUTE_INSTRUCTION)
    graph.spin_until(client.server_is_ready, "the action server")
    text = (
        "ring the bell, then turn on the lamp, then ask shall i go on, "
        "then inspect the table and clap for joy"
    )
    replies = graph.collect(String, topics.REPLY, qos.REPORT)
    spoken = graph.node.create_publisher(String, topics.INSTRUCTION, qos.REPORT)
    goal = graph.send_goal(client, ExecuteInstruction.Goal(instruction=text))
    graph.spin_until(lambda: "shall i go on?" in [r.data for r in replies], "the question", 30.0)
    assert room.done[-1] == "lamp True False"  # what comes after waits for the answer
    spoken.publish(String(data="yes, please"))
    result = graph.result(goal.get_result_async(), "the result", 40.0).result
    assert result.termination == ExecuteInstruction.Result.SUCCEEDED, result.message
    # The bell fails at first, and is rung again; the box is in the way of the lamp.
    assert room.done == ["bell", "bell", "box", "lamp True False", "look at the table"]
    assert sys.modules["lam_tools_clapper"].CLAPPED[-1:] == ["joy"]
    assert [step.status for step in result.plan.steps] == [PlanStep.DONE] * 6
    assert list(result.goal) == ["turned_on(lamp_1)"]
    room.server.destroy()
