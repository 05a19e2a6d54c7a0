"""LeRobot's own commands on an arm of the graph: its topics, and the safety room between."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from lam_ros.config import load_robot
from lam_ros.core.types import Source, Verdict

PLUGINS = Path(__file__).resolve().parents[1] / "plugins"
ROBOT = load_robot("so101")


def test_a_client_sees_the_arm_and_moves_it(world):
    """The client spins by itself; the graph must go on meanwhile, so it has a process."""
    import threading

    from lam_ros.bridge.arm_client import ArmClient

    world.sim()
    world.control()
    client, path, goal = ArmClient(ROBOT, 10.0), [], np.array(ROBOT.poses.home_rad)
    goal[0] += 0.3

    def use() -> None:
        client.connect()
        for _ in range(500):  # as often as a teleoperator sends, until it is seen to move
            path.append(client.observe().state_rad)
            if path[-1][0] > path[0][0] + 0.02:
                break
            client.send(goal)
            time.sleep(0.02)
        client.close()

    user = threading.Thread(target=use)
    user.start()
    world.graph.spin_until(lambda: not user.is_alive(), "the client's end", timeout_s=60)
    assert path[-1][0] > path[0][0] + 0.02


def test_without_an_arm_it_says_what_is_missing(graph, monkeypatch):
    from lam_ros.bridge.arm_client import ArmClient

    with pytest.raises(ConnectionError, match="no control node on this graph"):
        ArmClient(ROBOT, 0.3).connect()


@pytest.mark.slow
def test_lerobot_teleoperate_moves_the_arm_through_the_control_node(world, tmp_path):
    from lam_interfaces import msg as lam_msg
    from lam_ros.bridge import qos, topics

    graph = world.graph
    reports = graph.collect(lam_msg.SafetyReport, topics.SAFETY_REPORT, qos.REPORT)
    world.sim()
    world.control()
    process = subprocess.Popen(
        [
            str(Path(sys.executable).with_name("lerobot-teleoperate")), "--robot.type=lam",
            "--robot.backend=ros", "--robot.timeout_s=30", "--teleop.type=scripted",
            "--fps=30", "--teleop_time_s=5",
        ],
        env={**os.environ, "PYTHONPATH": str(PLUGINS), "HF_HOME": str(tmp_path),
             "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        graph.spin_until(lambda: process.poll() is not None, "its end", timeout_s=150)
        assert process.returncode == 0, process.stderr.read()[-3000:]
    finally:
        process.kill()
    moved = [r for r in reports if r.verdict <= Verdict.CLAMPED]
    assert {r.source for r in moved} == {Source.TELEOP}
    pan = np.degrees([r.sent_rad[0] for r in moved])
    assert pan.max() > 15.0
    assert pan.min() < -15.0
    assert reports[-1].verdict == Verdict.HOLD  # it fell silent, so the arm holds
