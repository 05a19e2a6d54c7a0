"""What one check of the machine found."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """One thing that LAM needs, or that is good to know.

    Attributes:
        name: of what was looked at.
        ok: whether LAM can do with what was found; also true where a thing is optional.
        found: what was found, one line.
        remedy: what to do, one line; empty if there is nothing to do.
    """

    name: str
    ok: bool
    found: str
    remedy: str = ""
