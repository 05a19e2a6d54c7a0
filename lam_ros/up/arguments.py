"""What a start can be told: names, defaults and meanings, the same on every command line."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from lam_ros.core.errors import ConfigError, unknown_name

FLAGS = ("false", "true")
_NAMESPACE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(/[A-Za-z_][A-Za-z0-9_]*)*")


@dataclass(frozen=True)
class Argument:
    """One argument.

    Attributes:
        name: as it stands on the command line.
        default: as text.
        description: for people.
        choices: the values that are allowed; empty for any.
    """

    name: str
    default: str
    description: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Values:
    """Every argument of one start, checked as far as the argument alone tells."""

    texts: Mapping[str, str]

    def text(self, name: str) -> str:
        """Return a value as it is; empty for an argument that this start has not."""
        return self.texts.get(name, "")

    def flag(self, name: str) -> bool:
        """Return whether a value is `true`."""
        return self.text(name) == "true"

    def whole(self, name: str) -> int:
        """Return a value as a whole number, 0 or more.

        Raises:
            ConfigError: if it is none.
        """
        text = self.text(name)
        if not text.isdecimal():
            raise ConfigError(f"{name}: '{text}' came, a whole number of 0 or more is needed")
        return int(text)

    def number(self, name: str) -> float:
        """Return a value as a number above 0.

        Raises:
            ConfigError: if it is none.
        """
        try:
            value = float(self.text(name))
        except ValueError:
            value = math.nan
        if not 0 < value < math.inf:
            raise ConfigError(f"{name}: '{self.text(name)}' came, a number above 0 is needed")
        return value

    @property
    def namespace(self) -> str:
        """The namespace without slashes at its ends; empty for none.

        Raises:
            ConfigError: if ROS allows no such name.
        """
        name = self.text("namespace").strip("/")
        if name and not _NAMESPACE.fullmatch(name):
            raise ConfigError(
                f"namespace: '{name}' came, allowed are letters, digits and _, such as left"
            )
        return name

    def file(self, name: str) -> tuple[str, ...]:
        """Return the absolute path of a file that must exist; empty for none.

        Raises:
            ConfigError: if it is not there.
        """
        text = self.text(name)
        if not text:
            return ()
        if not Path(text).is_file():
            raise ConfigError(f"{name}: there is no file {text}")
        return (str(Path(text).resolve()),)


def values_of(arguments: Iterable[Argument], given: Mapping[str, str]) -> Values:
    """Return every argument's value: the given one, or its default.

    Raises:
        ConfigError: if a name is unknown, or a value is none of the choices.
    """
    known = {argument.name: argument for argument in arguments}
    for name, text in given.items():
        if name not in known:
            raise ConfigError(unknown_name("argument", name, known))
        choices = known[name].choices
        if choices and text not in choices:
            raise ConfigError(unknown_name(name, text, choices))
    return Values({name: given.get(name, argument.default) for name, argument in known.items()})
