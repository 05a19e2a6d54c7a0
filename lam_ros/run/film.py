"""The film of a run: viewer, both cameras, the step's name and the verdict.

The viewer's pictures are drawn from the recorded states after the run; the cameras'
pictures are those that the policy was sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av
import mujoco
import numpy as np

from lam_ros.core.clock import NS_PER_MS
from lam_ros.core.robot import RobotDescription
from lam_ros.core.types import ImageArray
from lam_ros.run import canvas
from lam_ros.run.recording import Moment
from lam_ros.run.timeline import Timeline
from lam_sim.render import VIEWER, Quality
from lam_sim.sampling import sample_scene
from lam_sim.scenes import SceneConfig
from lam_sim.world import LockstepSim, SimConfig

QUICK = replace(VIEWER, samples=0, facets=(24, 12), shadow_px=1024)
"""A quarter of the fine quality's time."""

VIEW_PX = (640, 480)
SIDE_PX = 240
GAP_PX = 4
HEADER_PX = 64
FOOTER_PX = 32
SIZE_PX = (VIEW_PX[0] + SIDE_PX, VIEW_PX[1] + HEADER_PX + FOOTER_PX)
VERDICT_S = 2.0
"""How long the verdict stays at the end."""


@dataclass(frozen=True)
class Words:
    """What the film says beside the timeline.

    Attributes:
        instruction: what was asked for.
        verdict: the ground truth's verdict in one line.
        success: whether it is a good one.
        policy: who drove.
    """

    instruction: str
    verdict: str
    success: bool
    policy: str


class Stage:
    """Draws the recorded states of one scene."""

    def __init__(self, robot: RobotDescription, family: SceneConfig, seed: int) -> None:
        """Set the scene up again, in a model of the run's own kind: with fixtures where it had any."""
        self._world = LockstepSim(robot, SimConfig(scene=family, render=False))
        self._world.reset(sample_scene(family, seed))

    def draw(self, moment: Moment, quality: Quality = QUICK) -> ImageArray:
        """Return the viewer's picture of a moment."""
        data = self._world.data
        data.qpos[:] = moment.qpos
        mujoco.mj_kinematics(self._world.model, data)
        return self._world.render("viewer", *VIEW_PX, quality)

    def close(self) -> None:
        """Free the GL contexts."""
        self._world.close()


def compose(
    view: ImageArray, moment: Moment, timeline: Timeline, words: Words, *, is_over: bool
) -> ImageArray:
    """Return one frame of the film, shape (SIZE_PX[1], SIZE_PX[0], 3)."""
    width, height = SIZE_PX
    frame = canvas.blank(width, height)
    first = canvas.text_line(words.instruction, width, 34)
    second = canvas.text_line(timeline.step_line(moment.stamp_ns), width, 30, canvas.GREY)
    if is_over:
        color = canvas.GREEN if words.success else canvas.RED
        second = canvas.text_line(words.verdict, width, 30, canvas.WHITE, color)
    canvas.paste(frame, first, 0, 0)
    canvas.paste(frame, second, 0, 34)
    canvas.paste(frame, view, 0, HEADER_PX)
    canvas.paste(frame, _cameras(moment.images), VIEW_PX[0], HEADER_PX)
    status = timeline.status_line(moment.stamp_ns)
    footer = canvas.text_line(f"{status}   policy {words.policy}", width, FOOTER_PX, canvas.GREY)
    canvas.paste(frame, footer, 0, height - FOOTER_PX)
    return frame


def _cameras(images: Mapping[str, ImageArray]) -> ImageArray:
    """Return the cameras' pictures with their names, shape (VIEW_PX[1], SIDE_PX, 3)."""
    side = canvas.blank(SIDE_PX, VIEW_PX[1])
    boxes = canvas.column(list(images.values()), SIDE_PX, VIEW_PX[1], GAP_PX)
    for (name, image), box in zip(images.items(), boxes, strict=True):
        left_px = (SIDE_PX - box.width_px) // 2
        picture = canvas.resized(image, box.width_px, box.height_px)
        canvas.paste(side, picture, left_px, box.top_px)
        label = canvas.text_line(f"{name} camera", 110, 20, canvas.WHITE, canvas.PANEL)
        canvas.paste(side, label[: box.height_px, : box.width_px], left_px, box.top_px)
    return side


def shoot(
    path: Path,
    moments: Sequence[Moment],
    stage: Stage,
    timeline: Timeline,
    words: Words,
    *,
    fine: bool = False,
    tell: Callable[[float], None] = lambda share: None,
) -> None:
    """Write the film as H.264 in an MP4 file.

    Args:
        path: of the file.
        moments: what was recorded, in order.
        stage: draws them.
        timeline, words: what is written on them.
        fine: draw with smooth edges, at many times the cost.
        tell: hears which share is done.
    """
    quality = VIEWER if fine else QUICK
    with _Writer(path, SIZE_PX) as writer:
        for index, moment in enumerate(moments):
            is_over = moment.stamp_ns >= timeline.end_ns
            view = stage.draw(moment, quality)
            frame = compose(view, moment, timeline, words, is_over=is_over)
            writer.add(frame, moment.stamp_ns)
            tell((index + 1) / len(moments))
        for stamp_ns in _holding(moments):
            last = compose(view, moments[-1], timeline, words, is_over=True)
            writer.add(last, stamp_ns)


def _holding(moments: Sequence[Moment]) -> Iterator[int]:
    """Yield stamps for the last picture to stand still at."""
    for step in range(1, round(VERDICT_S * 5) + 1):
        yield moments[-1].stamp_ns + step * 200 * NS_PER_MS


class _Writer:
    """An MP4 file whose frames carry their own times, in milliseconds."""

    def __init__(self, path: Path, size_px: tuple[int, int]) -> None:
        self._container = av.open(str(path), "w", options={"movflags": "+faststart"})
        self._stream = self._container.add_stream("libx264", rate=50)
        self._stream.width, self._stream.height = size_px
        self._stream.pix_fmt = "yuv420p"
        self._stream.options = {"preset": "veryfast", "crf": "21"}
        self._stream.codec_context.time_base = Fraction(1, 1000)
        self._first_ns: int | None = None

    def add(self, image: ImageArray, stamp_ns: int) -> None:
        """Append a frame."""
        if self._first_ns is None:
            self._first_ns = stamp_ns
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
        frame.pts = (stamp_ns - self._first_ns) // NS_PER_MS
        frame.time_base = Fraction(1, 1000)
        for packet in self._stream.encode(frame):
            self._container.mux(packet)

    def __enter__(self) -> _Writer:
        return self

    def __exit__(self, *exception: object) -> None:
        for packet in self._stream.encode():
            self._container.mux(packet)
        self._container.close()
