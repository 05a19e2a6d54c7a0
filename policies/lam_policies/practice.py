"""Practice: the expert demonstrates, also from where the policy has got itself into.

An episode may begin with the policy driving; after a while the expert takes over and
finishes the task.  Only what the expert does is recorded.  So the policy learns from its
own mistakes how to get out of them (DAgger; Ross et al., 2011), and whatever it gets
better at, the next round shows it harder states.

The result is training data as `lam_policies.training.store` keeps them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from lam_policies.served import LoadedPolicy
from lam_policies.training import store
from lam_policies.training.projection import Pinhole
from lam_ros.core.clock import ns_to_seconds
from lam_ros.core.language import sample
from lam_ros.core.scene import Scene
from lam_ros.core.skills import Skill, StepWords, achieved, words
from lam_ros.core.types import FloatArray, ImageArray
from lam_sim.expert import Expert, Phase
from lam_sim.ik import CartesianTeleop
from lam_sim.judge import Judge
from lam_sim.noise import Noise, NoiseConfig
from lam_sim.rollout import HOLD_FRAMES, NOISE_SHARE, places_of
from lam_sim.style import sample_style
from lam_sim.tasks import Episode
from lam_sim.world import LockstepSim

REPLAN_FRAMES = 4

_MISHAPS = ("open", "shove", "kick")
_MISHAP_AFTER_S = (0.3, 3.0)
_MISHAP_FRAMES = 7
_SHOVE_RAD = 0.30
_OPEN_RAD = (0.35, 0.60)
_KICK_M_S = (0.2, 0.8)

_UNSEEN: frozenset[Skill] = frozenset({Skill.PRESS})
"""Skills whose success no picture shows: what comes after it looks like what comes before, and
from both a policy learns to hover between. What is kept of an episode ends soon after the effect."""

_GO_ON_FRAMES = 12
"""For so long the expert goes on as if nothing had come of it where no picture shows that something
has: else a policy learns to stop just where the effect begins."""

_LONGEST_S: Mapping[Skill, float] = {Skill.SWEEP: 20.0}
"""Skills that may take longer than the configuration says."""


@dataclass(frozen=True)
class PracticeConfig:
    """How an episode goes.

    Attributes:
        max_policy_s: the policy drives first for a time up to this; 0: not at all.
        max_s: longest time that the expert has.
        picture_stride: every how many rows a picture is kept.
        window_rows: only so many rows of each episode, whatever comes of it: many more
            scenes in the same time; 0 for whole episodes, and only those that succeed.
        horizon: rows at the end of a window without pictures, since what follows them is
            not known.
        noise: what disturbs the expert.
        mishap_share: share of the episodes that begin after something has gone wrong: a
            missed grasp or a dropped object, a shoved arm, a kicked object.
        only_failures: the policy drives for the whole of its time, and the expert is asked
            only where it has not succeeded in it.
    """

    max_policy_s: float = 0.0
    max_s: float = 12.8
    picture_stride: int = 2
    window_rows: int = 0
    horizon: int = 16
    noise: NoiseConfig = field(default_factory=NoiseConfig)
    mishap_share: float = 0.0
    only_failures: bool = False


@dataclass(frozen=True, eq=False)
class Rows:
    """What one episode gives; T rows, N of them with pictures; see `Frames`."""

    said: StepWords
    state_rad: FloatArray
    action_rad: FloatArray
    places_m: FloatArray
    yaw_rad: FloatArray
    pictures: dict[str, ImageArray]
    pixels: FloatArray
    progress: FloatArray


class Practice:
    """Makes episodes in one simulator."""

    def __init__(
        self, sim: LockstepSim, config: PracticeConfig, policy: LoadedPolicy | None = None
    ) -> None:
        """Use a simulator that draws pictures; `policy` drives first if there is one."""
        self.sim = sim
        self._config = config
        self._policy = policy
        self._teleop = CartesianTeleop(sim.robot)
        self._dt_s = ns_to_seconds(sim.robot.cameras[0].period_ns)
        self._steps = round(sim.robot.control_rate_hz * self._dt_s)

    def run(self, episode: Episode) -> Iterator[Rows | None]:
        """Yield the expert's part of an episode if there is one, None if it did not succeed."""
        rng = np.random.default_rng([episode.scene.seed, 0xDA6])
        self.sim.reset(episode.scene)
        if self.only_failures and self.pass_over(episode, rng):
            return
        self.lead_in(episode, rng)
        yield self.finish(episode, rng)

    @property
    def only_failures(self) -> bool:
        """Whether what the policy can do by itself is left out."""
        return self._policy is not None and self._config.only_failures

    def lead_in(self, episode: Episode, rng: np.random.Generator) -> None:
        """Let the policy drive for a while, or something go wrong, unrecorded.

        Where only failures are wanted, the policy has had its time already.
        """
        if self.only_failures:
            return
        if self._policy is not None:
            longest = rng.uniform(0, self._config.max_policy_s)
            self._let_policy_drive(self._policy, episode, rng, longest)
        elif self._config.mishap_share and rng.random() < self._config.mishap_share:
            self._let_it_go_wrong(episode, rng)

    def pass_over(self, episode: Episode, rng: np.random.Generator) -> bool:
        """Have a step done, by the policy if there is one, and leave it as soon as it is done.

        Nothing is recorded.  Returns whether it was done in time.
        """
        judge = Judge(episode.step, self.sim.truth())
        if self._policy is not None:
            longest = self._config.max_policy_s
            self._let_policy_drive(self._policy, episode, rng, longest, judge)
            return judge.succeeded
        expert = Expert(self.sim.robot, self._teleop, episode.step, sample_style(rng))
        for _ in range(int(self._longest_s(episode) / self._dt_s)):
            scene = self.sim.truth()
            judge.watch(scene)
            if judge.succeeded:
                break
            self._execute(expert.decide(scene, self.sim.joint_state(), self._dt_s).target_rad)
        return judge.succeeded

    def _let_it_go_wrong(self, episode: Episode, rng: np.random.Generator) -> None:
        """Let the expert begin, unrecorded, and then undo something of what it did."""
        sim, gripper = self.sim, self.sim.robot.gripper_index
        expert = Expert(sim.robot, self._teleop, episode.step, sample_style(rng))
        for _ in range(int(rng.uniform(*_MISHAP_AFTER_S) / self._dt_s)):
            decision = expert.decide(sim.truth(), sim.joint_state(), self._dt_s)
            self._execute(decision.target_rad)
        target = np.array(sim.target_rad)
        what = str(rng.choice(_MISHAPS))
        if what == "kick" and episode.step.object_id and not sim.truth().held:
            speed, way = rng.uniform(*_KICK_M_S), rng.uniform(-np.pi, np.pi)
            sim.kick(episode.step.object_id, (speed * np.cos(way), speed * np.sin(way)))
        elif what == "shove":
            push = rng.uniform(-_SHOVE_RAD, _SHOVE_RAD, len(target))
            push[gripper] = 0.0
            target = np.clip(target + push, sim.robot.lower_rad, sim.robot.upper_rad)
        else:
            target[gripper] = rng.uniform(*_OPEN_RAD)
        for _ in range(_MISHAP_FRAMES):
            self._execute(target)

    def _let_policy_drive(
        self,
        policy: LoadedPolicy,
        episode: Episode,
        rng: np.random.Generator,
        longest_s: float,
        judge: Judge | None = None,
    ) -> None:
        """Let the policy drive for a time, or until the judge is content."""
        sim = self.sim
        prompt = sample(words(episode.step, sim.truth()), rng)
        policy.reset()
        for _ in range(int(longest_s / self._dt_s / REPLAN_FRAMES)):
            chunk = policy.infer(sim.observe(), prompt)
            for target_rad in chunk.targets_rad[:REPLAN_FRAMES]:
                self._execute(target_rad)
                if judge is not None:
                    judge.watch(sim.truth())
            if judge is not None and judge.succeeded:
                return

    def _longest_s(self, episode: Episode) -> float:
        return max(self._config.max_s, _LONGEST_S.get(episode.step.skill, 0.0))

    def finish(self, episode: Episode, rng: np.random.Generator) -> Rows | None:
        """Have the expert finish a step from where things stand; None if it did not succeed."""
        sim, robot = self.sim, self.sim.robot
        noise = Noise(self._config.noise, len(robot.joints), robot.gripper_index, rng)
        expert = Expert(robot, self._teleop, episode.step, sample_style(rng))
        scene = sim.truth()
        said = words(episode.step, scene)
        judge = Judge(episode.step, scene)
        log = _Log(episode, said, self._config.picture_stride)
        is_unseen = episode.step.skill in _UNSEEN
        still = gone_on = 0
        window = self._config.window_rows
        longest_s = self._longest_s(episode)
        while still < HOLD_FRAMES and gone_on <= _GO_ON_FRAMES:
            if window and len(log) == window:
                return log.rows(np.full(window, np.nan))
            if len(log) > longest_s / self._dt_s:
                return None
            joints = sim.joint_state()
            shown = _as_before(scene, episode) if is_unseen else scene
            decision = expert.decide(shown, joints, self._dt_s)
            is_last = window and len(log) >= window - self._config.horizon
            if len(log) % self._config.picture_stride == 0 and not is_last:
                log.add_pictures(sim, scene)
            log.add_row(joints.position_rad, decision.target_rad, scene)
            still = still + 1 if decision.phase is Phase.DONE else 0
            self._execute(
                decision.target_rad + noise.next(self._dt_s, NOISE_SHARE.get(decision.phase, 1.0))
            )
            scene = sim.truth()
            judge.watch(scene)
            gone_on += is_unseen and achieved(episode.step, scene)
        return log.rows(np.arange(len(log)) / len(log)) if judge.succeeded else None

    def _execute(self, target_rad: FloatArray) -> None:
        start = self.sim.target_rad
        for step in range(1, self._steps + 1):
            self.sim.step(start + (target_rad - start) * (step / self._steps))


def _as_before(scene: Scene, episode: Episode) -> Scene:
    """Return the scene with the step's object not yet pressed."""
    before = replace(scene[episode.step.object_id], is_on=False)
    return replace(
        scene,
        objects=tuple(before if item.id == before.id else item for item in scene.objects),
    )


class _Log:
    """The rows of one episode while it goes on."""

    def __init__(self, episode: Episode, said: StepWords, stride: int) -> None:
        self._stride = stride
        self._step = episode.step
        self._said = said
        self._states: list[FloatArray] = []
        self._actions: list[FloatArray] = []
        self._places: list[FloatArray] = []
        self._yaws: list[float] = []
        self._pictures: list[dict[str, ImageArray]] = []
        self._pixels: list[FloatArray] = []

    def __len__(self) -> int:
        return len(self._states)

    def add_row(self, state_rad: FloatArray, action_rad: FloatArray, scene: Scene) -> None:
        self._states.append(state_rad)
        self._actions.append(action_rad)
        self._places.append(self._where(scene))
        item = self._step.object_id
        self._yaws.append(scene[item].yaw_rad if item else 0.0)

    def add_pictures(self, sim: LockstepSim, scene: Scene) -> None:
        self._pictures.append(dict(sim.observe().images))
        self._pixels.append(
            np.stack(
                [pinhole(sim, name).see(self._where(scene)) for name in sim.robot.camera_names]
            )
        )

    def _where(self, scene: Scene) -> FloatArray:
        return np.array(places_of(self._step, scene))

    def rows(self, progress: FloatArray) -> Rows:
        """Return the first rows, as many as `progress` is long, with their pictures."""
        count = len(progress)
        pictures = self._pictures[: -(-count // self._stride)]
        return Rows(
            said=self._said,
            state_rad=np.array(self._states[:count]),
            action_rad=np.array(self._actions[:count]),
            places_m=np.array(self._places[:count]),
            yaw_rad=np.array(self._yaws[:count]),
            pictures={
                name: np.stack([seen[name] for seen in pictures]) for name in self._pictures[0]
            },
            pixels=np.array(self._pixels[: len(pictures)]),
            progress=progress,
        )


def pinhole(sim: LockstepSim, camera: str) -> Pinhole:
    """Return how a camera of the simulator looks now; a picture must have been drawn."""
    index = sim.model.camera(camera).id
    picture = next(c for c in sim.robot.cameras if c.name == camera)
    return Pinhole(
        sim.data.cam_xpos[index],
        sim.data.cam_xmat[index].reshape(3, 3),
        float(sim.model.cam_fovy[index]),
        picture.width_px / picture.height_px,
    )


class Shard:
    """A folder of decoded training data that grows by whole episodes."""

    def __init__(self, folder: Path, picture_stride: int) -> None:
        """Start empty."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.n_rows = self.n_episodes = 0
        self._stride = picture_stride
        self._parts: dict[str, list[np.ndarray]] = {}
        self._said: dict[StepWords, int] = {}

    def add(self, rows: Rows) -> None:
        """Append an episode; its pictures go to disk at once."""
        count = len(rows.state_rad)
        for camera, pictures in rows.pictures.items():
            with store.picture_file(self.folder, camera).open("ab") as file:
                file.write(np.ascontiguousarray(pictures.transpose(0, 3, 1, 2)).tobytes())
        said = self._said.setdefault(rows.said, len(self._said))
        for name, values in {
            "picture_row": self.n_rows + self._stride * np.arange(len(rows.pixels)),
            "state_rad": rows.state_rad.astype(np.float32),
            "action_rad": rows.action_rad.astype(np.float32),
            "episode_end": np.full(count, self.n_rows + count),
            "progress": rows.progress.astype(np.float32),
            "said_index": np.full(count, said),
            "places_m": rows.places_m.astype(np.float32),
            "yaw_rad": rows.yaw_rad.astype(np.float32),
            "pixels": rows.pixels.astype(np.float32),
        }.items():
            self._parts.setdefault(name, []).append(values)
        self.n_rows += count
        self.n_episodes += 1

    def save(self) -> None:
        """Write the tables, so that what was added can be read; nothing added writes nothing."""
        if not self.n_episodes:
            return
        arrays = {name: np.concatenate(parts) for name, parts in self._parts.items()}
        store.save(self.folder, arrays, list(self._said))


def fill(
    shard: Shard,
    run: Callable[[Episode], Iterable[Rows | None]],
    episodes: Iterable[Episode],
    save_every: int = 0,
) -> int:
    """Run episodes into a shard and return how many steps did not succeed.

    The tables are written in the end, and after every `save_every` episodes unless it is 0.
    """
    failed = 0
    for rows in (rows for episode in episodes for rows in run(episode)):
        if rows is None:
            failed += 1
            continue
        shard.add(rows)
        if save_every and shard.n_episodes % save_every == 0:
            shard.save()
    shard.save()
    return failed
