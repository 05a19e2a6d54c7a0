"""The arguments of each start: what `lam up NAME` and `NAME.launch.py` can be told."""

from __future__ import annotations

from dataclasses import replace

from lam_policies.kinds import KINDS, LAM
from lam_ros.core.stitching import Stitch
from lam_ros.core.unsticking import RETRIES
from lam_ros.graph import EXPERT
from lam_ros.planning.config import SCENES, SEEN
from lam_ros.up.arguments import FLAGS, Argument

NOBODY = "none"
REMOTE = "remote"
"""The policy runs on another machine, started there by `lam up policy`."""

SHIPPED = "lam_so101"
_COMMON = (
    Argument("namespace", "", "before every topic and node, for several robots on one machine"),
    Argument("robot", "so101", "name of a robot in config/robot, or a YAML file"),
    Argument(
        "use_sim_time", "false", "take the time from /clock, which somebody must publish", FLAGS
    ),
    Argument("params_file", "", "ROS parameter file that overrules the table's parameters"),
    Argument("headless", "false", "open no window, whatever use_rviz says", FLAGS),
    Argument("use_rviz", "false", "start RViz (comes with a ROS desktop installation)", FLAGS),
)
_POLICY = (
    Argument(
        "policy",
        NOBODY,
        "who carries out instructions; remote: a policy on another machine",
        (LAM, *KINDS, EXPERT, REMOTE, NOBODY),
    ),
    Argument(
        "policy_path", SHIPPED, "checkpoint: a shipped name, a folder, or OWNER/NAME on the hub"
    ),
    Argument(
        "scene", SEEN, "what is planned on: seen by a camera, or the simulation's truth", SCENES
    ),
)
_CALIBRATION = Argument("calibration", "", "of the front camera: file of lam calibrate table")
_PORT = Argument("port", "/dev/ttyACM0", "serial port of the arm; lerobot-find-port finds it")
_HARDWARE = (
    Argument(
        "driver",
        "so101",
        "what moves a real arm: LeRobot's driver, or its ros2_control",
        ("so101", "ros2_control"),
    ),
    Argument(
        "controller",
        "joint_trajectory",
        "kind of controller of an arm behind ros2_control",
        ("joint_trajectory", "forward_position"),
    ),
    Argument("id", "follower", "name under which the arm was calibrated"),
    Argument("calibration_dir", "", "folder of the calibration file (default: LeRobot's own)"),
    Argument(
        "cameras",
        NOBODY,
        "devices of a real arm's cameras: a file of config/camera, a YAML file, or "
        "front:/dev/video0,wrist:/dev/video2",
    ),
)
_BEHIND = (
    Argument(
        "driver",
        NOBODY,
        "ros2_control: commands reach the simulated arm through its controller",
        (NOBODY, "ros2_control"),
    ),
    _HARDWARE[1],
)
_SEED = Argument("seed", "0", "fixes the simulated scene")
_MOVED_BY_HAND = (
    Argument("teleop", "gamepad", "a teleoperator of config/teleop, a YAML file, or none"),
    Argument("sim", "true", "simulate the arm; false for a real one", FLAGS),
    _SEED,
    _PORT,
    *_HARDWARE,
)
_KEPT = (
    Argument("root", "recordings", "folder of the recorded sessions"),
    Argument("images", "jpeg", "how pictures are kept", ("jpeg", "video", "raw")),
)

SIM = (
    *_COMMON,
    replace(_POLICY[0], default=LAM),
    *_POLICY[1:],
    _CALIBRATION,
    _SEED,
    *_BEHIND,
)
ROBOT = (*_COMMON, *_POLICY, _CALIBRATION, _PORT, *_HARDWARE)
TELEOP = (*_COMMON, *_POLICY, _CALIBRATION, *_MOVED_BY_HAND)
RECORD = (*TELEOP, *_KEPT)
POLICY_ALONE = (
    *_COMMON[:4],
    replace(_POLICY[0], default=LAM, description="the policy's type", choices=(LAM, *KINDS)),
    _POLICY[1],
    Argument("device", "auto", "where it computes", ("auto", "cpu", "cuda")),
    Argument("threads", "1", "CPU threads of inference"),
    Argument("stitch", str(Stitch.AUTO), "how its chunks are made to fit", tuple(map(str, Stitch))),
    Argument("retries", str(RETRIES), "how often an arm that stands still begins again from home"),
)
