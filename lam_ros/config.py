"""Configuration at the edge: YAML goes in, frozen dataclasses come out.

`build` refuses keys that the dataclass does not have and checks types, and answers with
one line that names the nearest allowed key.  Commands compose their YAML with hydra
before (`lam_ros.composing`), which takes as long to import as all else that a small node
needs; nodes read their groups as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

import yaml
from pydantic import TypeAdapter, ValidationError

from lam_ros.core.errors import ConfigError, unknown_name
from lam_ros.core.robot import RobotDescription
from lam_ros.paths import config_dir


def options(group: str) -> list[str]:
    """Return the names that a config group offers, for example of `policy`."""
    folder = config_dir() / group
    return sorted(path.stem for path in folder.glob("*.yaml")) if folder.is_dir() else []


def build[T](cls: type[T], data: Mapping[str, Any], where: str) -> T:
    """Turn plain data into a frozen dataclass, checked.

    Args:
        cls: the dataclass; nested dataclasses are built too.
        data: plain data, as `lam_ros.composing` returns it.
        where: what to call the data in messages, for example `scene`.

    Raises:
        ConfigError: if a key is unknown or missing, or a value has the wrong type.
    """
    _check_keys(cls, data, where)
    try:
        return TypeAdapter(cls).validate_python(dict(data))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        needed = first["msg"]
        if first["type"] in ("tuple_type", "list_type"):
            needed = f"a list in brackets is needed, such as [{first.get('input')}]"
        raise ConfigError(
            f"config '{where}.{key}': {needed}; {first.get('input')!r} came"
        ) from None


def _check_keys(cls: type, data: Mapping[str, Any], where: str) -> None:
    hints = get_type_hints(cls)
    allowed = {entry.name for entry in fields(cls)}
    for key, value in data.items():
        if key not in allowed:
            raise ConfigError(f"config '{where}': {unknown_name('key', str(key), allowed)}")
        nested = _dataclass_in(hints[key])
        if nested is None:
            continue
        items = enumerate(value) if isinstance(value, list | tuple) else [(None, value)]
        for index, item in items:
            if isinstance(item, Mapping):
                place = f"{where}.{key}" if index is None else f"{where}.{key}[{index}]"
                _check_keys(nested, item, place)


def _dataclass_in(hint: Any) -> type | None:
    """Return the dataclass that a type is, or is an option or a tuple of."""
    if is_dataclass(hint) and isinstance(hint, type):
        return hint
    return next((inner for part in get_args(hint) if (inner := _dataclass_in(part))), None)


def load_robot(name: str) -> RobotDescription:
    """Read `config/robot/<name>.yaml`, or a YAML file given by its path.

    Raises:
        ConfigError: if there is no such robot.
        RobotError: if the description is inconsistent.
    """
    return RobotDescription.from_dict(load_group("robot", name))


def named_env(overrides: Sequence[str], asker: str = "") -> str:
    """Return somebody else's environment that `env=` names, or an empty string.

    Args:
        overrides: `key=value`; the last one counts.
        asker: what begins the complaint.

    Raises:
        ConfigError: if there is no such environment.
    """
    named = [item.partition("=")[2] for item in overrides if item.startswith("env=")]
    if not named or not named[-1]:
        return ""
    if named[-1] not in options("body"):
        raise ConfigError(asker + unknown_name("env", named[-1], options("body")))
    return named[-1]


def load_body(name: str) -> RobotDescription:
    """Read `config/body/<name>.yaml`: what a policy sees and does in somebody else's environment.

    Raises:
        ConfigError: if there is no such environment.
        RobotError: if the description is inconsistent.
    """
    return RobotDescription.from_dict(load_group("body", name))


def load_group(group: str, name: str) -> dict[str, Any]:
    """Read `config/<group>/<name>.yaml`, or a YAML file given by its path, as plain data.

    Raises:
        ConfigError: if there is no such file, or it does not hold a mapping.
    """
    path = Path(name) if name.endswith((".yaml", ".yml")) else config_dir() / group / f"{name}.yaml"
    if not path.is_file():
        raise ConfigError(unknown_name(group, name, options(group)))
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        problem = " ".join(str(error).split())
        raise ConfigError(f"{group} '{name}': not valid YAML: {problem}") from None
    if not isinstance(data, dict):
        raise ConfigError(f"{group} '{name}': a mapping is needed in {path.name}")
    return {str(key): value for key, value in data.items()}
