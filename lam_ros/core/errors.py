"""The one error tree.

A message is one line that says the thing, what came, what is allowed and the
remedy.  Expected events (stale, clamped, expired, refused) are values, never
exceptions: these errors are for requests that cannot be carried out at all.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from enum import IntEnum


class ExitCode(IntEnum):
    """What the `lam` command returns to the shell."""

    DONE = 0
    TASK_FAILED = 1
    WRONG_REQUEST = 2
    QUESTION_OPEN = 3
    MACHINE_LACKS = 4
    INTERRUPTED = 130


class LamError(Exception):
    """Base of every error that this project raises on purpose."""

    exit_code: ExitCode = ExitCode.WRONG_REQUEST


class ConfigError(LamError):
    """A configuration value is missing, unknown or out of range."""


class RobotError(LamError):
    """A robot description is inconsistent, or does not fit what it is used with."""


class FingerprintMismatch(RobotError):
    """A checkpoint, data set or recording was made for another robot."""


class CheckpointError(LamError):
    """A checkpoint is missing, truncated, or of an unknown kind."""


class DataError(LamError):
    """A recording or data set cannot be read, or holds what it must not."""


class MachineError(LamError):
    """The machine lacks something (rendering, middleware, device, disk)."""

    exit_code = ExitCode.MACHINE_LACKS


class BusyError(LamError):
    """Another run holds what this one needs."""


def did_you_mean(name: str, allowed: Iterable[str]) -> str:
    """Return ` Did you mean 'x'?` for the nearest allowed name, or an empty string."""
    nearest = difflib.get_close_matches(name, list(allowed), n=1, cutoff=0.6)
    return f" Did you mean '{nearest[0]}'?" if nearest else ""


def unknown_name(thing: str, name: str, allowed: Iterable[str]) -> str:
    """Return the one-line message for a name that is not among those allowed."""
    names = sorted(allowed)
    return f"unknown {thing} '{name}'; allowed: {', '.join(names)}.{did_you_mean(name, names)}"
