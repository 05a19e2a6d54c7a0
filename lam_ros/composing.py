"""Configuration of a command: hydra composes YAML and the overrides of a command line.

Hydra's struct mode refuses keys that the YAML does not have; the answer is one line that
names the nearest allowed key.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from lam_ros.config import options
from lam_ros.core.errors import ConfigError, did_you_mean, unknown_name
from lam_ros.paths import config_dir


def compose_config(name: str, overrides: Sequence[str] = ()) -> dict[str, Any]:
    """Compose `config/<name>.yaml` with hydra overrides and return plain data.

    Raises:
        ConfigError: if an override is malformed or names what does not exist.
    """
    GlobalHydra.instance().clear()
    try:
        with initialize_config_dir(str(config_dir()), version_base="1.3"):
            composed = compose(config_name=name, overrides=list(overrides))
            data = OmegaConf.to_container(composed, resolve=True)
    except (HydraException, OmegaConfBaseException) as error:
        raise ConfigError(_explain(error, name, overrides)) from None
    if not isinstance(data, dict):
        raise ConfigError(f"config '{name}': a mapping is needed")
    return {str(key): value for key, value in data.items()}


def _explain(error: Exception, name: str, overrides: Sequence[str]) -> str:
    """Return one line for what hydra says in many."""
    text = " ".join(str(error).split())
    group = re.search(r"Could not find '([^']+)/([^']+)'", text)
    if group:
        return unknown_name(group.group(1), group.group(2), options(group.group(1)))
    override = re.search(r"Could not override '([^']+)'", text)
    if override:
        known = _keys(name)
        key = override.group(1)
        return (
            f"config key '{key}' does not exist in config/{name}.yaml.{did_you_mean(key, known)} "
            "See the keys in config/, or `--help`"
        )
    malformed = next((item for item in overrides if "=" not in item), None)
    if malformed:
        return f"override '{malformed}' is not of the form key=value"
    return f"configuration '{name}': {text[:300]}"


def _keys(name: str) -> list[str]:
    try:
        with initialize_config_dir(str(config_dir()), version_base="1.3"):
            return _flatten(OmegaConf.to_container(compose(config_name=name)))
    except (HydraException, OmegaConfBaseException):
        return []


def _flatten(data: object, prefix: str = "") -> list[str]:
    if not isinstance(data, dict):
        return []
    found = []
    for key, value in data.items():
        found.append(f"{prefix}{key}")
        found.extend(_flatten(value, f"{prefix}{key}."))
    return found
