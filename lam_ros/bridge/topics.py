"""Names on the graph, relative, so that a namespace makes room for a second robot.

Camera, joint-state and command topics stand in the robot description; the rest is
the same for every robot.
"""

from __future__ import annotations

ACTION_CHUNK = "lam/action_chunk"
POLICY_BEAT = "lam/policy_beat"
SAFETY_REPORT = "lam/safety_report"
SCENE = "lam/scene"
GROUND_TRUTH = "lam/ground_truth"
GOAL_IMAGE = "lam/goal_image"
GOAL_SCENE = "lam/goal_scene"
INSTRUCTION = "lam/instruction"
PLAN = "lam/plan"
INSTRUCTION = "lam/instruction"
REPLY = "lam/reply"
TELEOP_COMMAND = "teleop/joint_command"
TELEOP_ENGAGED = "teleop/engaged"
TELEOP_TASK = "teleop/task"
ESTOP = "estop"
COMMANDER = "lam/commander"
TELEOPERATOR = "lam/teleoperator"
READY = "lam/ready"
ROBOT_DESCRIPTION = "robot_description"
DIAGNOSTICS = "/diagnostics"

# Services
ESTOP_STOP = "estop"
ESTOP_RESET = "estop_reset"
HOLD = "lam/hold"
TELEOP_RELEASE = "teleop/release"
PLAN_INSTRUCTION = "lam/plan"
JUDGE = "lam/judge"
FINISH_EPISODE = "lam/finish_episode"
RESET_SCENE = "lam/reset_scene"

# Actions
EXECUTE_INSTRUCTION = "lam/execute_instruction"
RUN_SKILL = "lam/run_skill"
RECORD_EPISODE = "lam/record_episode"
