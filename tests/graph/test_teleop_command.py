"""`lam teleop --attach`: a person at a terminal steps in for a policy that carries out a plan."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from lam_ros.core.skills import canonical_prompt, words
from lam_ros.core.types import Source, Verdict


class Keyboard:
    """`lam teleop` with a pseudo-terminal for its keys; what it says goes to a file."""

    def __init__(self, said: Path, *arguments: str) -> None:
        self.master, slave = pty.openpty()
        self._said = said
        with said.open("w") as errors:
            self.process = subprocess.Popen(
                [str(Path(sys.executable).with_name("lam")), "teleop", "--json", *arguments],
                stdin=slave, stderr=errors, stdout=subprocess.PIPE, text=True,
            )  # fmt: skip
        os.close(slave)

    @property
    def said(self) -> str:
        return self._said.read_text()

    def type(self, keys: bytes) -> None:
        os.write(self.master, keys)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.master)


@pytest.mark.slow
def test_a_person_steps_in_with_the_keyboard_and_the_policy_goes_on(world, patient, tmp_path):
    from lam_interfaces import msg as lam_msg
    from lam_ros.bridge import qos, topics
    from lam_ros.bridge.scenes import scene_from
    from lam_sim.tasks import TaskType, feasible_steps

    graph = world.graph
    reports = graph.collect(lam_msg.SafetyReport, topics.SAFETY_REPORT, qos.REPORT)
    scenes = graph.collect(lam_msg.Scene, topics.SCENE, qos.SCENE)
    world.sim(robot=patient.robot)
    patient.bring_up_control(world)
    world.policy(robot=patient.robot)
    world.planner()
    graph.spin_until(lambda: scenes, "the scene")
    scene = scene_from(scenes[-1])
    step = next(step for kind in TaskType for step in feasible_steps(scene, kind))
    prompt = canonical_prompt(words(step, scene))

    def driven_by(source: Source) -> bool:
        recent = reports[-3:]
        return any(r.source == source and r.verdict <= Verdict.CLAMPED for r in recent)

    keyboard = Keyboard(
        tmp_path / "said.txt", "--attach", "--out", str(tmp_path), "--instruction", prompt,
        "robot.joint_state.stale_after_s=0.6",
    )  # fmt: skip
    try:
        graph.spin_until(lambda: driven_by(Source.POLICY), "the policy drives", timeout_s=60)
        graph.spin_until(lambda: f"{prompt}: running" in keyboard.said, "that it says so")
        graph.spin_until(lambda: "the policy has the arm" in keyboard.said, "that it says so")
        keyboard.type(b" ")
        graph.spin_until(lambda: driven_by(Source.TELEOP), "the person drives")
        graph.spin_for(1.5)  # a second press at once could be the terminal's repeat
        graph.spin_until(lambda: "YOU have the arm" in keyboard.said, "that it says so")
        keyboard.type(b" ")
        graph.spin_until(lambda: driven_by(Source.POLICY), "the policy goes on")
        keyboard.type(b"\x1b")
        graph.spin_until(lambda: keyboard.process.poll() is not None, "its end")
        result = json.loads(keyboard.process.stdout.read().splitlines()[-1])
    finally:
        keyboard.close()
    assert keyboard.process.returncode == 0, keyboard.said
    assert result["engaged_seconds"] > 0
    assert result["outcome"] == ""  # it was still at it
    graph.spin_until(lambda: reports[-1].verdict == Verdict.HOLD, "the arm at rest")
