"""Where weights come from, told without a path of the machine that made them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lam_policies.checkpoint import CARD, WEIGHTS, sha256_of
from lam_policies.training.config import TrainConfig
from lam_policies.training.frames import Frames
from lam_policies.training.history import merged

_PATHS = ("data", "out", "cache", "start_from")
_OF_START = ("command", "training", "data", "steps", "trained_s", "start_from", "mean_of", "sha256")


def command(config: TrainConfig) -> list[str]:
    """Return the command that trains like this; folders by their names alone."""
    words = ["lam", "train"]
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if field.name == "policy":
            words += [f"+policy.{key}={_written(item)}" for key, item in value.items()]
        elif field.default is dataclasses.MISSING or value != field.default:
            words.append(
                f"{field.name}={_written(_named(value) if field.name in _PATHS else value)}"
            )
    return words


def settings(config: TrainConfig) -> dict[str, Any]:
    """Return every setting but the folders."""
    values = dataclasses.asdict(config)
    return {name: value for name, value in values.items() if name not in _PATHS}


def data(parts: Sequence[Frames]) -> list[dict[str, Any]]:
    """Return what the data is, part by part, with the seeds of its scenes if it tells them."""
    return merged(
        {**part.made, "episodes": part.n_episodes, "samples": len(part)} for part in parts
    )


def start(config: TrainConfig) -> dict[str, Any] | None:
    """Return how the weights that a run starts from were made, back to the first; None if none."""
    return told(Path(config.start_from)) if config.start_from else None


def told(folder: Path) -> dict[str, Any]:
    """Return how a checkpoint's weights were made, back to the first, as far as its card tells."""
    found: dict[str, Any] = {"name": folder.name, "sha256": sha256_of(folder / WEIGHTS)}
    if (folder / CARD).is_file():
        card: Mapping[str, Any] = json.loads((folder / CARD).read_text(encoding="utf-8"))
        found.update({key: card[key] for key in _OF_START if key in card})
    return found


def without_paths(words: Sequence[str]) -> list[str]:
    """Return a command's words with every path cut to its last name."""
    return [_without_path(word) for word in words]


def _without_path(word: str) -> str:
    key, sign, value = word.rpartition("=")
    listed = value.startswith("[") and value.endswith("]")
    items = value.strip("[]").split(",") if listed else [value]
    names = [Path(item).name if "/" in item else item for item in items]
    return key + sign + (f"[{','.join(names)}]" if listed else names[0])


def _named(value: str | Sequence[str]) -> str | list[str]:
    return Path(value).name if isinstance(value, str) else [Path(item).name for item in value]


def _written(value: object) -> str:
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(str(item) for item in value) + "]"
    return str(value)
