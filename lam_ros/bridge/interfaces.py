"""Services and actions by the name of their type, and their fields from plain data."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from lam_ros.core.errors import ConfigError, unknown_name


def interface(name: str) -> Any:
    """Return the class of a type, such as `std_srvs/srv/Trigger`.

    Raises:
        ConfigError: if there is none.
    """
    package, kind, item = name.split("/")
    try:
        module = importlib.import_module(f"{package}.{kind}")
    except ImportError:
        raise ConfigError(f"type {name}: no package '{package}' with {kind} is installed") from None
    if not hasattr(module, item):
        names = [each for each in dir(module) if each[:1].isupper()]
        raise ConfigError(f"type {name}: {unknown_name(kind, item, names)}")
    return getattr(module, item)


def fill(message: Any, values: Mapping[str, Any]) -> Any:
    """Set the fields of a message from plain data, and return it.

    Raises:
        ConfigError: if a field is unknown, or its value does not fit.
    """
    fields = message.get_fields_and_field_types()
    for name, value in values.items():
        if name not in fields:
            raise ConfigError(f"{type(message).__name__}: {unknown_name('field', name, fields)}")
        if isinstance(value, Mapping):
            fill(getattr(message, name), value)
            continue
        try:
            setattr(message, name, _as(fields[name], value))
        except (AssertionError, TypeError, ValueError, OverflowError):
            raise ConfigError(
                f"{type(message).__name__}.{name}: {value!r} came, {fields[name]} is needed"
            ) from None
    return message


def _as(kind: str, value: Any) -> Any:
    """Return a number as the kind of number that a field takes; numbers may come as words."""
    if kind in ("float", "double"):
        return float(value)
    if "int" in kind and "<" not in kind and not isinstance(value, bool):
        return int(value)
    return value
