"""The policy node: serves a vision-language-action policy as the action `lam/run_skill`.

Loading the model is `configure`; while a goal runs, the newest observation is turned
into a chunk in a thread of its own and published with the observation's stamp.
However a goal ends, the control node is told to hold before the result is sent.

Meanwhile it gives signs of life (`lam/policy_beat`) that say whether the last chunk may
still be played: not if an inference takes too long, or a camera has gone, frozen or
black.  Without them the arm holds long before the chunk would end.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sensor_msgs.msg
from std_msgs.msg import Header

from lam_interfaces import msg as lam_msg
from lam_interfaces.action import RunSkill
from lam_ros.bridge import qos, topics
from lam_ros.bridge.clock import RosClock
from lam_ros.bridge.entities import Entities
from lam_ros.bridge.goals import End, SingleGoalServer
from lam_ros.bridge.hold import Holder
from lam_ros.bridge.images import frame_from
from lam_ros.bridge.living import Askers
from lam_ros.bridge.messages import chunk_to, joints_from, ns_to_stamp
from lam_ros.bridge.preview import ChunkReview
from lam_ros.bridge.runtime import LamNode, run_node
from lam_ros.config import build, load_group, load_robot
from lam_ros.core.clock import NS_PER_MS, seconds_to_ns
from lam_ros.core.controller import ControlConfig
from lam_ros.core.homing import Homing
from lam_ros.core.inbound import Rejected
from lam_ros.core.robot import RobotDescription
from lam_ros.core.serving import Ended, ServingConfig, SkillEnd, SkillRun
from lam_ros.core.skill_worker import Sight, SkillCalls, SkillWorker
from lam_ros.core.skills import Skill
from lam_ros.core.stitching import Stitcher, find_stitch
from lam_ros.core.types import ActionChunk, ExpiredReason, Observation, Verdict
from lam_ros.core.unsticking import RETRIES, Unsticking
from lam_ros.paths import find_checkpoint

if TYPE_CHECKING:
    from lam_policies.served import LoadedPolicy

BEAT_EVERY_S = 0.01

ASKERS_EVERY = 4
"""Beats between two looks whether whoever asked for the skill is still there."""

BLIND_AFTER_S = 0.08
"""Age of a picture at which the arm stops to be driven by it; the next one lets it go on."""

SLOW_AFTER_S = 0.2
"""Time that an inference may take before the arm waits for it at rest."""

GONE = "whoever asked for the skill is gone"

Loader = Callable[[Path, RobotDescription, str], "LoadedPolicy"]


def load_checkpoint(path: Path, robot: RobotDescription, device: str) -> LoadedPolicy:
    """Load a checkpoint; torch, which takes seconds, comes after a look at its files."""
    from lam_policies.checkpoint import checkpoint_for

    checkpoint_for(path, robot)
    from lam_policies.loader import load_policy

    return load_policy(path, robot, device)


class PolicyNode(LamNode):
    """Serves one policy, one goal at a time."""

    def __init__(self, load: Loader = load_checkpoint, **node_arguments: Any) -> None:
        """Create the node, unconfigured; `load` makes the policy."""
        super().__init__("policy", **node_arguments)
        self._load = load
        self._opened = Entities(self)
        self._worker: SkillWorker | None = None
        self._review: ChunkReview | None = None
        self._last_step: tuple[str, ...] = ()

    def configure(self) -> None:
        """Load the policy, warm it up, and open the streams."""
        self._time = RosClock(self)
        self._robot = load_robot(self.text("robot", "so101"))
        control = self._read_config()
        self._serving = ServingConfig(
            max_rejections=control.safety.preview.rejections,
            replan_every_s=self.number("replan_every_s", 0.16),
            no_observation_after_s=self.number("no_observation_after_s", 1.0),
        )
        self._blind_after_ns = seconds_to_ns(self.number("blind_after_s", BLIND_AFTER_S))
        self._slow_after_ns = seconds_to_ns(self.number("slow_after_s", SLOW_AFTER_S))
        path = find_checkpoint(self.text("checkpoint", "lam_so101"))
        stitch = find_stitch(self.text("stitch", "auto"))
        self._policy = self._load(path, self._robot, self.text("device", "auto"))
        self._stitcher = Stitcher(self._policy, stitch)
        retries = int(self.number("retries", RETRIES))
        self._unsticking = Unsticking(self._robot, self._stitcher.infer, retries)
        self._policy.warm_up()
        self._sight = Sight(self._robot)
        self._review = self._make_review(control)
        self._open()
        self.get_logger().info(f"serving {self._policy.info.policy_id}")

    def deactivate(self) -> None:
        """End the goal that runs."""
        if self._worker is not None:
            self._worker.end(SkillEnd.CANCELLED, "the policy node was stopped")
            self._worker.join()

    def cleanup(self) -> None:
        """Close the streams."""
        self._opened.close()

    def _read_config(self) -> ControlConfig:
        control = load_group("control", self.text("control", "default"))
        safety = load_group("safety", self.text("safety", "default"))
        return build(ControlConfig, {**control, "safety": safety}, "control")

    def _make_review(self, control: ControlConfig) -> ChunkReview | None:
        """Return what looks ahead into chunks, None if that is switched off."""
        if not control.safety.preview.enabled:
            return None
        from lam_sim.twin import twin_for

        twin = twin_for(self._robot, control.safety.preview, control.safety.geometry)
        if twin is None:
            self.get_logger().warning(
                f"preview: there is no model of the shape of '{self._robot.name}': "
                "chunks are released unseen"
            )
            return None
        folder = Path(self.text("preview_dir", "runs/rejected"))
        tell = self.get_logger().warning
        return ChunkReview(self._robot, control, twin, self._time, folder, tell)

    def _open(self) -> None:
        robot, opened = self._robot, self._opened
        self._chunks = opened.publisher(lam_msg.ActionChunk, topics.ACTION_CHUNK, qos.COMMAND)
        self._beats = opened.publisher(Header, topics.POLICY_BEAT, qos.BEAT)
        opened.timer(BEAT_EVERY_S, self._beat).reset()
        for camera in robot.camera_names:
            listener = self._picture_listener(camera)
            opened.listen(sensor_msgs.msg.Image, robot.image_topic(camera), listener, qos.SENSOR)
        joints = sensor_msgs.msg.JointState
        opened.listen(joints, robot.topics.joint_state, self._on_joints, qos.SENSOR)
        opened.listen(lam_msg.SafetyReport, topics.SAFETY_REPORT, self._on_report, qos.REPORT)
        if self._review is not None:
            self._review.listen(opened)
        self._holder = Holder(opened)
        self._askers = Askers(self, topics.RUN_SKILL)
        self._beats_made = 0
        self._server = SingleGoalServer(self, RunSkill, topics.RUN_SKILL, self)
        opened.add(self._server.destroy)

    # -- streams -----------------------------------------------------------------------

    def _picture_listener(self, camera: str) -> Callable[[sensor_msgs.msg.Image], None]:
        def on_picture(message: sensor_msgs.msg.Image) -> None:
            frame = frame_from(message, camera)
            if isinstance(frame, Rejected):
                return self._complain(frame)
            return self._sight.put_frame(frame)

        return on_picture

    def _on_joints(self, message: sensor_msgs.msg.JointState) -> None:
        state = joints_from(message, self._robot)
        if isinstance(state, Rejected):
            return self._complain(state)
        if self._review is not None:
            self._review.on_joints(state)
        return self._sight.put_joints(state)

    def _on_report(self, message: lam_msg.SafetyReport) -> None:
        if self._review is not None:
            self._review.on_report(message)
        if message.verdict == Verdict.STOP and self._worker is not None:
            self._worker.end(SkillEnd.STOPPED, f"{message.rule}: {message.detail}")
        if message.rule == ExpiredReason.JOINTS_JUMPED and self._worker is not None:
            self._worker.end(SkillEnd.NO_OBSERVATION, message.detail)

    def _beat(self) -> None:
        """Say whether what was sent last may still be played; nothing while no goal runs."""
        worker = self._worker
        if worker is None or worker.run.has_ended or not worker.run.chunks:
            return None
        now_ns = self._time.now_ns()
        self._beats_made += 1
        looks = self._beats_made % ASKERS_EVERY == 0 or not self._askers.met
        if looks and self._askers.are_gone():
            self._say(GONE, now_ns)
            return worker.end(SkillEnd.CANCELLED, GONE)
        return self._say(worker.trouble(now_ns, self._blind_after_ns, self._slow_after_ns), now_ns)

    def _say(self, trouble: str, now_ns: int) -> None:
        self._beats.publish(Header(stamp=ns_to_stamp(now_ns), frame_id=trouble))

    def _complain(self, reason: Rejected) -> None:
        self.get_logger().warning(f"{reason.rule}: {reason.detail}", throttle_duration_sec=1.0)

    # -- goals -------------------------------------------------------------------------

    def refuse_goal(self, request: RunSkill.Goal) -> str:
        """Return why a goal cannot be taken now, or an empty string."""
        if not self.is_active:
            return "the policy node is not active"
        return "" if request.prompt.strip() else "the prompt is empty"

    def start_goal(self, request: RunSkill.Goal) -> None:
        """Begin to drive the arm by the policy with the goal's prompt."""
        self._policy.reset()
        self._stitcher.reset()
        self._unsticking.reset()
        step = (request.skill, request.object_id, request.target_id, request.prompt)
        goes_home = request.skill == Skill.HOME
        # The same step again is another attempt: it begins from home.
        begins_there = goes_home or step == self._last_step
        homing = Homing(self._robot, 0 if goes_home else request.grasp) if begins_there else None
        self._last_step = () if goes_home else step
        run = SkillRun(self._serving, self._time.now_ns(), request.timeout_s)
        calls = SkillCalls(
            infer=homing.infer
            if homing and goes_home
            else partial(self._infer, request.prompt, homing),
            send=partial(self._send, run),
            ended=partial(self._conclude, run),
            observe=self._policy.observe,
            review=self._reviewed,
        )
        self._askers.begin()
        if self._review is not None:
            self._review.begin(request.object_id, request.target_id)
        self._worker = SkillWorker(run, self._sight, self._time, calls)
        self._worker.start()

    def cancel_goal(self) -> None:
        """End the goal soon."""
        if self._worker is not None:
            self._worker.end(SkillEnd.CANCELLED, "cancelled")

    def _infer(self, prompt: str, homing: Homing | None, observation: Observation) -> ActionChunk:
        if homing is not None and not homing.is_over(observation):
            return homing.infer(observation)
        return self._unsticking.infer(observation, prompt)

    def _reviewed(self, chunk: ActionChunk) -> str:
        refused = self._review.review(chunk) if self._review is not None else ""
        if refused:
            self.get_logger().warning(f"chunk refused, {refused}", throttle_duration_sec=0.5)
        return refused

    def _send(self, run: SkillRun, chunk: ActionChunk) -> None:
        """Publish a chunk, unless what it was made from has gone meanwhile."""
        now_ns = self._time.now_ns()
        trouble = self._sight.trouble(now_ns, self._blind_after_ns)
        self._say(trouble, now_ns)  # heard first: a chunk after a long thought is good news
        if trouble:
            return
        self._chunks.publish(chunk_to(chunk))
        late_ns = self._time.now_ns() - chunk.obs_stamp_ns
        self._stitcher.sent(chunk, late_ns)
        latency_ms = late_ns / NS_PER_MS
        self._server.feedback(RunSkill.Feedback(chunks=run.chunks + 1, latency_ms=latency_ms))

    def _conclude(self, run: SkillRun, ended: Ended) -> None:
        """Hold the arm, then send the result; called in the worker's thread."""
        self._holder.hold()
        self.get_logger().info(f"skill ended: {ended.reason.name} ({ended.detail})")
        result = RunSkill.Result(
            termination=int(ended.reason),
            detail=ended.detail,
            seconds=run.seconds(self._time.now_ns()),
            chunks=run.chunks,
        )
        self._server.finish(End.ABORTED, result)


def main() -> None:
    """Run the node."""
    sys.exit(run_node(PolicyNode))


if __name__ == "__main__":
    main()
