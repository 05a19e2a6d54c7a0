"""What one worker process does: build simulator and policy once, then run episodes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from lam_policies.checkpoint import find_policy
from lam_policies.served import LoadedPolicy
from lam_ros.core import language
from lam_ros.core.skills import Step, canonical_prompt, words
from lam_ros.core.stitching import Stitcher
from lam_ros.core.types import ImageArray
from lam_ros.core.unsticking import Unsticking
from lam_ros.evaluation.film import Filming
from lam_ros.evaluation.report import EpisodeResult
from lam_ros.evaluation.rollout import Drive, Timing, drive
from lam_ros.evaluation.settings import EvalSettings, Wording
from lam_ros.evaluation.surroundings import Film, Surroundings
from lam_sim.judge import Judge, Outcome
from lam_sim.rollout import Demonstrator
from lam_sim.tasks import Episode, feasible_steps, initial_scene, next_link, sample_episode
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
        self._attempt: Callable[..., tuple[Outcome, Drive]]
        self._film: Film | None = None
        if is_expert:
            self._attempt = self._by_expert
        else:
            self._policy = load_for(settings)
            self._stitcher = Stitcher(self._policy, settings.policy.stitch)
            self._unsticking = Unsticking(
                settings.robot, self._stitcher.infer, settings.policy.retries
            )
            self._attempt = self._by_policy

    def run(self, seed: int) -> list[EpisodeResult]:
        """Run the episode of a seed; in a paired suite also with another cube named."""
        run = self._run_chain if self._settings.suite.chain else self._run
        return [run(episode) for episode in self._episodes(seed)]

    def film(self, seed: int) -> list[list[ImageArray]]:
        """Run a seed again, and return pictures of each of its episodes, for people."""
        films: list[list[ImageArray]] = []
        for episode in self._episodes(seed):
            filming = Filming()
            self._film = filming.look
            if self._settings.suite.chain:
                self._run_chain(episode)
            else:
                self._run(episode)
            films.append(filming.pictures)
        self._film = None
        return films

    def _episodes(self, seed: int) -> list[Episode]:
        settings = self._settings
        episode = sample_episode(settings.suite.scene, seed, settings.suite.mix)
        episodes = [settings.axis.changed(episode)]
        other = _with_other_object(episodes[0]) if settings.suite.paired else None
        return [*episodes, other] if other else episodes

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
            retries=driven.retries,
            done=int(outcome.success),
            **driven.mishaps,
        )

    def _run_chain(self, episode: Episode) -> EpisodeResult:
        """Do the steps of a chain one after the other, until one fails; see `next_link`."""
        settings = self._settings
        self._sim.reset(episode.scene)
        rng = np.random.default_rng([episode.scene.seed, 0xC4A1])
        link: Episode | None = episode
        prompts: list[str] = []
        seconds, chunks, unsafe, retries, done, failure = 0.0, 0, 0, 0, 0, ""
        mishaps: Counter[str] = Counter()
        while link is not None and done < settings.suite.chain and not failure:
            said = words(link.step, self._sim.truth())
            prompts.append(
                canonical_prompt(said)
                if settings.wording == "canonical"
                else language.sample(said, rng, settings.wording)
            )
            outcome, driven = self._attempt(link, prompts[-1], False)
            seconds, chunks = seconds + outcome.duration_s, chunks + driven.chunks
            retries += driven.retries
            unsafe, mishaps = unsafe + driven.unsafe_events, mishaps + Counter(driven.mishaps)
            done, failure = done + outcome.success, str(outcome.failure or "")
            link = next_link(link, self._sim.truth(), settings.suite.mix, rng)
        complete = done == settings.suite.chain
        return EpisodeResult(
            seed=episode.scene.seed,
            prompt="; ".join(prompts),
            task="chain",
            success=complete,
            failure=failure if failure or complete else "nothing_left_to_do",
            named_first=None,
            seconds=round(seconds, 3),
            chunks=chunks,
            unsafe_events=unsafe,
            retries=retries,
            done=done,
            asked=settings.suite.chain,
            **mishaps,
        )

    def _by_policy(
        self, episode: Episode, prompt: str, fresh: bool = True
    ) -> tuple[Outcome, Drive]:
        settings = self._settings
        timing = Timing(settings.max_seconds, settings.replan_every_s, settings.latency_s)
        if fresh:
            self._sim.reset(episode.scene)
        self._policy.reset()
        self._stitcher.reset()
        self._unsticking.reset()
        judge = Judge(episode.step, self._sim.truth())
        policy = self._policy
        around = Surroundings(settings.axis, episode.scene.seed, episode.step.object_id, self._film)
        driven = drive(
            self._sim,
            self._unsticking.infer,
            prompt,
            judge,
            settings.control,
            timing,
            policy.observe if policy.info.looks_back else None,
            around,
            self._stitcher.sent,
        )
        return judge.outcome(), replace(driven, retries=self._unsticking.times)

    def _by_expert(
        self, episode: Episode, prompt: str, fresh: bool = True
    ) -> tuple[Outcome, Drive]:
        """Let the scripted teleoperator do it; it sees ground truth and needs no prompt."""
        frames = round(self._settings.max_seconds * self._settings.robot.cameras[0].rate_hz)
        demonstration = Demonstrator(self._sim).run(episode, max_frames=frames, fresh=fresh)
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
