"""What recorded pictures show: black and frozen ones are refused as a live policy refuses them.

Rows are laid before anything is decoded.  While their pictures are filmed, `Doubt` looks at
each; where one of them gives reason, the rows are laid once more, and this time the
assembler sees the pixels, as it does live.  So a sound recording is decoded once.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lam_ros.core.sameness import FROZEN_MOTION_RAD, PictureWatch
from lam_ros.core.types import FloatArray, ImageArray, NotReadyReason
from lam_ros.recording.convert.pictures import Decoder, picture_of
from lam_ros.recording.convert.segments import Plan
from lam_ros.recording.convert.streams import Sources
from lam_ros.recording.convert.tracks import Picture
from lam_ros.recording.reader import EpisodeReader

_DOUBT_SAME = 2
_DOUBT_MOTION_RAD = FROZEN_MOTION_RAD / 2
"""Both are below what makes a picture frozen: rows do not show every picture of a camera."""


class Doubt:
    """Looks at some pictures of one camera.

    Attributes:
        is_raised: whether one of them may be black or frozen.
    """

    def __init__(self, gripper_index: int) -> None:
        """Begin without one."""
        self.is_raised = False
        self._watch = PictureWatch(gripper_index)

    def see(self, image: ImageArray, position_rad: FloatArray) -> None:
        """Look at the next picture, rgb8, shape (H, W, 3), and the joints then, shape (J,)."""
        watch = self._watch
        watch.see(image, position_rad)
        is_old = watch.same >= _DOUBT_SAME and watch.moved_rad >= _DOUBT_MOTION_RAD
        self.is_raised = self.is_raised or watch.is_black or is_old


class Pixels:
    """Gives the pixels of a recording's pictures, which are asked for in their order."""

    def __init__(self, reader: EpisodeReader, sources: Sources) -> None:
        """Begin with the first of each camera."""
        self._decoders = {
            camera: Decoder(kind, camera) for camera, (_, kind) in sources.cameras.items()
        }
        self._messages: dict[str, Iterator[tuple[int, Any]]] = {
            camera: enumerate(
                item.message for item in EpisodeReader(reader.folder).messages([topic])
            )
            for camera, (topic, _) in sources.cameras.items()
        }

    def of(self, picture: Picture) -> ImageArray:
        """Return a picture, rgb8, shape (H, W, 3).

        Raises:
            DataError: if it cannot be decoded.
        """
        messages, decoder = self._messages[picture.camera], self._decoders[picture.camera]
        return picture_of(messages, picture.number, decoder)


def shows_nothing(plan: Plan) -> bool:
    """Return whether rows are missing because a picture was black or frozen."""
    return any(gap.reason in (NotReadyReason.BLACK, NotReadyReason.FROZEN) for gap in plan.gaps)
