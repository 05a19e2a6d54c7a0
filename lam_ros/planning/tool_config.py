"""Where tools come from: config/planner/tools.yaml, and the entry points `lam_ros.tools`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from importlib.metadata import entry_points
from typing import Any

from lam_ros.core.errors import ConfigError, unknown_name
from lam_ros.planning.tools import BUILTIN, Tool

GROUP = "lam_ros.tools"
"""Entry points of this group name a `Tool`, or a function that returns one."""

_KEYS = frozenset(item.name for item in fields(Tool)) - {"name", "call", "builtin"}


def load_tools(data: Mapping[str, Any]) -> tuple[Tool, ...]:
    """Return our own tools, those of installed packages, and those of the configuration.

    Args:
        data: of tools.yaml: `{"tools": {name: {...}}}`.

    Raises:
        ConfigError: if a tool is not what it must be, or a name is taken twice.
    """
    rows = data.get("tools") or {}
    if set(data) - {"tools"} or not isinstance(rows, Mapping):
        raise ConfigError("tools: {'tools': {name: {...}}} is needed")
    found = [*BUILTIN, *(_installed(point) for point in entry_points(group=GROUP))]
    found += [_configured(str(name), row) for name, row in rows.items()]
    names = [tool.name for tool in found]
    twice = next((name for name in names if names.count(name) > 1), "")
    if twice:
        raise ConfigError(f"tool '{twice}': the name is taken already; give it another")
    return tuple(found)


def _configured(name: str, row: Any) -> Tool:
    if not isinstance(row, Mapping):
        raise ConfigError(f"tool '{name}': {type(row).__name__} came, keys are needed")
    for key in row:
        if key not in _KEYS:
            raise ConfigError(f"tool '{name}': {unknown_name('key', str(key), _KEYS)}")
    values = dict(row)
    for key in ("says", "needs", "kinds"):
        value = values.get(key, ())
        if isinstance(value, str) or not all(isinstance(item, str) for item in value):
            raise ConfigError(f"tool '{name}': {key} is a list of texts")
        values[key] = frozenset(value) if key == "kinds" else tuple(value)
    return Tool(name, **values)


def _installed(point: Any) -> Tool:
    made = point.load()
    tool = made if isinstance(made, Tool) else made()
    if not isinstance(tool, Tool):
        raise ConfigError(
            f"entry point {GROUP} '{point.name}': {type(tool).__name__} came, no Tool"
        )
    return tool
