"""What `lam eval env=metaworld` can be told."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from lam_policies.checkpoint import CARD, CONFIG, checkpoint_for, find_policy
from lam_ros.composing import compose_config
from lam_ros.config import build, load_body
from lam_ros.core.errors import ConfigError
from lam_ros.core.robot import RobotDescription
from lam_ros.evaluation.settings import PolicyConfig
from lam_sim.metaworld.tasks import MetaTask, choose

ENV = "metaworld"


@dataclass(frozen=True)
class MetaworldSettings:
    """Everything that one evaluation depends on; see `config/metaworld.yaml`.

    Attributes:
        tasks: names, as `lam_sim.metaworld.tasks.choose` reads them.
        episodes: of each task.
        first_seed: of each task's goals and places.
        replan_steps: steps played of a chunk; 0 for as many as the checkpoint says.
        pictures: how they are drawn.
    """

    policy: PolicyConfig
    tasks: tuple[str, ...]
    episodes: int
    first_seed: int
    workers: int
    replan_steps: int = 0
    pictures: Literal["auto", "plain", "full"] = "auto"

    def __post_init__(self) -> None:
        """Refuse what makes no sense, before anything is loaded."""
        for name in ("episodes", "workers"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name}: {getattr(self, name)} came, 1 or more is needed")
        for name in ("first_seed", "replan_steps"):
            if getattr(self, name) < 0:
                raise ConfigError(f"{name}: {getattr(self, name)} came, 0 or more is needed")
        choose(self.tasks)

    @property
    def chosen(self) -> tuple[MetaTask, ...]:
        """The tasks, easy ones first."""
        return choose(self.tasks)

    @property
    def seeds(self) -> range:
        """The seeds of each task."""
        return range(self.first_seed, self.first_seed + self.episodes)


@dataclass(frozen=True)
class Driver:
    """The policy that drives, looked up once.

    Attributes:
        policy_id: what reports call it.
        folder: of its checkpoint; None for the scripted expert.
        body: what it sees and does, with pictures of its own size.
        replan_steps: steps played of each chunk.
        plain: whether pictures are drawn without shadows.
    """

    policy_id: str
    folder: Path | None
    body: RobotDescription
    replan_steps: int
    plain: bool


def load_settings(overrides: Sequence[str]) -> MetaworldSettings:
    """Compose `config/metaworld.yaml` with overrides, of which `env=` chose this file.

    Raises:
        ConfigError: if a key, a value or a task is not allowed.
    """
    data = compose_config(ENV, [item for item in overrides if not item.startswith("env=")])
    tasks = data.pop("tasks")
    names = tasks.split(",") if isinstance(tasks, str) else tasks
    policy = build(PolicyConfig, data.pop("policy"), "policy")
    return build(MetaworldSettings, {**data, "policy": policy, "tasks": tuple(names)}, "eval")


def find_driver(settings: MetaworldSettings) -> Driver:
    """Look up the policy; a checkpoint that cannot be used is refused here, once.

    Raises:
        CheckpointError: if none is named, or it is damaged or of another kind.
        ConfigError: if none is named.
        FingerprintMismatch: if it does not fit what Meta-World gives and takes.
    """
    chosen, body = settings.policy, load_body(ENV)
    if chosen.type == "expert":
        return Driver("expert", None, body, 1, settings.pictures != "full")
    if not (chosen.path or chosen.checkpoint):
        raise ConfigError(
            f"env={ENV}: no checkpoint is named; give policy.path=FOLDER, train one with "
            f"`lam train env={ENV}`, or take policy=expert"
        )
    folder = find_policy(chosen.type, chosen.checkpoint, chosen.path)
    config = _config(folder)
    body = _with_pictures_of(body, config)
    checkpoint = checkpoint_for(folder, body, chosen.type)
    own = int(config.get("n_action_steps") or 1)
    plain = (
        (folder / CARD).is_file() if settings.pictures == "auto" else settings.pictures == "plain"
    )
    return Driver(checkpoint.policy_id, folder, body, settings.replan_steps or own, plain)


def _config(folder: Path) -> Mapping[str, Any]:
    """Return a checkpoint's configuration; what is wrong with it, `checkpoint_for` tells."""
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return config if isinstance(config, dict) else {}


def _with_pictures_of(body: RobotDescription, config: Mapping[str, Any]) -> RobotDescription:
    """Return the body with pictures as large as a policy was trained on."""
    feature = (config.get("input_features") or {}).get(body.image_feature(body.camera_names[0]))
    shape = list((feature or {}).get("shape") or ())
    if len(shape) != 3 or shape[1] != shape[2]:
        return body
    camera = replace(body.cameras[0], width_px=int(shape[2]), height_px=int(shape[1]))
    return replace(body, cameras=(camera,))
