"""What one worker process does: build simulator and policy once, then run episodes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lam_policies.checkpoint import find_policy
from lam_policies.served import LoadedPolicy
from lam_ros.core import language
from lam_ros.core.skills import Step, canonical_prompt, words
from lam_ros.evaluation.report import EpisodeResult
from lam_ros.evaluation.rollout import Drive, Timing, drive
from lam_ros.evaluation.settings import EvalSettings, Wording
from lam_sim.judge import Judge, Outcome
from lam_sim.rollout import Demonstrator
from lam_sim.tasks import Episode, feasible_steps, initial_scene, sample_episode
from lam_sim.world import LockstepSim, SimConfig


class Evaluator:
    """Runs the episodes of a seed with one policy in one simulator."""

    def __init__(self, settings: EvalSettings) -> None:
        """Compile the model and load the policy.

        Raises:
            CheckpointError: if the checkpoint is missing, damaged or of an unknown kind.
            FingerprintMismatch: if it was trained on another robot.
        """
        self._settings = settings
        is_expert = settings.policy.type == "expert"
        config = SimConfig(scene=settings.suite.scene, render=not is_expert)
        self._sim = LockstepSim(settings.robot, config)
        self._attempt: Callable[[Episode, str], tuple[Outcome, Drive]]
        if is_expert:
            self._attempt = self._by_expert
        else:
            self._policy = load_for(settings)
            self._attempt = self._by_policy

    def run(self, seed: int) -> list[EpisodeResult]:
        """Run the episode of a seed; in a paired suite also with another cube named."""
        episode = sample_episode(self._settings.suite.scene, seed, self._settings.suite.mix)
        results = [self._run(episode)]
        if self._settings.suite.paired:
            other = _with_other_object(episode)
            results += [self._run(other)] if other else []
        return results

    def _run(self, episode: Episode) -> EpisodeResult:
        prompt = prompt_of(episode, self._settings.wording)
        outcome, driven = self._attempt(episode, prompt)
        return EpisodeResult(
            seed=episode.scene.seed,
            prompt=prompt,
            task=str(episode.task_type),
            success=outcome.success,
            failure=str(outcome.failure or ""),
            named_first=outcome.named_first if outcome.first_lifted else None,
            seconds=outcome.duration_s,
            chunks=driven.chunks,
            unsafe_events=driven.unsafe_events,
        )

    def _by_policy(self, episode: Episode, prompt: str) -> tuple[Outcome, Drive]:
        settings = self._settings
        timing = Timing(settings.max_seconds, settings.replan_every_s, settings.latency_s)
        self._sim.reset(episode.scene)
        self._policy.reset()
        judge = Judge(episode.step, self._sim.truth())
        policy = self._policy
        driven = drive(
            self._sim,
            policy.infer,
            prompt,
            judge,
            settings.control,
            timing,
            policy.observe if policy.info.looks_back else None,
        )
        return judge.outcome(), driven

    def _by_expert(self, episode: Episode, prompt: str) -> tuple[Outcome, Drive]:
        """Let the scripted teleoperator do it; it sees ground truth and needs no prompt."""
        frames = round(self._settings.max_seconds * self._settings.robot.cameras[0].rate_hz)
        demonstration = Demonstrator(self._sim).run(episode, max_frames=frames)
        return demonstration.outcome, Drive(chunks=0, unsafe_events=0)


def load_for(settings: EvalSettings) -> LoadedPolicy:
    """Return the policy, ready to answer."""
    import torch

    from lam_policies.loader import load_policy

    torch.set_num_threads(settings.policy.threads)
    chosen = settings.policy
    folder = find_policy(chosen.type, chosen.checkpoint, chosen.path)
    policy = load_policy(folder, settings.robot, chosen.device)
    policy.warm_up()
    return policy


def prompt_of(episode: Episode, wording: Wording) -> str:
    """Return what the policy is told; drawn from the scene's seed unless canonical."""
    said = words(episode.step, initial_scene(episode.scene))
    if wording == "canonical":
        return canonical_prompt(said)
    rng = np.random.default_rng([episode.scene.seed, 0x5A1D])
    return language.sample(said, rng, wording)


def _with_other_object(episode: Episode) -> Episode | None:
    """Return the same scene with another object named, or None if no other can be taken."""
    steps = feasible_steps(initial_scene(episode.scene), episode.task_type)
    other = next((step for step in steps if _differs(step, episode.step)), None)
    return Episode(episode.scene, episode.task_type, other) if other else None


def _differs(step: Step, named: Step) -> bool:
    return step.target_id == named.target_id and step.object_id != named.object_id
