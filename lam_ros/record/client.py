"""The session's own node: asks the recorder, the simulator and the judge, and listens."""

from __future__ import annotations

from collections.abc import Sequence

import sensor_msgs.msg
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.action import ActionClient
from rclpy.node import Node

from lam_interfaces import msg as lam_msg
from lam_interfaces.action import RecordEpisode
from lam_interfaces.srv import FinishEpisode, Judge, ResetScene
from lam_ros.bridge import qos, topics
from lam_ros.bridge.asking import Question, SentGoal
from lam_ros.bridge.clock import RosClock
from lam_ros.bridge.episodes import diagnostics_from, recorder_values
from lam_ros.bridge.messages import command_to, joints_from
from lam_ros.bridge.scenes import scene_from
from lam_ros.core.clock import NS_PER_S
from lam_ros.core.robot import RobotDescription
from lam_ros.core.scene import Scene
from lam_ros.core.types import JointState, Source
from lam_ros.record.homing import WayHome
from lam_ros.record.loop import Ended
from lam_ros.recording.format import Outcome
from lam_ros.recording.status import Level, StreamStatus

FRESH_NS = 2 * NS_PER_S
"""How long the recorder's word counts."""

IDLE_NS = 8 * NS_PER_S
"""How long the recorder may say that it records nothing before an episode counts as lost."""


class RecordClient:
    """Talks to the graph; callbacks come from the executor that spins `node`.

    Attributes:
        statuses: what the recorder said last of each stream.
        values: what it said of itself.
        joints: the newest joint state.
        scene: the newest scene.
        ended: the episode that was begun, once it is closed.
    """

    def __init__(self, node: Node, robot: RobotDescription) -> None:
        """Open the topics."""
        self.statuses: tuple[StreamStatus, ...] = ()
        self.values: dict[str, str] = {}
        self.joints: JointState | None = None
        self.scene: Scene | None = None
        self.ended: Ended | None = None
        self._heard_ns = 0
        self._busy_ns: int | None = None
        self._robot, self._clock = robot, RosClock(node)
        self._close_question: Question | None = None
        self._episode: SentGoal | None = None
        self._record = ActionClient(node, RecordEpisode, topics.RECORD_EPISODE)
        self._finish = node.create_client(FinishEpisode, topics.FINISH_EPISODE)
        self._reset = node.create_client(ResetScene, topics.RESET_SCENE)
        self._judge = node.create_client(Judge, topics.JUDGE)
        self._commands = node.create_publisher(
            lam_msg.JointCommand, topics.TELEOP_COMMAND, qos.COMMAND
        )
        listen, names = node.create_subscription, robot.topics
        listen(DiagnosticArray, topics.DIAGNOSTICS, self._on_diagnostics, 10)
        listen(sensor_msgs.msg.JointState, names.joint_state, self._on_joints, qos.SENSOR)
        listen(lam_msg.Scene, topics.GROUND_TRUTH, self._on_scene, qos.SCENE)

    def now_ns(self) -> int:
        """Return the time of the graph."""
        return self._clock.now_ns()

    def blames(self) -> list[str] | None:
        """Return what keeps an episode from beginning, None while the recorder is silent."""
        is_ready = self._record.server_is_ready() and self._finish.service_is_ready()
        if not is_ready or self.now_ns() - self._heard_ns > FRESH_NS:
            return None
        bad = (status for status in self.statuses if status.level >= Level.ERROR)
        return [f"{status.name}: {status.message}" for status in bad]

    # -- an episode --------------------------------------------------------------------

    def begin(self, goal: RecordEpisode.Goal) -> None:
        """Have an episode begun; `ended` is there when it is closed."""
        self.ended, self._close_question = None, None
        self._busy_ns = self.now_ns()
        self._episode = SentGoal(self._record, goal)
        self.tick()

    def close(self, outcome: Outcome, reason: str) -> None:
        """Have the episode closed."""
        request = FinishEpisode.Request(outcome=str(outcome), reason=reason)
        self._close_question = Question(self._finish, request)
        self.tick()

    def tick(self) -> None:
        """Repeat what was not answered, and give up on an episode that nobody records."""
        if self.ended is not None or self._busy_ns is None:
            return
        now_ns = self.now_ns()
        if self._close_question is not None:
            self._close_question.answer(now_ns)
        self.ended = self._end_of(self._episode, now_ns)
        if self.ended is not None:
            self._episode = None
        elif self._heard_ns - self._busy_ns > IDLE_NS:
            self.ended = Ended(Outcome.ABORTED, "the recorder gave no word of the episode")

    def _end_of(self, episode: SentGoal | None, now_ns: int) -> Ended | None:
        """Return how the episode ended, None while it goes on."""
        if episode is None:
            return None
        episode.look(now_ns)
        if episode.accepted is False:
            return Ended(Outcome.ABORTED, "the recorder has refused the episode")
        return self._ended_by(episode.result.result) if episode.result is not None else None

    def question_of(self, literals: Sequence[str]) -> Question:
        """Return a question to the judge."""
        return Question(self._judge, Judge.Request(literals=list(literals)))

    def new_scene(self, seed: int) -> Question:
        """Return a question to the simulator."""
        return Question(self._reset, ResetScene.Request(seed=seed))

    def command(self, way: WayHome) -> None:
        """Send the arm along its way home."""
        now_ns = self.now_ns()
        target = way.target(now_ns)
        self._commands.publish(
            command_to(target, self._robot, stamp_ns=now_ns, source=Source.TELEOP)
        )

    # -- what comes --------------------------------------------------------------------

    def _ended_by(self, result: RecordEpisode.Result) -> Ended:
        frames = dict(zip(result.topics, result.frames, strict=True))
        cameras = [
            count
            for topic, count in frames.items()
            if any(self._robot.image_topic(name) in topic for name in self._robot.camera_names)
        ]
        return Ended(
            Outcome(result.outcome),
            result.reason,
            result.folder,
            round(float(result.duration_s), 3),
            min(cameras, default=0),
            sum(result.dropped),
        )

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        values = recorder_values(message)
        if values:
            self._heard_ns = self.now_ns()
            self.statuses, self.values = diagnostics_from(message), self.values | values
            if "true" in (values["recording"], values.get("closing")):
                self._busy_ns = self._heard_ns

    def _on_joints(self, message: sensor_msgs.msg.JointState) -> None:
        state = joints_from(message, self._robot)
        if isinstance(state, JointState):
            self.joints = state

    def _on_scene(self, message: lam_msg.Scene) -> None:
        scene = scene_from(message)
        if isinstance(scene, Scene):
            self.scene = scene
