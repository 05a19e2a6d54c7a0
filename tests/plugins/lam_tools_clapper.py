"""A tool as an installed package brings it."""

from __future__ import annotations

from lam_ros.planning.tools import Tool

CLAPPED: list[str] = []


def _clap(words: str, object_id: str) -> str:
    CLAPPED.append(words)
    return f"clapped for {words}"


def clapper() -> Tool:
    """Return a tool that claps."""
    return Tool("clap", says=("clap for {text}",), call=_clap)
