"""The views for RViz and Foxglove show what the graph publishes, under its names."""

from __future__ import annotations

import json
import re

import yaml

from lam_ros.bridge import topics
from lam_ros.config import load_robot
from lam_ros.core.frames import FrameTree
from lam_ros.paths import config_dir
from lam_sim.urdf import urdf

ROBOT = load_robot("so101")
TOPICS = {
    topics.ROBOT_DESCRIPTION,
    topics.SAFETY_REPORT,
    topics.DIAGNOSTICS.lstrip("/"),
    ROBOT.topics.joint_state,
    *(ROBOT.image_topic(name) for name in ROBOT.camera_names),
    *(ROBOT.info_topic(name) for name in ROBOT.camera_names),
}


def test_rviz_shows_topics_and_the_root_frame_of_the_arm():
    view = yaml.safe_load((config_dir() / "rviz" / "lam.rviz").read_text())["Visualization Manager"]
    shown = [
        value["Value"]
        for display in view["Displays"]
        for key, value in display.items()
        if key.endswith("Topic")
    ]
    assert len(shown) == 1 + len(ROBOT.cameras)
    assert set(shown) <= TOPICS
    assert view["Global Options"]["Fixed Frame"] == FrameTree.from_urdf(urdf(ROBOT)).root


def test_foxglove_lays_out_every_panel_and_shows_topics_of_the_graph():
    layout = json.loads((config_dir() / "foxglove" / "lam.json").read_text())
    text = json.dumps(layout)
    shown = {name.split(".")[0].lstrip("/") for name in re.findall(r'"(/[a-z_/]+[^"]*)"', text)}
    assert shown == TOPICS
    placed = re.findall(r'"(\w+!\w+)"', json.dumps(layout["layout"]))
    assert sorted(placed) == sorted(layout["configById"])
    joints = [path["label"] for path in layout["configById"]["Plot!joints"]["paths"]]
    assert tuple(joints) == ROBOT.joint_names
    root = layout["configById"]["3D!arm"]["followTf"]
    assert root == FrameTree.from_urdf(urdf(ROBOT)).root
