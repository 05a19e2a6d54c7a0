"""Plans and what comes of them: `planning` values <-> messages."""

from __future__ import annotations

from lam_interfaces import msg as lam_msg
from lam_interfaces.srv import PlanInstruction
from lam_ros.bridge.messages import ns_to_stamp
from lam_ros.core.skills import Skill, Step
from lam_ros.planning.outcome import Clarify, Outcome, Plan, PlannedStep, Refuse
from lam_ros.planning.progress import PlanProgress, StepProgress, StepStatus
from lam_ros.planning.tree_view import NodeKind, NodeStatus, TreeNode


def progress_to(progress: PlanProgress, stamp_ns: int) -> lam_msg.Plan:
    """Make a plan message."""
    message = lam_msg.Plan(
        instruction=progress.instruction,
        steps=[_step_to(step) for step in progress.steps],
        current=progress.current,
        replans=progress.replans,
        state=progress.state,
        tree=[_node_to(node) for node in progress.tree],
    )
    message.header.stamp = ns_to_stamp(stamp_ns)
    return message


def progress_from(message: lam_msg.Plan) -> PlanProgress:
    """Read a plan message of our own planner."""
    steps = tuple(_step_from(step) for step in message.steps)
    tree = tuple(_node_from(node) for node in message.tree)
    return PlanProgress(
        message.instruction, steps, message.current, message.replans, message.state, tree
    )


def unstarted(plan: Plan) -> PlanProgress:
    """Return a plan as it stands before the first step."""
    steps = tuple(StepProgress(planned) for planned in plan.steps)
    return PlanProgress(plan.instruction, steps, 0, 0, plan.message)


def fill_answer(
    response: PlanInstruction.Response, outcome: Outcome, stamp_ns: int
) -> PlanInstruction.Response:
    """Write what the planner answered into a response."""
    if isinstance(outcome, Plan):
        response.kind = PlanInstruction.Response.PLAN
        response.plan = progress_to(unstarted(outcome), stamp_ns)
        response.goal = [str(literal) for literal in outcome.goal]
        response.reason = outcome.remark
    elif isinstance(outcome, Clarify):
        response.kind = PlanInstruction.Response.CLARIFY
        response.question = outcome.question
        response.candidates = list(outcome.candidates)
    elif isinstance(outcome, Refuse):
        response.kind = PlanInstruction.Response.REFUSE
        response.reason = (
            f"{outcome.reason} ({outcome.remark})" if outcome.remark else outcome.reason
        )
    return response


def _node_to(node: TreeNode) -> lam_msg.TreeNode:
    return lam_msg.TreeNode(
        depth=node.depth, kind=int(node.kind), name=node.name, status=int(node.status)
    )


def _node_from(message: lam_msg.TreeNode) -> TreeNode:
    kind, status = NodeKind(message.kind), NodeStatus(message.status)
    return TreeNode(message.depth, kind, message.name, status)


def _step_to(step: StepProgress) -> lam_msg.PlanStep:
    planned = step.planned
    return lam_msg.PlanStep(
        skill=str(planned.step.skill),
        object_id=planned.step.object_id,
        target_id=planned.step.target_id,
        prompt=planned.prompt,
        status=int(step.status),
        outcome=step.outcome,
        seconds=float(step.seconds),
    )


def _step_from(message: lam_msg.PlanStep) -> StepProgress:
    step = Step(Skill(message.skill), message.object_id, message.target_id)
    planned = PlannedStep(step, message.prompt)
    return StepProgress(planned, StepStatus(message.status), message.outcome, message.seconds)
