"""The film and the contact sheet of a run that is over."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from lam_ros.run.film import Stage, Words, shoot
from lam_ros.run.recording import RECORDING, load_moments
from lam_ros.run.settings import RunSettings
from lam_ros.run.sheet import make_sheet
from lam_ros.run.timeline import Timeline

BEFORE_NS = 300_000_000
"""How long before the instruction the film begins."""

FILM, SHEET = "video.mp4", "contact_sheet.png"


def make_pictures(
    run_dir: Path,
    settings: RunSettings,
    seed: int,
    timeline: Timeline,
    words: Words,
    tell: Callable[[float], None],
) -> dict[str, Path]:
    """Write the film and the sheet from the recording; returns name -> file.

    Raises:
        DataError: if the recording cannot be read.
    """
    moments = [
        moment
        for moment in load_moments(run_dir / RECORDING)
        if moment.stamp_ns >= timeline.start_ns - BEFORE_NS
    ]
    if not moments:
        return {}
    stage = Stage(settings.robot, settings.scene, seed)
    try:
        film, sheet = run_dir / FILM, run_dir / SHEET
        shoot(film, moments, stage, timeline, words, fine=settings.video.fine, tell=tell)
        make_sheet(sheet, moments, stage, timeline, words)
    finally:
        stage.close()
    (run_dir / RECORDING).unlink()
    return {"video": film, "contact_sheet": sheet}
