"""The README of a checkpoint: what it is, of which data, how it went, what it can do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

MODEL_CARD = "README.md"
_SHOWN = 12


def model_card(card: Mapping[str, Any]) -> str:
    """Return the text, from what `lam.json` holds."""
    return "\n".join(_lines(card)) + "\n"


def _lines(card: Mapping[str, Any]) -> Iterator[str]:
    robot = card["robot"]["name"]
    yield f"# {card['policy_type']} for {robot}"
    yield ""
    step_ms = card["dt_ns"] / 1e6
    yield f"Chunks of {card['horizon']} joint targets, one every {step_ms:g} ms."
    yield f"Skills: {', '.join(card['skills']) or 'not told'}."
    yield f"Made for robot `{robot}`, fingerprint `{card['fingerprint']}`; another one is refused."
    yield f"Weights: sha256 `{card['sha256']}`, {card['created_utc']}."
    yield from _data(card)
    yield from _training(card)
    yield from _curve(card)
    yield from ("", "## Evaluation", "")
    if "success" in card:
        yield f"Closed loop in simulation while training: {card['success']:.1%} success."
    else:
        yield "None was made while training; `lam eval policy.path=FOLDER` makes one."


def _data(card: Mapping[str, Any]) -> Iterator[str]:
    if not card.get("data"):
        return
    yield from ("", "## Data", "", "| set | episodes | samples |", "|---|---|---|")
    for part in card["data"]:
        name, episodes, samples = (part.get(k, "?") for k in ("name", "episodes", "samples"))
        yield f"| {name} | {episodes} | {samples} |"


def _training(card: Mapping[str, Any]) -> Iterator[str]:
    settings = card.get("training")
    if not settings:
        return
    yield from ("", "## Training", "")
    yield f"{card.get('steps', '?')} steps, {card.get('trained_s', 0) / 60:.1f} minutes."
    yield from ("", "| setting | value |", "|---|---|")
    for name, value in settings.items():
        yield f"| {name} | {value} |"


def _curve(card: Mapping[str, Any]) -> Iterator[str]:
    rows = list(card.get("curve") or ())
    if not rows:
        return
    yield from ("", "| step | minutes | loss |", "|---|---|---|")
    every = max(1, len(rows) // _SHOWN)
    for step, seconds, loss, *_ in rows[::every]:
        yield f"| {step:.0f} | {seconds / 60:.1f} | {loss:.4f} |"
